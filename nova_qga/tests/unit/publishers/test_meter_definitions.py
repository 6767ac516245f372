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

"""What we send fits the definition by which Ceilometer takes it.

Read as Ceilometer reads it: a sample that lacks a field which is looked up
would make it drop the whole notification.
"""

import pathlib
import re
import unittest

import yaml

from nova_qga.collectors import base
from nova_qga.publishers import notification
from nova_qga.publishers import payload
from nova_qga.tests.fixtures import every_metric
from nova_qga.tests.fixtures import made_samples
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases

FILE = (
    pathlib.Path(__file__).resolve().parents[4]
    / 'etc/ceilometer/meters.d/nova_qga.yaml'
)
#: ceilometer/sample.py, TYPES
TYPES = {'gauge', 'delta', 'cumulative'}


def find(path, payload):
    """The values at the few JSON paths that the file uses."""
    path = path.removeprefix('$.payload.')
    name, several, field = path.partition('[*].')
    if several:
        name = name.removesuffix('.')
        return [each[field] for each in payload[name] if field in each]
    return [payload[name]]


def definitions():
    found = yaml.safe_load(FILE.read_text())['metric']
    # Ceilometer takes what has one name for one, and skips the others.
    names = {each['name'] for each in found}
    assert len(names) == len(found) == 2, names
    return found


class MeterDefinitionTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.metric = definitions()[0]
        metrics = every_metric.metrics()
        self.names = [each.name for each in metrics]
        self.payload = payload.of(
            made_samples.samples(
                *(base.Sample(each, 0) for each in metrics),
                *(base.Sample(each, 1, ('device', 'a')) for each in metrics),
            ),
            'compute-1',
        )

    def test_it_is_for_our_event_and_for_no_other(self):
        pattern = re.compile(self.metric['event_type'])
        self.assertTrue(pattern.match(notification.EVENT))
        for other in (
            'instance.guest.set_password.end',
            notification.BATCH_EVENT,
            f'{notification.EVENT}.more',
            f'compute.{notification.EVENT}',
        ):
            self.assertFalse(pattern.match(other), other)

    def test_every_metric_has_every_field_that_is_looked_up(self):
        self.assertTrue(self.names)
        for field in self.metric['lookup']:
            values = find(self.metric[field], self.payload)
            self.assertEqual(2 * len(self.names), len(values), field)
            self.assertNotIn(None, values, field)

    def test_every_field_of_many_values_is_looked_up(self):
        several = {
            name
            for name, path in self.metric.items()
            if isinstance(path, str) and '[*]' in path
        }
        self.assertEqual(set(self.metric['lookup']), several)

    def test_each_sample_names_itself(self):
        names = find(self.metric['name'], self.payload)
        self.assertEqual(self.names * 2, names)

    def test_every_type_is_one_that_ceilometer_knows(self):
        types = set(find(self.metric['type'], self.payload))
        self.assertEqual(set(), types - TYPES)

    def test_it_says_whose_guest_was_measured(self):
        for field, value in (
            ('project_id', 'project-1'),
            ('user_id', 'user-1'),
        ):
            self.assertEqual([value], find(self.metric[field], self.payload))
        self.assertEqual(
            {
                'instance_id': [made_samples.UUID],
                'display_name': ['web'],
                'host': ['compute-1'],
            },
            {
                name: find(path, self.payload)
                for name, path in self.metric['metadata'].items()
            },
        )

    def test_no_two_samples_of_a_guest_are_one_measure(self):
        for guest in recordings.GUESTS:
            samples = [
                sample
                for collector in cases.COLLECTORS.values()
                for sample in recordings.samples(guest, collector)
            ]
            sent = payload.of(made_samples.samples(*samples), 'compute-1')
            with self.subTest(guest=guest):
                self.assertEqual(
                    len(samples),
                    len(
                        {
                            (each['name'], each['resource_id'])
                            for each in sent['samples']
                        }
                    ),
                )


class BatchDefinitionTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.metric = definitions()[1]
        self.payload = payload.of_several(
            [
                made_samples.samples(uuid='a', project='p'),
                made_samples.samples(uuid='b', project=''),
            ],
            'compute-1',
        )

    def test_it_is_for_batches_and_for_nothing_else(self):
        pattern = re.compile(self.metric['event_type'])
        self.assertTrue(pattern.match(notification.BATCH_EVENT))
        self.assertFalse(pattern.match(notification.EVENT))

    def test_every_sample_has_every_field_that_is_looked_up(self):
        for field in self.metric['lookup']:
            values = find(self.metric[field], self.payload)
            self.assertEqual(6, len(values), field)
            self.assertNotIn(None, values, field)
        projects = find(self.metric['project_id'], self.payload)
        self.assertEqual(['p'] * 3 + [''] * 3, projects)

    def test_it_has_metadata_for_else_each_sample_got_the_whole_message(self):
        [(name, path)] = self.metric['metadata'].items()
        self.assertEqual('host', name)
        self.assertEqual(['compute-1'], find(path, self.payload))
