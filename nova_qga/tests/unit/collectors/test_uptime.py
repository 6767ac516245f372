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

"""Uptime and boot id."""

from nova_qga.collectors import uptime
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases

BOOT_ID = b'0411f9f7-7a71-4179-8fc2-c4c40ebbdd83'


class UptimeTest(cases.CollectorTestCase):
    collector = uptime.UptimeCollector()
    path = '/proc/uptime'

    def test_both_are_told(self):
        self.assertEqual(
            {
                ('guest.uptime',): 57.28,
                ('guest.boot.info', BOOT_ID.decode()): 1,
            },
            self.recorded('debian-13'),
        )

    def test_the_label_is_named_boot_id(self):
        _, boot = recordings.samples('debian-13', self.collector)
        self.assertEqual(('boot_id', BOOT_ID.decode()), boot.labels)

    def test_only_the_boot_id_need_not_be_read_again(self):
        self.assertEqual(
            {
                '/proc/uptime': False,
                '/proc/sys/kernel/random/boot_id': True,
            },
            {
                source.question.path: source.question.once
                for source in self.collector.select(cases.FILES)
            },
        )

    def test_nothing_is_asked_where_files_are_blocked(self):
        self.assertEqual([], self.asked({}))

    def test_an_uptime_that_is_none_is_refused(self):
        for content in (
            b'',
            b'57.28',
            b'57.2 100.31\n',
            b'57 100.31\n',
            b'-57.28 100.31\n',
            b'nan 100.31\n',
            b'1e300 100.31\n',
            b'9' * 400 + b'.28 100.31\n',
        ):
            with self.subTest(content=content[:20]):
                self.assert_file_refused(content)

    def test_a_boot_id_that_is_no_uuid_is_refused(self):
        path = '/proc/sys/kernel/random/boot_id'
        self.assertEqual(1, len(self.of_file(BOOT_ID + b'\n', path)))
        for content in (
            b'',
            b'\n',
            BOOT_ID,
            BOOT_ID[:-1] + b'\n',
            BOOT_ID + b'\n\n',
            BOOT_ID + b'",evil="1\n',
            BOOT_ID.replace(b'-', b'') + b'\n',
            BOOT_ID.replace(b'f', b'g') + b'\n',
            BOOT_ID.replace(b'0411f', b'0411F') + b'\n',
            b'\x1b[2J' + BOOT_ID + b'\n',
        ):
            with self.subTest(content=content):
                self.assert_file_refused(content, path)
