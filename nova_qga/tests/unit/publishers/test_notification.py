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

"""Tests of samples as notifications."""

import json
import unittest

import fixtures

from nova_qga.collectors import base
from nova_qga.publishers import base as publishers_base
from nova_qga.publishers import notification
from nova_qga.publishers import payload
from nova_qga.tests.fixtures import made_samples
from nova_qga.tests.fixtures import notifications

UUID = made_samples.UUID


class PayloadTest(unittest.TestCase):
    def payload(self, *samples):
        return payload.of(made_samples.samples(*samples), 'compute-1')

    def test_it_says_whose_guest_was_measured_and_where(self):
        payload = self.payload()
        del payload['samples']
        self.assertEqual(
            {
                'schema_version': '1.0',
                'instance_id': UUID,
                'display_name': 'web',
                'tenant_id': 'project-1',
                'user_id': 'user-1',
                'host': 'compute-1',
            },
            payload,
        )

    def test_every_sample_has_every_field_that_ceilometer_looks_up(self):
        for sample in self.payload()['samples']:
            self.assertEqual(
                {
                    'name',
                    'type',
                    'unit',
                    'volume',
                    'resource_id',
                    'timestamp',
                    'source',
                    'labels',
                },
                set(sample),
            )

    def test_a_sample_of_the_whole_guest_has_the_guest_as_its_resource(self):
        [sample] = self.payload(base.Sample(made_samples.MEMORY, 7))['samples']
        self.assertEqual(
            {
                'name': 'guest.memory.total',
                'type': 'gauge',
                'unit': 'B',
                'volume': 7,
                'resource_id': UUID,
                'timestamp': '2026-01-01T00:00:00.250+00:00',
                'source': 'guest',
                'labels': {},
            },
            sample,
        )

    def test_a_device_is_a_resource_of_its_own(self):
        [sample] = self.payload(
            base.Sample(made_samples.READ, 1, ('device', 'vda'))
        )['samples']
        self.assertEqual(f'{UUID}-vda', sample['resource_id'])
        self.assertEqual({'device': 'vda'}, sample['labels'])

    def test_no_two_samples_have_one_name_and_resource(self):
        """To Gnocchi they would be one measure, and one would be lost."""
        samples = [
            base.Sample(made_samples.CPU, 1, ('mode', mode))
            for mode in ('user', 'system', 'idle')
        ]
        payload = self.payload(*samples)
        found = [(s['name'], s['resource_id']) for s in payload['samples']]
        self.assertEqual(len(found), len(set(found)))
        self.assertIn(('guest.cpu.time', f'{UUID}-cpu-idle'), found)

    def test_each_part_has_its_own_source_and_time(self):
        stands_in = made_samples.part(
            base.Sample(made_samples.MEMORY, 7),
            source='hypervisor',
            moment=1767225590.0,
        )
        both = made_samples.samples()
        both = both._replace(parts=(*both.parts, stands_in))
        samples = payload.of(both, 'compute-1')['samples']
        self.assertEqual(
            [
                ('guest', '2026-01-01T00:00:00.250+00:00'),
                ('hypervisor', '2025-12-31T23:59:50.000+00:00'),
            ],
            [(s['source'], s['timestamp']) for s in samples[2:]],
        )

    def test_it_is_plain_json(self):
        payload = self.payload()
        self.assertEqual(payload, json.loads(json.dumps(payload)))


class NotificationPublisherTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.caught = self.useFixture(notifications.Notifications())
        self.publisher = notification.NotificationPublisher(
            publishers_base.Context('compute-1', self.caught.notifier)
        )

    def test_the_samples_of_a_guest_are_one_message(self):
        self.publisher.publish([made_samples.samples()])
        [(message, priority)] = self.caught.sent
        self.assertEqual('sample', priority.lower())
        self.assertEqual('instance.guest.metrics', message['event_type'])
        self.assertEqual('nova-qga:compute-1', message['publisher_id'])
        self.assertEqual(3, len(message['payload']['samples']))

    def test_a_guest_without_samples_makes_no_message(self):
        nothing = made_samples.samples()._replace(parts=())
        self.publisher.publish([nothing])
        self.assertEqual([], self.caught.sent)
