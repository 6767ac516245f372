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

"""guest list, guest show, guest ping: what each format shows."""

import csv
import json
import subprocess
import unittest

import yaml

from nova_qga.cli import details
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID


class ListTest(unittest.TestCase):
    def test_json_has_a_row_a_guest(self):
        ended = run_cli.run('guest', 'list', '-f', 'json')
        first, second = json.loads(ended.out)
        self.assertEqual(
            {
                'UUID': UUID,
                'Name': 'web',
                'State': 'running',
                'Host': fake_api.HOST,
                'Project': 'p1',
                'Channel': 'direct,standard',
                'Agent': '10.0.3',
            },
            first,
        )
        self.assertIsNone(second['Agent'])
        self.assertIsNone(second['Channel'])

    def test_csv_leaves_empty_what_is_not_known(self):
        ended = run_cli.run('guest', 'list', '-f', 'csv')
        _, _, off = csv.reader(ended.out.splitlines())
        self.assertEqual(['shutoff', fake_api.HOST, 'p1', '', ''], off[2:])

    def test_value_has_as_many_words_in_each_line(self):
        ended = run_cli.run('guest', 'list', '-f', 'value')
        for line in ended.out.splitlines():
            self.assertEqual(7, len(line.split(' ')))

    def test_a_guest_whose_channels_are_closed_says_so(self):
        api = fake_api.FakeApi()
        for channel in api.guests[0]['channels']:
            channel['open'] = False
        ended = run_cli.run(
            'guest', 'list', '-f', 'value', '-c', 'Channel', api=api
        )
        self.assertEqual('closed\n-\n', ended.out)

    def test_a_host_without_guests_is_no_failure(self):
        api = fake_api.FakeApi()
        api.guests = []
        ended = run_cli.run('guest', 'list', '-f', 'json', api=api)
        self.assertEqual((0, '[]\n'), ended[:2])


class ShowTest(unittest.TestCase):
    def show(self, formatter, api=None):
        ended = run_cli.run('guest', 'show', UUID, '-f', formatter, api=api)
        self.assertEqual((0, ''), (ended.code, ended.err))
        return ended.out

    def test_json_and_yaml_keep_types(self):
        for formatter, load in (
            ('json', json.loads),
            ('yaml', yaml.safe_load),
        ):
            with self.subTest(formatter=formatter):
                shown = load(self.show(formatter))
                self.assertEqual('p1', shown['project_id'])
                self.assertEqual('Debian 13', shown['os_pretty_name'])
                self.assertEqual(3600, shown['utc_offset'])
                self.assertIs(False, shown['disks'][0]['partition'])
                self.assertEqual(
                    3 << 30, shown['filesystems'][0]['total_bytes']
                )
                self.assertEqual(['guest-info'], shown['commands_enabled'])

    def test_a_table_is_for_a_person(self):
        shown = self.show('table')
        self.assertIn('| eth0 52:54:00:12:34:56 10.0.2.15/24', shown)
        self.assertIn('| / ext4 on vda, 1.5 KiB of 3.0 GiB used', shown)
        self.assertIn('| root since 2023-11-14 22:13:20Z', shown)

    def test_what_the_agent_cannot_tell_is_said_with_the_reason(self):
        api = fake_api.FakeApi()
        del api.info['filesystems']
        api.info['unavailable'] = {'filesystems': 'it is blocked'}
        self.assertIn('filesystems: it is blocked', self.show('table', api))
        self.assertEqual(
            {'filesystems': 'it is blocked'},
            json.loads(self.show('json', api))['unavailable'],
        )

    def test_an_absurd_login_time_costs_nothing_else(self):
        for time in (1e300, -1e300, 'yesterday', None):
            with self.subTest(time=time):
                api = fake_api.FakeApi()
                api.info['users'] = [{'user': 'root', 'login_time': time}]
                self.assertIn('| root ', self.show('table', api))

    def test_a_shell_that_evaluates_it_runs_nothing_of_the_guests(self):
        hostile = '"; echo run; $(echo run) `echo run` \\$(echo run) $HOME \''
        api = fake_api.FakeApi()
        api.info['host_name'] = hostile
        script = self.show('shell', api) + 'printf %s "$host_name"'
        done = subprocess.run(
            ['sh', '-c', script], capture_output=True, text=True
        )
        self.assertEqual('', done.stderr)
        self.assertEqual(hostile, done.stdout)

    def test_a_guest_that_has_just_left_the_list_is_still_shown(self):
        api = fake_api.FakeApi()
        api.guests = []
        shown = json.loads(self.show('json', api))
        self.assertEqual(UUID, shown['uuid'])
        self.assertIsNone(shown['name'])


class PingTest(unittest.TestCase):
    def test_it_says_which_channel_answered_and_how_soon(self):
        ended = run_cli.run('guest', 'ping', UUID, '-f', 'json')
        self.assertEqual(
            {'uuid': UUID, 'channel': 'direct', 'seconds': 0.001235},
            json.loads(ended.out),
        )


class SizeTest(unittest.TestCase):
    def test_sizes_are_for_a_person(self):
        for count, shown in (
            (0, '0 B'),
            (1023, '1023 B'),
            (1024, '1.0 KiB'),
            (1 << 40, '1.0 TiB'),
            ((1 << 64) - 1, '16384.0 PiB'),
        ):
            with self.subTest(count=count):
                self.assertEqual(shown, details.size(count))
