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
from hypothesis import given
from hypothesis import strategies

from nova_qga.collectors import base
from nova_qga import errors
from nova_qga.publishers import notification
from nova_qga.publishers import payload
from nova_qga.tests.fixtures import made_samples
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import publisher_context

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

    def test_a_long_name_of_a_device_is_cut_in_the_id_and_stays_itself(self):
        names = [f'{"x" * 255}{last}' for last in 'ab']
        sent = self.payload(
            *(
                base.Sample(made_samples.READ, 1, ('device', name))
                for name in names
            )
        )['samples']
        ids = {each['resource_id'] for each in sent}
        self.assertEqual(2, len(ids))
        for each in ids:
            self.assertTrue(each.startswith(f'{UUID}-xxx'))
            self.assertLessEqual(len(each), 255)
        self.assertEqual(names, [each['labels']['device'] for each in sent])

    def test_no_two_samples_have_one_name_and_resource(self):
        """To Gnocchi they would be one measure, and one would be lost."""
        samples = [
            base.Sample(made_samples.CPU, 1, ('mode', mode))
            for mode in ('user', 'system', 'idle')
        ]
        samples += [
            base.Sample(made_samples.CPU, 1, ('cpu', number, 'mode', 'idle'))
            for number in '01'
        ]
        payload = self.payload(*samples)
        found = [(s['name'], s['resource_id']) for s in payload['samples']]
        self.assertEqual(len(found), len(set(found)))
        self.assertIn(('guest.cpu.time', f'{UUID}-cpu-idle'), found)
        self.assertIn(('guest.cpu.time', f'{UUID}-cpu-1-idle'), found)

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


class BatchPayloadTest(unittest.TestCase):
    def test_each_sample_says_whose_it_is(self):
        told = payload.of_several(
            [
                made_samples.samples(uuid='a', project='p'),
                made_samples.samples(uuid='b', project='q'),
            ],
            'compute-1',
        )
        self.assertEqual({'schema_version', 'host', 'samples'}, told.keys())
        self.assertEqual(
            ['p'] * 3 + ['q'] * 3, [s['tenant_id'] for s in told['samples']]
        )
        alone = payload.of(made_samples.samples(uuid='a'), 'compute-1')
        self.assertEqual(
            {
                **alone['samples'][0],
                'instance_id': 'a',
                'display_name': 'web',
                'tenant_id': 'p',
                'user_id': 'user-1',
            },
            told['samples'][0],
        )


class PiecesTest(unittest.TestCase):
    def cut(self, samples, most):
        return list(notification.pieces(samples, most))

    def test_what_fits_is_one_piece_and_nothing_is_none(self):
        samples = [{'n': 1}, {'n': 2}]
        self.assertEqual([samples], self.cut(samples, 1000))
        self.assertEqual([], self.cut([], 1000))

    def test_what_does_not_fit_is_cut_and_nothing_is_lost(self):
        samples = [{'n': number} for number in range(100)]
        found = self.cut(samples, 200)
        self.assertLess(1, len(found))
        self.assertEqual(samples, [each for piece in found for each in piece])
        for piece in found:
            self.assertLessEqual(notification.size_of(piece), 200)

    def test_one_that_is_too_large_alone_is_a_piece(self):
        samples = [{'n': 'x' * 100}] * 2
        self.assertEqual([samples[:1], samples[1:]], self.cut(samples, 10))

    @given(strategies.dictionaries(strategies.text(), strategies.text()))
    def test_no_message_is_larger_than_was_thought(self, labels):
        samples = [{'labels': labels, 'volume': 1.5}] * 3
        # As oslo.messaging does it.
        sent = json.dumps(json.dumps(samples))
        self.assertLessEqual(len(sent) - 2, notification.size_of(samples))


class NotificationPublisherTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.caught = self.useFixture(notifications.Notifications())

    def publish(self, *batch, **options):
        notification.NotificationPublisher(
            publisher_context.of(
                notification.GROUP, self.caught.notifier, **options
            )
        ).publish(batch)
        return [message for message, _ in self.caught.sent]

    def guests(self, count):
        return [made_samples.samples(uuid=str(n)) for n in range(count)]

    def test_the_samples_of_a_guest_are_one_message(self):
        self.publish(made_samples.samples())
        [(message, priority)] = self.caught.sent
        self.assertEqual('sample', priority.lower())
        self.assertEqual('instance.guest.metrics', message['event_type'])
        self.assertEqual('nova-qga:compute-1', message['publisher_id'])
        self.assertEqual(3, len(message['payload']['samples']))

    def test_a_guest_without_samples_makes_no_message(self):
        nothing = made_samples.samples()._replace(parts=())
        self.assertEqual([], self.publish(nothing))
        self.assertEqual([], self.publish(nothing, batch_size=10))

    def test_the_samples_of_many_guests_may_be_one_message(self):
        [message] = self.publish(*self.guests(10), batch_size=10)
        self.assertEqual('instance.guest.metrics.batch', message['event_type'])
        self.assertEqual(30, len(message['payload']['samples']))

    def test_a_message_that_would_be_too_large_is_sent_as_several(self):
        sent = self.publish(*self.guests(10), batch_size=10, max_bytes=5000)
        self.assertLess(1, len(sent))
        for message in sent:
            self.assertLess(len(json.dumps(json.dumps(message))), 5500)
            self.assertEqual('compute-1', message['payload']['host'])
        self.assertEqual(
            30, sum(len(each['payload']['samples']) for each in sent)
        )

    def test_one_guest_alone_may_be_too_large(self):
        sent = self.publish(made_samples.samples(), max_bytes=500)
        self.assertLess(1, len(sent))
        for message in sent:
            self.assertEqual('web', message['payload']['display_name'])

    def test_where_the_broker_is_away_it_is_said_and_nothing_is_logged(self):
        url = 'rabbit://guest:S3cret@127.0.0.1:1/'
        notifier = self.useFixture(notifications.Sending(url)).notifier
        publisher = notification.NotificationPublisher(
            publisher_context.of(notification.GROUP, notifier)
        )
        with self.assertNoLogs('oslo_messaging.notify', 'WARNING'):
            with self.assertRaisesRegex(
                errors.ServiceUnavailable, 'broker does not take'
            ):
                publisher.publish([made_samples.samples()])
