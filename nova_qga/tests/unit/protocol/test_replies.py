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

"""What guest commands answer: real replies are read, lies are refused."""

import base64
import json
from typing import Any
import unittest

import hypothesis
from hypothesis import strategies

from nova_qga import errors
from nova_qga.protocol import replies
from nova_qga.protocol import statistics

READERS = (
    replies.read_nothing,
    replies.read_info,
    replies.read_osinfo,
    replies.read_host_name,
    replies.read_timezone,
    replies.read_users,
    replies.read_interfaces,
    replies.read_disks,
    replies.read_handle,
    replies.read_position,
    lambda reply: replies.read_chunk(reply, 100),
    replies.read_written,
    replies.read_keys,
    replies.read_freeze_status,
    statistics.read_interface_counters,
    statistics.read_filesystems,
    statistics.read_cpustats,
    statistics.read_diskstats,
    statistics.read_load,
)
TYPES: tuple[Any, ...] = (
    None,
    True,
    5,
    5.0,
    'x',
    [],
    ['x'],
    {},
    {'x': 'x'},
    [[]],
    [None],
)


class _Assertions(unittest.TestCase):
    def assert_refused(self, read, *args):
        with self.assertRaises(errors.InvalidReply) as caught:
            read(*args)
        return caught.exception


class InfoTest(_Assertions):
    def info(self, *listed, **fields):
        return {'version': '7.2.22', 'supported_commands': [*listed], **fields}

    def entry(self, name, enabled=True):
        return {'name': name, 'enabled': enabled, 'success-response': True}

    def test_commands_are_listed_with_whether_they_are_enabled(self):
        read = replies.read_info(
            self.info(self.entry('guest-ping'), self.entry('guest-x', False))
        )
        self.assertEqual('7.2.22', read.version)
        self.assertEqual({'guest-ping': True, 'guest-x': False}, read.commands)

    def test_names_that_are_no_command_names_are_left_out(self):
        for name in (
            '',
            'guest ping',
            'guest-ping\n',
            'guest-\x1b[2J',
            'Guest-Ping',
            '../../etc/shadow',
            'guest-pıng',
            'x' * 65,
            5,
            None,
            ['guest-ping'],
        ):
            with self.subTest(name=name):
                read = replies.read_info(self.info(self.entry(name)))
                self.assertEqual({}, read.commands)
        read = replies.read_info(self.info(self.entry('x' * 64)))
        self.assertEqual(['x' * 64], list(read.commands))

    def test_512_commands_are_read_and_10000_are_not(self):
        for count, whole in ((512, True), (513, False), (10_000, False)):
            listed = [self.entry(f'guest-{n}') for n in range(count)]
            with self.subTest(count=count):
                if whole:
                    read = replies.read_info(self.info(*listed))
                    self.assertEqual(count, len(read.commands))
                else:
                    self.assert_refused(replies.read_info, self.info(*listed))

    def test_enabled_is_a_boolean(self):
        for enabled in (1, 0, 'true', None):
            with self.subTest(enabled=enabled):
                self.assert_refused(
                    replies.read_info, self.info(self.entry('x', enabled))
                )
        self.assert_refused(replies.read_info, self.info({'name': 'guest-x'}))

    def test_a_version_is_any_text_that_can_be_shown(self):
        for version in ('999.0', 'vıı', '', '\x1b[2J' + 'x' * 100_000):
            with self.subTest(version=version[:10]):
                read = replies.read_info(self.info(version=version))
                self.assertTrue(read.version.isprintable())
                self.assertLess(len(read.version), 300)
        for version in (None, 7, 7.2, ['7']):
            with self.subTest(version=version):
                self.assert_refused(
                    replies.read_info, self.info(version=version)
                )

    def test_the_list_must_be_there(self):
        self.assert_refused(replies.read_info, {'version': '7.2.22'})
        self.assert_refused(replies.read_info, {})


class SystemTest(_Assertions):
    def test_what_a_debian_guest_says_is_read(self):
        read = replies.read_osinfo(
            {
                'name': 'Debian GNU/Linux',
                'kernel-release': '6.1.0-35-cloud-amd64',
                'version': '12 (bookworm)',
                'pretty-name': 'Debian GNU/Linux 12 (bookworm)',
                'version-id': '12',
                'kernel-version': '#1 SMP Debian 6.1.137-1',
                'machine': 'x86_64',
                'id': 'debian',
            }
        )
        self.assertEqual(
            ('debian', '12', '6.1.0-35-cloud-amd64', 'x86_64'),
            (read.id, read.version_id, read.kernel_release, read.machine),
        )
        self.assertEqual('Debian GNU/Linux 12 (bookworm)', read.pretty_name)

    def test_all_of_it_may_be_missing_and_none_may_be_wrong(self):
        self.assertEqual({None}, set(replies.read_osinfo({})))
        for value in (5, None, ['debian'], True):
            with self.subTest(value=value):
                self.assert_refused(replies.read_osinfo, {'id': value})

    def test_a_host_name_is_text_and_no_path(self):
        self.assertEqual('vm-1', replies.read_host_name({'host-name': 'vm-1'}))
        self.assertEqual(
            '../../../tmp/x\\x00',
            replies.read_host_name({'host-name': '../../../tmp/x\0'}),
        )
        self.assert_refused(replies.read_host_name, {'host-name': 5})
        self.assert_refused(replies.read_host_name, {'hostname': 'vm-1'})

    def test_a_time_zone_is_within_a_day_of_utc(self):
        self.assertEqual(
            (7200, 'CEST'),
            replies.read_timezone({'offset': 7200, 'zone': 'CEST'}),
        )
        self.assertEqual(
            (-43200, None), replies.read_timezone({'offset': -43200})
        )
        for offset in (86401, -86401, 1 << 63, True, 7200.0, '7200', None):
            with self.subTest(offset=offset):
                self.assert_refused(replies.read_timezone, {'offset': offset})

    def test_users_have_a_name_and_a_time(self):
        self.assertEqual(
            (('root', 1700000000.5, None), ('Bob', 5.0, 'WIN-1')),
            replies.read_users(
                [
                    {'user': 'root', 'login-time': 1700000000.5},
                    {'user': 'Bob', 'login-time': 5, 'domain': 'WIN-1'},
                ]
            ),
        )
        for entry in (
            {'user': 'root'},
            {'user': 'root', 'login-time': None},
            {'user': 'root', 'login-time': '5'},
            {'user': 'root', 'login-time': True},
            {'login-time': 5.0},
        ):
            with self.subTest(entry=entry):
                self.assert_refused(replies.read_users, [entry])


class InterfaceTest(_Assertions):
    ETH0 = {
        'name': 'eth0',
        'hardware-address': 'fa:16:3e:5a:01:02',
        'ip-addresses': [
            {
                'ip-address': '10.0.0.5',
                'ip-address-type': 'ipv4',
                'prefix': 24,
            },
            {
                'ip-address': 'fe80::1',
                'ip-address-type': 'ipv6',
                'prefix': 64,
            },
        ],
    }

    def test_an_interface_has_a_name_and_any_number_of_addresses(self):
        [read] = replies.read_interfaces([self.ETH0])
        self.assertEqual(('eth0', 'fa:16:3e:5a:01:02'), read[:2])
        self.assertEqual(
            (('10.0.0.5', 'ipv4', 24), ('fe80::1', 'ipv6', 64)),
            read.addresses,
        )
        [read] = replies.read_interfaces([{'name': 'sit0'}])
        self.assertEqual(('sit0', None, ()), read)

    def test_a_prefix_is_from_0_to_128(self):
        for prefix in (-1, 129, 24.0, '24', True, None):
            address = {**self.ETH0['ip-addresses'][0], 'prefix': prefix}
            with self.subTest(prefix=prefix):
                self.assert_refused(
                    replies.read_interfaces,
                    [{'name': 'eth0', 'ip-addresses': [address]}],
                )

    def test_4097_interfaces_are_refused(self):
        self.assert_refused(replies.read_interfaces, [self.ETH0] * 4097)
        self.assertEqual(
            4096, len(replies.read_interfaces([self.ETH0] * 4096))
        )

    def test_addresses_are_a_list_of_objects(self):
        for addresses in (None, {}, 'x', ['10.0.0.5'], [None]):
            with self.subTest(addresses=addresses):
                self.assert_refused(
                    replies.read_interfaces,
                    [{'name': 'eth0', 'ip-addresses': addresses}],
                )


class DiskTest(_Assertions):
    def test_a_disk_has_a_name_and_may_be_a_partition(self):
        self.assertEqual(
            (('/dev/vda', False, None), ('/dev/dm-0', False, 'root')),
            replies.read_disks(
                [
                    {'name': '/dev/vda', 'partition': False},
                    {
                        'name': '/dev/dm-0',
                        'partition': False,
                        'alias': 'root',
                        'dependencies': ['/dev/vda1'],
                    },
                ]
            ),
        )
        for entry in (
            {'name': '/dev/vda'},
            {'name': '/dev/vda', 'partition': 0},
            {'name': 5, 'partition': False},
            {'partition': False},
        ):
            with self.subTest(entry=entry):
                self.assert_refused(replies.read_disks, [entry])


class FileTest(_Assertions):
    def chunk(self, data, **changed):
        text = base64.b64encode(data).decode()
        fields = {'count': len(data), 'buf-b64': text, 'eof': False}
        return {**fields, **changed}

    def test_a_handle_is_an_integer_of_63_bits(self):
        for handle in (0, 1000, (1 << 63) - 1):
            with self.subTest(handle=handle):
                self.assertEqual(handle, replies.read_handle(handle))
        for handle in (-1, 1 << 63, '1000', 1000.0, True, None, [1000], {}):
            with self.subTest(handle=handle):
                self.assert_refused(replies.read_handle, handle)

    def test_a_chunk_is_what_was_read(self):
        self.assertEqual(
            (b'abc', True),
            replies.read_chunk(self.chunk(b'abc', eof=True), 4096),
        )
        self.assertEqual(
            (b'', False), replies.read_chunk(self.chunk(b''), 4096)
        )

    def test_the_count_is_the_number_of_bytes(self):
        for count in (2, 4, 0, -3, 3.0, '3', True, None, 1 << 64):
            with self.subTest(count=count):
                self.assert_refused(
                    replies.read_chunk, self.chunk(b'abc', count=count), 4096
                )

    def test_more_than_was_asked_for_is_refused(self):
        self.assertEqual(3, len(replies.read_chunk(self.chunk(b'abc'), 3)[0]))
        self.assert_refused(replies.read_chunk, self.chunk(b'abc'), 2)
        self.assert_refused(replies.read_chunk, self.chunk(b'x' * 4096), 9)

    def test_the_end_is_told_by_a_boolean(self):
        for eof in (0, 1, 'true', None):
            with self.subTest(eof=eof):
                self.assert_refused(
                    replies.read_chunk, self.chunk(b'abc', eof=eof), 4096
                )

    def test_no_member_may_be_missing(self):
        for member in ('count', 'buf-b64', 'eof'):
            fields = self.chunk(b'abc')
            del fields[member]
            with self.subTest(member=member):
                self.assert_refused(replies.read_chunk, fields, 4096)

    def test_positions_and_counts_are_unsigned(self):
        self.assertEqual(
            5, replies.read_position({'position': 5, 'eof': False})
        )
        self.assertEqual(5, replies.read_written({'count': 5, 'eof': False}))
        for value in (-1, 1 << 64, 5.0, '5', True, None):
            with self.subTest(value=value):
                self.assert_refused(replies.read_position, {'position': value})
                self.assert_refused(replies.read_written, {'count': value})
        self.assert_refused(replies.read_position, {'position': 1 << 63})


class OtherTest(_Assertions):
    def test_keys_are_handed_on_as_they_stand_in_the_file(self):
        lines = ['ssh-ed25519 AAAA a@b', '# \x1b[2J', '', 'x' * 10_000]
        self.assertEqual(tuple(lines), replies.read_keys({'keys': lines}))
        for keys in (None, 'x', {}, [5], ['x', None], [['x']]):
            with self.subTest(keys=keys):
                self.assert_refused(replies.read_keys, {'keys': keys})
        self.assert_refused(replies.read_keys, {})

    def test_filesystems_are_thawed_or_frozen_and_nothing_else(self):
        for status in ('thawed', 'frozen'):
            self.assertEqual(status, replies.read_freeze_status(status))
        for status in ('Frozen', 'frozen\n', '', True, None, ['frozen'], {}):
            with self.subTest(status=status):
                self.assert_refused(replies.read_freeze_status, status)

    def test_a_command_that_returns_nothing_returns_an_object(self):
        self.assertIsNone(replies.read_nothing({}))
        for reply in (None, [], 'x', 0, True):
            with self.subTest(reply=reply):
                self.assert_refused(replies.read_nothing, reply)


class AnyReplyTest(_Assertions):
    VALUES = strategies.recursive(
        strategies.none()
        | strategies.booleans()
        | strategies.integers(-(1 << 63), (1 << 64) - 1)
        | strategies.floats(allow_nan=False, allow_infinity=False)
        | strategies.text(max_size=20),
        lambda inner: (
            strategies.lists(inner, max_size=3)
            | strategies.dictionaries(
                strategies.sampled_from(
                    [
                        'name',
                        'version',
                        'supported_commands',
                        'enabled',
                        'offset',
                    ]
                    + ['zone', 'user', 'login-time', 'ip-addresses', 'prefix']
                    + ['statistics', 'rx-bytes', 'stats', 'read-ios', 'keys']
                    + ['count', 'buf-b64', 'eof', 'cpu', 'idle', 'partition']
                    + ['load1m', 'load5m', 'load15m', 'mountpoint', 'type']
                    + ['host-name', 'position', 'used-bytes', 'id']
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=8,
    )

    def read_all(self, value):
        for read in READERS:
            try:
                read(value)
            except errors.InvalidReply as error:
                self.assertTrue(str(error).isprintable())
                self.assertLess(len(str(error)), 200)

    def test_every_reader_takes_any_type_or_refuses_it(self):
        for value in TYPES:
            with self.subTest(value=value):
                self.read_all(value)
                self.read_all([value])
                self.read_all([{'name': 'x', 'stats': value}])

    @hypothesis.settings(max_examples=400, deadline=None)
    @hypothesis.given(value=VALUES)
    def test_whatever_a_guest_sends_a_reader_reads_or_refuses(self, value):
        self.read_all(json.loads(json.dumps(value)))
