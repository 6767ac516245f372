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

"""clock, vcpu, memory and filesystem: what is sent, and what is shown."""

import json
import unittest

from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID


class MachineTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()

    def run_it(self, *argv):
        return run_cli.run(*argv, api=self.api)

    def rows(self, *argv):
        return json.loads(self.run_it(*argv, '-f', 'json').out)

    def test_a_clock_is_shown_with_its_difference(self):
        self.api.results['get_time'] = {'seconds': 1e9 + 0.25, 'ahead': -2.5}
        self.assertEqual(
            {
                'uuid': UUID,
                'time': '2001-09-09T01:46:40.250+00:00',
                'ahead': -2.5,
            },
            self.rows('clock', 'show', UUID),
        )

    def test_a_clock_that_is_no_date_is_shown_all_the_same(self):
        self.api.results['get_time'] = {'seconds': 9e15, 'ahead': 9e15}
        shown = self.rows('clock', 'show', UUID)['time']
        self.assertIn('seconds since 1970', shown)

    def test_a_clock_is_set_to_its_hosts_time_or_another(self):
        self.api.results['set_time'] = {'seconds': 1e9, 'ahead': 0.5}
        ended = self.run_it('clock', 'set', UUID)
        self.assertEqual(0, ended.code, ended.err)
        self.assertIn('0.5 s ahead of its host', ended.out)
        self.api.results['set_time'] = {'seconds': 1e9, 'ahead': -0.5}
        ended = self.run_it('clock', 'set', UUID)
        self.assertIn(' 0.5 s behind its host', ended.out)
        self.api.asked.pop()
        self.run_it('clock', 'set', UUID, '--to', '2001-09-09T03:46:40+02:00')
        self.assertEqual(
            [('set_time', {'seconds': None}), ('set_time', {'seconds': 1e9})],
            self.api.asked,
        )
        ended = self.run_it('clock', 'set', UUID, '--to', 'soon')
        self.assertEqual(2, ended.code)

    def test_processors_are_listed(self):
        self.api.results['get_vcpus'] = {
            'vcpus': [{'logical_id': 0, 'online': True, 'can_offline': False}]
        }
        self.assertEqual(
            [{'ID': 0, 'Online': True, 'Can Go Offline': False}],
            self.rows('vcpu', 'list', UUID),
        )

    def test_memory_blocks_are_listed(self):
        self.api.results['get_memory_blocks'] = {
            'block_size': 128,
            'blocks': [{'phys_index': 3, 'online': True, 'can_offline': None}],
        }
        self.assertEqual(
            [
                {
                    'Index': 3,
                    'Bytes': 128,
                    'Online': True,
                    'Can Go Offline': None,
                }
            ],
            self.rows('memory', 'list', UUID),
        )

    def test_they_are_set_by_their_numbers(self):
        for noun, operation in (
            ('vcpu', 'set_vcpus'),
            ('memory', 'set_memory_blocks'),
        ):
            self.api.asked.clear()
            self.api.results[operation] = {'set': 2, 'failed': {}}
            ended = self.run_it(
                *(noun, 'set', UUID, '--online', '3', '--offline', '1')
            )
            self.assertEqual(0, ended.code, ended.err)
            self.assertEqual(
                [(operation, {'online': {'3': True, '1': False}})],
                self.api.asked,
            )

    def test_those_that_could_not_be_set_are_named(self):
        self.api.results['set_vcpus'] = {'set': 1, 'failed': {'7': 'no such'}}
        ended = self.run_it('vcpu', 'set', UUID, '--online', '7')
        self.assertEqual(1, ended.code)
        self.assertIn('1 processor set, but not 7: no such', ended.err)

    def test_numbers_that_make_no_sense_are_refused(self):
        for options in (
            (),
            ('--online', '1', '--offline', '1'),
            ('--online', '-1'),
            ('--online', 'x'),
        ):
            ended = self.run_it('vcpu', 'set', UUID, *options)
            self.assertEqual(2, ended.code)
        self.assertEqual([], self.api.asked)

    def test_what_was_trimmed_is_listed(self):
        self.api.results['trim'] = {
            'trimmed': 4096,
            'filesystems': [{'path': '/', 'trimmed': 4096, 'error': None}],
        }
        [row] = self.rows('filesystem', 'trim', UUID, '--minimum', '5')
        self.assertEqual(('/', 4096), (row['Mount Point'], row['Trimmed']))
        self.assertEqual([('trim', {'minimum': 5})], self.api.asked)
