# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""A real agent sends the samples of several guests in one message."""

import unittest

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import rabbitmq
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host

OPTIONS = """
    [qga_monitor]
    interval = 1
    collectors = uptime, memory
    [qga_notification]
    batch_size = {size}
    batch_wait = 5
"""
ALONE = 'instance.guest.metrics'
BATCH = 'instance.guest.metrics.batch'


class BatchTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.guests = [
            simulated_host.Simulated(
                f'instance-0000000{number}',
                self.useFixture(qemu_ga.QemuGa()).socket,
            )
            for number in range(2)
        ]
        self.host = self.useFixture(simulated_host.SimulatedHost(*self.guests))

    def run_agent(self, url, size):
        return self.useFixture(
            agent_program.AgentProgram(
                self.host.uri, url, OPTIONS.format(size=size)
            )
        )

    def of_batch(self, listener):
        """UUID -> names of the samples of the next batch."""
        found = {}
        for each in listener.next(BATCH, host='compute-1')['samples']:
            self.assertEqual(
                self.guests[0].owner.project_uuid, each['tenant_id']
            )
            found.setdefault(each['instance_id'], set()).add(each['name'])
        return found

    def test_both_guests_stand_in_one_message_and_sighup_parts_them(self):
        broker = shared.broker()
        listener = self.useFixture(notifications.Listener(broker.url))
        agent = self.run_agent(broker.url, 6)
        both = {guest.uuid for guest in self.guests}
        found = self.of_batch(listener)
        self.assertEqual(both, found.keys())
        for names in found.values():
            self.assertLessEqual({'guest.uptime', 'guest.memory.total'}, names)
        agent.reload(OPTIONS.format(size=1))
        for uuid in both:
            listener.next(ALONE, instance_id=uuid)
        self.assertNotIn('Traceback', agent.logged())

    def test_what_could_not_be_sent_is_sent_when_the_broker_is_back(self):
        broker = self.useFixture(rabbitmq.RabbitMQ())
        agent = self.run_agent(broker.url, 4)
        listener = self.useFixture(notifications.Listener(broker.url))
        self.of_batch(listener)
        broker.stop()
        agent.wait_until_logged('publisher notification: the message broker')
        self.assertNotIn('guest.uptime', agent.logged())
        broker.start()
        listener.heard()
        self.of_batch(listener)
