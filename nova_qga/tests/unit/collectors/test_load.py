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

"""Load averages, by either way of asking for them."""

from nova_qga.collectors import load
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases


class LoadTest(cases.CollectorTestCase):
    collector = load.LoadCollector()
    command = 'guest-get-load'
    path = '/proc/loadavg'

    def test_the_command_is_asked_where_the_agent_has_it(self):
        self.assertEqual(
            [
                ['/proc/loadavg'],
                ['/proc/loadavg'],
                ['guest-get-load', '/proc/loadavg'],
            ],
            [self.asked(recordings.enabled(g)) for g in recordings.GUESTS],
        )

    def test_the_command_alone_is_asked_where_files_are_blocked(self):
        self.assertEqual([self.command], self.asked({self.command: True}))

    def test_the_command_tells_the_averages_and_the_file_the_tasks(self):
        self.assertEqual(
            {
                ('guest.load.1m',): 0.03271484375,
                ('guest.load.5m',): 0.01171875,
                ('guest.load.15m',): 0.00048828125,
                ('guest.tasks.running',): 1,
                ('guest.tasks.total',): 70,
            },
            self.recorded('debian-13'),
        )

    def test_the_file_tells_the_tasks_too(self):
        self.assertEqual(
            {
                ('guest.load.1m',): 0.03,
                ('guest.load.5m',): 0.01,
                ('guest.load.15m',): 0.0,
                ('guest.tasks.running',): 2,
                ('guest.tasks.total',): 60,
            },
            self.recorded('debian-12'),
        )

    def test_a_file_that_is_none_is_refused(self):
        for content in (
            b'',
            b'0.03 0.01 0.00 1/56',  # cut short: 56 may have been 560
            b'0.03 0.01 0.00 1 56 176\n',
            b'0.03 0.01 1/56 176\n',
            b'-0.03 0.01 0.00 1/56 176\n',
            b'nan 0.01 0.00 1/56 176\n',
            b'inf 0.01 0.00 1/56 176\n',
            b'1e9 0.01 0.00 1/56 176\n',
            b'0.03 0.01 0.00 -1/56 176\n',
            b'9' * 400 + b'.00 0.01 0.00 1/56 176\n',
            b'\n0.03 0.01 0.00 1/56 176\n',
        ):
            with self.subTest(content=content[:40]):
                self.assert_file_refused(content)
