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

"""A real Ceilometer takes what our publisher really sends."""

import unittest
import uuid

import fixtures

from nova_qga.collectors import sample_set
from nova_qga.publishers import notification
from nova_qga.publishers import payload
from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import ceilometer
from nova_qga.tests.fixtures import every_metric
from nova_qga.tests.fixtures import made_samples
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import publisher_context
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host
from nova_qga.tests.unit.collectors import cases

HOST = 'compute-1'
#: Of ours, what is the same in Ceilometer's.
SAME = ('name', 'type', 'unit', 'volume', 'resource_id')

OFTEN = """
    [qga_monitor]
    interval = 1
    publishers = notification
"""


def publisher(case, url, **options):
    """Our publisher, on a broker."""
    notifier = case.useFixture(notifications.Sending(url)).notifier
    return notification.NotificationPublisher(
        publisher_context.of(notification.GROUP, notifier, **options)
    )


def comparable(sample):
    return tuple(sample[field] for field in SAME)


class CeilometerTest(fixtures.TestWithFixtures, unittest.TestCase):
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.broker = shared.broker()
        self.uuid = str(uuid.uuid4())
        self.agent = self.useFixture(
            ceilometer.NotificationAgent(self.broker.url)
        )

    def samples(self, *values):
        return made_samples.samples(*values, uuid=self.uuid)

    def send(self, samples):
        """Have the samples of a guest published; return what should come."""
        publisher(self, self.broker.url).publish([samples])
        return payload.of(samples, HOST)['samples']

    def check_they_come(self, sent):
        come = self.agent.wait_for(self.uuid, len(sent))
        self.assertEqual(
            sorted(map(comparable, sent)), sorted(map(comparable, come))
        )
        return come

    def test_all_that_a_guest_of_each_kind_tells(self):
        sent = []
        for guest in recordings.GUESTS:
            samples = [
                sample
                for collector in cases.COLLECTORS.values()
                for sample in recordings.samples(guest, collector)
            ]
            sent += self.send(self.samples(*samples))
        self.check_they_come(sent)

    def test_every_metric(self):
        come = self.check_they_come(
            self.send(self.samples(*every_metric.samples()))
        )
        for sample in come:
            self.assertEqual('project-1', sample['project_id'])
            self.assertEqual('user-1', sample['user_id'])
            self.assertEqual(
                {
                    'instance_id': self.uuid,
                    'display_name': 'web',
                    'host': HOST,
                },
                sample['resource_metadata'],
            )

    def test_each_part_has_its_time(self):
        samples = self.samples()
        late = made_samples.part(
            source=sample_set.HYPERVISOR, moment=1767225660.5
        )
        sent = self.send(samples._replace(parts=(*samples.parts, late)))
        come = self.agent.wait_for(self.uuid, len(sent))
        self.assertEqual(
            {
                '2026-01-01T00:00:00.250000+00:00',
                '2026-01-01T00:01:00.500000+00:00',
            },
            {sample['timestamp'] for sample in come},
        )

    def test_many_guests_in_a_message(self):
        batch = [
            made_samples.samples(uuid=each, project=f'project of {each}')
            for each in (self.uuid, str(uuid.uuid4()))
        ]
        publisher(self, self.broker.url, batch_size=10).publish(batch)
        for samples in batch:
            sent = payload.of(samples, HOST)['samples']
            guest = samples.instance_uuid
            come = self.agent.wait_for_resources(guest, len(sent))
            self.assertEqual(
                sorted(map(comparable, sent)), sorted(map(comparable, come))
            )
            for each in come:
                self.assertEqual(f'project of {guest}', each['project_id'])
                self.assertEqual({'host': HOST}, each['resource_metadata'])

    def test_a_guest_of_whom_nova_says_nothing(self):
        samples = self.samples()
        self.check_they_come(
            self.send(samples._replace(project_id='', user_id='', name=''))
        )


class RealGuestTest(fixtures.TestWithFixtures, unittest.TestCase):
    """A real qemu-ga, our agent, RabbitMQ and Ceilometer."""

    def test_its_memory_is_a_sample_of_its_owner(self):
        broker = shared.broker()
        qga = self.useFixture(qemu_ga.QemuGa())
        guest = simulated_host.Simulated('instance-00000001', qga.socket)
        host = self.useFixture(simulated_host.SimulatedHost(guest))
        agent = self.useFixture(ceilometer.NotificationAgent(broker.url))
        self.useFixture(
            agent_program.AgentProgram(host.uri, broker.url, OFTEN)
        )
        come = agent.wait_for(guest.uuid, 40)
        [total, *_] = (
            each for each in come if each['name'] == 'guest.memory.total'
        )
        with open('/proc/meminfo') as file:
            self.assertEqual(
                int(file.readline().split()[1]) * 1024, total['volume']
            )
        self.assertEqual(guest.uuid, total['resource_id'])
        self.assertEqual(guest.owner.project_uuid, total['project_id'])
        self.assertEqual(HOST, total['resource_metadata']['host'])
        self.assertIn(
            f'{guest.uuid}-cpu-user',
            {
                each['resource_id']
                for each in come
                if each['name'] == 'guest.cpu.time'
            },
        )
