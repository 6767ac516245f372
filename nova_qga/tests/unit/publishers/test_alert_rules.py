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

"""The alert rules ask for what we serve."""

import pathlib
import unittest

import yaml

from nova_qga.tests.fixtures import doc_pages
from nova_qga.tests.fixtures import promql

FILE = (
    pathlib.Path(__file__).resolve().parents[4]
    / 'etc/prometheus/rules/nova_qga.yaml'
)


class AlertRulesTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        groups = yaml.safe_load(FILE.read_text())['groups']
        self.rules = [rule for group in groups for rule in group['rules']]

    def test_every_name_and_label_is_served(self):
        known = promql.served()
        for rule in self.rules:
            with self.subTest(alert=rule['alert']):
                self.assertEqual([], promql.faults(rule['expr'], known))

    def test_every_alert_says_how_bad_it_is_and_what_to_know(self):
        for rule in self.rules:
            with self.subTest(alert=rule['alert']):
                self.assertIn(
                    rule['labels']['severity'], ('warning', 'critical')
                )
                self.assertLessEqual(
                    {'summary', 'description'}, set(rule['annotations'])
                )

    def test_every_alert_stands_in_the_documentation(self):
        page = doc_pages.rows('admin/prometheus.rst', 'Alerts')
        self.assertEqual(
            {rule['alert']: rule['labels']['severity'] for rule in self.rules},
            {
                name.strip('`'): 'critical'
                if when.startswith('critical: ')
                else 'warning'
                for name, when in page
            },
        )


class FaultsTest(unittest.TestCase):
    """What is wrong in a query is found."""

    def faults(self, query):
        return promql.faults(query, promql.served())

    def test_nothing_is_wrong_in_a_good_one(self):
        for query in (
            'up{job="nova-qga"} == 0',
            'sum by (resource, mode) '
            '(rate(guest_cpu_seconds_total{project=~"$project"}'
            '[$__rate_interval]))',
            'guest_load_1m > on (resource) 2 * guest_load_15m',
        ):
            self.assertEqual([], self.faults(query))

    def test_a_name_that_nobody_serves(self):
        for query in (
            'guest_cpu_seconds',
            'rate(guest_cpu_seconds[5m])',
            'sum(guest_uptime_seconds) - guest_memory_bytes',
            'count(1 + -(guest_no_such_thing))',
        ):
            [fault] = self.faults(query)
            self.assertIn('nobody serves', fault)

    def test_a_label_that_a_metric_has_not(self):
        for query in (
            'guest_load_1m{device="vda"}',
            'sum by (device) (guest_load_1m)',
            'sum without (device) (guest_load_1m)',
            'guest_load_1m / on (resource, mode) guest_load_5m',
        ):
            faults = self.faults(query)
            self.assertTrue(faults, query)
            self.assertIn('guest_load_1m has no label', faults[0])

    def test_a_value_that_is_never_there(self):
        self.assertEqual(
            ['no mode is called sleeping'],
            self.faults('guest_cpu_seconds_total{mode!~"idle|sleeping"}'),
        )

    def test_what_cannot_be_read(self):
        [fault] = self.faults('sum(')
        self.assertIn('cannot be read', fault)
