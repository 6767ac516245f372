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

"""Lists of what a guest has."""

import json
import unittest

from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID


class InventoryTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()

    def rows(self, noun):
        ended = run_cli.run(noun, 'list', UUID, '-f', 'json', api=self.api)
        self.assertEqual(0, ended.code, ended.err)
        return json.loads(ended.out)

    def test_only_what_is_shown_is_asked_for(self):
        for noun, section in (
            ('user', 'users'),
            ('interface', 'interfaces'),
            ('disk', 'disks'),
            ('filesystem', 'filesystems'),
        ):
            with self.subTest(noun=noun):
                self.api.asked.clear()
                self.assertEqual(1, len(self.rows(noun)))
                self.assertEqual(
                    [('get_info', {'sections': [section]})], self.api.asked
                )

    def test_rows_have_what_is_known(self):
        self.assertEqual(
            [
                {
                    'User': 'root',
                    'Domain': None,
                    'Since': '2023-11-14 22:13:20Z',
                }
            ],
            self.rows('user'),
        )
        self.assertEqual(
            [
                {
                    'Name': 'eth0',
                    'MAC Address': '52:54:00:12:34:56',
                    'Addresses': ['10.0.2.15/24'],
                }
            ],
            self.rows('interface'),
        )
        self.assertEqual(
            [
                {
                    'Mount Point': '/',
                    'Type': 'ext4',
                    'Device': 'vda',
                    'Used Bytes': 1536,
                    'Total Bytes': 3 << 30,
                }
            ],
            self.rows('filesystem'),
        )

    def test_ids_of_devices_are_as_lspci_has_them(self):
        self.api.info['devices'] = [
            {'driver_name': 'VirtIO', 'vendor_id': 0x1AF4, 'device_id': 1},
            {'driver_name': 'other', 'driver_version': '1.2'},
        ]
        first, second = self.rows('device')
        self.assertEqual(('1af4', '0001'), tuple(first.values())[2:])
        self.assertEqual(
            {
                'Driver': 'other',
                'Version': '1.2',
                'Vendor ID': None,
                'Device ID': None,
            },
            second,
        )

    def test_what_cannot_be_had_has_failed_and_says_why(self):
        self.api.info['unavailable'] = {'devices': 'the agent is of Linux'}
        ended = run_cli.run('device', 'list', UUID, api=self.api)
        self.assertEqual(1, ended.code)
        self.assertIn('the agent is of Linux', ended.err)
