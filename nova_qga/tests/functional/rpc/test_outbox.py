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

"""What outlives a broker that is away and an agent that is killed.

A real RabbitMQ, a real nova-qga-agent, and a real qemu-ga on this machine
that only writes below a folder of its own.
"""

import threading
import unittest

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import controller
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import rabbitmq
from nova_qga.tests.fixtures import simulated_host

HOST = 'compute-1'


class OutboxTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.broker = self.useFixture(rabbitmq.RabbitMQ())
        self.qga = self.useFixture(qemu_ga.QemuGa())
        self.guest = simulated_host.Simulated(
            'instance-00000001', self.qga.socket
        )
        host = self.useFixture(simulated_host.SimulatedHost(self.guest))
        self.agent = self.useFixture(
            agent_program.AgentProgram(
                host.uri,
                self.broker.url,
                '[qga_monitor]\ncollectors =\n',
                host=HOST,
            )
        )
        self.controller = self.useFixture(
            controller.Controller(self.broker.url)
        )

    def begin(self):
        """Send a request that the guest does not answer until it is let.

        Return when the agent has noted it.
        """
        pinged = self.controller.api.ping(HOST, self.guest.uuid)
        self.assertEqual('succeeded', pinged['state'])
        self.qga.freeze()
        self.addCleanup(self.qga.unfreeze)
        self.controller.cast(HOST, 'write_file', **self.request())
        self.wait_for('running')

    def request(self):
        return known_host.request(
            'cut-off',
            instance_uuid=self.guest.uuid,
            path=str(self.qga.files / 'written'),
            content='YWJj',
        )

    def state(self):
        return self.agent.journal_state('cut-off')

    def wait_for(self, state):
        pause = threading.Event()
        for _ in range(600):
            if self.state() == state:
                return
            pause.wait(0.1)
        self.fail(f'the request is {self.state()}, not {state}')

    def heard(self):
        """The outcome as told after all came back, and that it is one."""
        listener = self.useFixture(notifications.Listener(self.broker.url))
        told = listener.next(
            'instance.guest.write_file.error'
            if self.state() != 'succeeded'
            else 'instance.guest.write_file.end',
            request_id='cut-off',
        )
        self.assertEqual(self.state(), told['state'])
        self.assertEqual(self.guest.owner.project_uuid, told['tenant_id'])
        return told

    def test_an_outcome_waits_for_the_broker_and_outlives_the_agent(self):
        self.begin()
        self.broker.stop()
        self.qga.unfreeze()
        self.wait_for('succeeded')
        self.agent.kill()
        self.broker.start()
        self.agent.start()
        self.heard()

    def test_a_request_at_which_the_agent_died_is_told_as_unknown(self):
        self.begin()
        self.agent.kill()
        self.qga.unfreeze()
        self.assertEqual('running', self.state())
        self.agent.start()
        self.wait_for('unknown')
        told = self.heard()
        self.assertEqual('outcome_unknown', told['error']['code'])
        again = self.controller.call(HOST, 'write_file', **self.request())
        self.assertEqual(
            (told['state'], told['error']), (again['state'], again['error'])
        )
