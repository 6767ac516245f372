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

"""metrics show: numbers stay numbers."""

import csv
import json
import unittest

from nova_qga.cli import cells
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli


class ShowTest(unittest.TestCase):
    def show(self, formatter):
        return run_cli.run('metrics', 'show', fake_api.UUID, '-f', formatter)

    def test_json_keeps_numbers_and_labels(self):
        cpu, memory = json.loads(self.show('json').out)
        self.assertEqual({'cpu': '0', 'mode': 'user'}, cpu['Labels'])
        self.assertEqual(12.5, cpu['Value'])
        self.assertEqual('guest', cpu['Source'])
        self.assertIs(int, type(memory['Value']))

    def test_labels_are_one_word_elsewhere(self):
        rows = list(csv.DictReader(self.show('csv').out.splitlines()))
        self.assertEqual('cpu=0,mode=user', rows[0]['Labels'])
        self.assertEqual('201326592', rows[1]['Value'])
        first, second = self.show('value').out.splitlines()
        self.assertIn(' cpu=0,mode=user 12.5 s ', first)
        self.assertIn(' - 201326592 B ', second)

    def test_no_spreadsheet_takes_a_guests_text_for_a_formula(self):
        for text in ('=1+1', '+1', '-1', '@SUM(A1)'):
            with self.subTest(text=text):
                self.assertEqual(f"'{text}", cells.cell(text, 'csv'))
                self.assertEqual(text, cells.cell(text, 'value'))
        self.assertEqual(-1.5, cells.cell(-1.5, 'csv'))

    def test_a_table_has_the_time_to_the_second(self):
        self.assertIn('| 2026-03-01 12:00:00Z |', self.show('table').out)

    def test_what_could_not_be_measured_is_said_beside_it(self):
        ended = self.show('json')
        self.assertEqual(
            'The guest itself tells nothing of disks: the agent lacks '
            'guest-get-diskstats\n',
            ended.err,
        )
        self.assertEqual(0, ended.code)
