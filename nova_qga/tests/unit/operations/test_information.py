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

"""What a guest tells of itself, whatever part of it fails."""

import json
import unittest

from nova_qga import errors
from nova_qga.operations import information
from nova_qga.tests.fixtures import scripted_guest

REPLIES = {
    'guest-get-osinfo': {'id': 'debian', 'pretty-name': 'Debian \x1b[2J'},
    'guest-get-host-name': {'host-name': 'vm'},
    'guest-get-timezone': {'offset': 3600, 'zone': 'CET'},
    'guest-get-users': [{'user': 'bob', 'login-time': 1.5}],
    'guest-network-get-interfaces': [
        {'name': 'lo'},
        {
            'name': 'eth0',
            'hardware-address': '52:54:00:12:34:56',
            'ip-addresses': [
                {
                    'ip-address': '10.0.2.15',
                    'ip-address-type': 'ipv4',
                    'prefix': 24,
                }
            ],
        },
    ],
    'guest-get-disks': [{'name': '/dev/vda', 'partition': False}],
    'guest-get-fsinfo': [
        {
            'name': 'vda',
            'mountpoint': '/',
            'type': 'ext4',
            'used-bytes': 1,
            'total-bytes': 2,
            'disk': [],
        }
    ],
}
SECTIONS = {
    'os': {'id': 'debian', 'pretty_name': 'Debian \\x1b[2J'},
    'host_name': 'vm',
    'time_zone': {'offset': 3600, 'zone': 'CET'},
    'users': [{'user': 'bob', 'login_time': 1.5}],
    'interfaces': [
        {'name': 'lo', 'addresses': []},
        {
            'name': 'eth0',
            'hardware_address': '52:54:00:12:34:56',
            'addresses': [
                {'address': '10.0.2.15', 'family': 'ipv4', 'prefix': 24}
            ],
        },
    ],
    'disks': [{'name': '/dev/vda', 'partition': False}],
    'filesystems': [
        {
            'name': 'vda',
            'mountpoint': '/',
            'type': 'ext4',
            'used_bytes': 1,
            'total_bytes': 2,
        }
    ],
}


class GetInfoTest(unittest.TestCase):
    def test_all_that_is_known_is_told_in_plain_values(self):
        guest = scripted_guest.ScriptedGuest(REPLIES, blocked=['guest-exec'])
        info = information.get_info(guest)
        expected = {
            'agent_version': '7.2.22',
            'commands': {
                'enabled': sorted(REPLIES),
                'blocked': ['guest-exec'],
            },
            **SECTIONS,
            'unavailable': {},
        }
        self.assertEqual(expected, info)
        self.assertEqual(info, json.loads(json.dumps(info)))

    def test_a_section_that_is_not_asked_for_is_not_told(self):
        guest = scripted_guest.ScriptedGuest(REPLIES)
        info = information.get_info(guest, sections=['users'])
        self.assertEqual(
            {'agent_version', 'commands', 'users', 'unavailable'}, {*info}
        )
        self.assertEqual(['guest-get-users'], guest.names)

    def test_devices_are_told_where_the_system_has_them(self):
        name = 'guest-get-devices'
        reply = [
            {
                'driver-name': 'Red Hat VirtIO SCSI',
                'driver-version': '100.85',
                'driver-date': 1_600_000_000_123_456_789,
                'id': {'type': 'pci', 'vendor-id': 6900, 'device-id': 4097},
            },
            {'driver-name': 'Unknown\x1b', 'id': {'type': 'isa'}},
        ]
        guest = scripted_guest.ScriptedGuest({**REPLIES, name: reply})
        self.assertEqual(
            [
                {
                    'driver_name': 'Red Hat VirtIO SCSI',
                    'driver_version': '100.85',
                    'driver_date': 1_600_000_000,
                    'vendor_id': 6900,
                    'device_id': 4097,
                },
                {'driver_name': 'Unknown\\x1b'},
            ],
            information.get_info(guest)['devices'],
        )
        for blocked in ([], [name]):
            guest = scripted_guest.ScriptedGuest(REPLIES, blocked=blocked)
            info = information.get_info(guest)
            self.assertEqual({}, info['unavailable'])
            info = information.get_info(guest, sections=['devices'])
            self.assertIn(name, info['unavailable']['devices'])

    def test_devices_that_are_none_are_not_told(self):
        for reply in (
            {},
            [{}],
            [{'driver-name': 1}],
            [{'driver-name': 'a', 'driver-date': -1}],
            [{'driver-name': 'a', 'id': 'pci'}],
            [{'driver-name': 'a', 'id': {'type': 'pci', 'vendor-id': 1}}],
        ):
            with self.subTest(reply=reply):
                guest = scripted_guest.ScriptedGuest(
                    {'guest-get-devices': reply}
                )
                info = information.get_info(guest, sections=['devices'])
                self.assertIn('devices', info['unavailable'])

    def test_a_section_that_fails_costs_only_itself(self):
        for failure in (
            scripted_guest.refusal('no'),
            errors.ChannelTimeout('no answer'),
            errors.GuestUnavailable('backoff', 'left alone'),
            errors.MessageTooLarge(2, 1),
            {'not': 'its form'},
            True,
        ):
            for name, section in zip(REPLIES, SECTIONS, strict=True):
                if failure == {'not': 'its form'} and section == 'os':
                    continue  # where every member is optional
                with self.subTest(failure=failure, section=section):
                    guest = scripted_guest.ScriptedGuest(
                        {**REPLIES, name: failure}
                    )
                    info = information.get_info(guest)
                    self.assertEqual({section}, set(info['unavailable']))
                    self.assertNotIn(section, info)
                    self.assertEqual(
                        {**SECTIONS, section: None},
                        {each: info.get(each) for each in SECTIONS},
                    )

    def test_a_blocked_section_says_what_to_do_and_is_not_asked_for(self):
        guest = scripted_guest.ScriptedGuest(
            REPLIES, blocked=['guest-get-users']
        )
        info = information.get_info(guest)
        self.assertIn('/etc/sysconfig/qemu-ga', info['unavailable']['users'])
        self.assertNotIn('guest-get-users', guest.names)

    def test_an_agent_that_knows_nothing_is_told_of(self):
        info = information.get_info(scripted_guest.ScriptedGuest())
        self.assertEqual(set(SECTIONS), set(info['unavailable']))

    def test_a_guest_that_is_gone_is_no_half_answer(self):
        guest = scripted_guest.ScriptedGuest(
            {**REPLIES, 'guest-get-users': errors.ChannelClosed('gone')}
        )
        with self.assertRaises(errors.ChannelClosed):
            information.get_info(guest)


class PingTest(unittest.TestCase):
    def test_it_runs_no_command(self):
        guest = scripted_guest.ScriptedGuest()
        self.assertEqual({'seconds': 0.25}, information.ping(guest))
        self.assertEqual([], guest.executed)
