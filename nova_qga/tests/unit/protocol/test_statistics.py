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

"""Counters of a guest: real ones are read, impossible ones are refused."""

from typing import Any
import unittest

from nova_qga import errors
from nova_qga.protocol import statistics

UINT64_MAX = (1 << 64) - 1
#: What stands where a counter belongs.
WRONG: tuple[Any, ...] = ('5', True, 5.0, [5], {}, -1, -(1 << 63))


class _Assertions(unittest.TestCase):
    def assert_refused(self, read, *args):
        with self.assertRaises(errors.InvalidReply):
            read(*args)


class CpuTest(_Assertions):
    CPU = {
        'type': 'linux',
        'cpu': 1,
        'user': 10,
        'nice': 20,
        'system': 30,
        'idle': 40,
        'iowait': 50,
        'irq': 60,
        'softirq': 70,
        'steal': 80,
        'guest': 90,
        'guestnice': 100,
    }
    REQUIRED = ('cpu', 'user', 'nice', 'system', 'idle')

    def test_times_are_milliseconds_as_the_agent_says(self):
        [read] = statistics.read_cpustats([self.CPU])
        self.assertEqual((1, 10, 20, 30, 40, 50, 60, 70, 80), read)
        self.assertEqual((80, 50), (read.steal, read.iowait))

    def test_an_old_kernels_times_may_be_missing(self):
        old = {key: self.CPU[key] for key in self.REQUIRED}
        [read] = statistics.read_cpustats([old])
        self.assertEqual((1, 10, 20, 30, 40, None, None, None, None), read)

    def test_the_basic_ones_may_not(self):
        for key in self.REQUIRED:
            for changed in ({}, {key: None}):
                cpu = {**self.CPU, **changed}
                if not changed:
                    del cpu[key]
                with self.subTest(key=key, changed=changed):
                    self.assert_refused(statistics.read_cpustats, [cpu])

    def test_what_is_no_counter_is_refused(self):
        for key in ('cpu', 'user', 'steal'):
            for value in WRONG:
                with self.subTest(key=key, value=value):
                    self.assert_refused(
                        statistics.read_cpustats, [{**self.CPU, key: value}]
                    )

    def test_a_counter_has_64_bits_and_a_number_of_a_cpu_has_not(self):
        [read] = statistics.read_cpustats([{**self.CPU, 'user': UINT64_MAX}])
        self.assertEqual(UINT64_MAX, read.user)
        for number in (4097, 1 << 31, UINT64_MAX):
            with self.subTest(number=number):
                self.assert_refused(
                    statistics.read_cpustats, [{**self.CPU, 'cpu': number}]
                )

    def test_4097_cpus_are_refused(self):
        self.assertEqual(
            4096, len(statistics.read_cpustats([self.CPU] * 4096))
        )
        self.assert_refused(statistics.read_cpustats, [self.CPU] * 4097)


class DiskTest(_Assertions):
    def test_counters_that_a_kernel_lacks_are_none(self):
        entry = {
            'name': 'vda',
            'major': 254,
            'minor': 0,
            'stats': {'read-sectors': 8, 'read-ios': 1, 'total-ticks': 5},
        }
        [read] = statistics.read_diskstats([entry])
        self.assertEqual(('vda', 1, 8, None, None, None, None, 5), read)

    def test_what_is_no_counter_is_refused(self):
        for value in WRONG:
            with self.subTest(value=value):
                self.assert_refused(
                    statistics.read_diskstats,
                    [{'name': 'vda', 'stats': {'read-ios': value}}],
                )

    def test_a_disk_has_a_name_and_counters(self):
        for entry in (
            {'name': 'vda'},
            {'name': 'vda', 'stats': None},
            {'name': 'vda', 'stats': []},
            {'stats': {}},
            {'name': None, 'stats': {}},
            'vda',
        ):
            with self.subTest(entry=entry):
                self.assert_refused(statistics.read_diskstats, [entry])

    def test_a_name_is_made_harmless(self):
        [read] = statistics.read_diskstats(
            [{'name': 'x",evil="1\n# HELP\x1b', 'stats': {}}]
        )
        self.assertTrue(read.name.isprintable())


class FilesystemTest(_Assertions):
    ROOT = {
        'name': 'vda1',
        'mountpoint': '/',
        'type': 'ext4',
        'disk': [],
        'used-bytes': 5,
        'total-bytes': 10,
    }

    def test_sizes_are_there_from_agent_3_0(self):
        [read] = statistics.read_filesystems([self.ROOT])
        self.assertEqual(('vda1', '/', 'ext4', 5, 10), read)
        old = {k: v for k, v in self.ROOT.items() if '-bytes' not in k}
        [read] = statistics.read_filesystems([old])
        self.assertEqual((None, None), (read.used_bytes, read.total_bytes))

    def test_a_size_that_is_none_is_refused(self):
        for key in ('used-bytes', 'total-bytes'):
            for value in WRONG:
                with self.subTest(key=key, value=value):
                    self.assert_refused(
                        statistics.read_filesystems,
                        [{**self.ROOT, key: value}],
                    )

    def test_names_must_be_there(self):
        for key in ('name', 'mountpoint', 'type'):
            for value in (None, 5, ['/']):
                with self.subTest(key=key, value=value):
                    self.assert_refused(
                        statistics.read_filesystems,
                        [{**self.ROOT, key: value}],
                    )

    def test_a_mount_point_is_text_of_one_line_and_some_length(self):
        for mountpoint in ('../../etc/shadow', '/a\nb', '/' + 'x' * 1000_000):
            with self.subTest(mountpoint=mountpoint[:10]):
                [read] = statistics.read_filesystems(
                    [{**self.ROOT, 'mountpoint': mountpoint}]
                )
                self.assertTrue(read.mountpoint.isprintable())
                self.assertLess(len(read.mountpoint), 300)


class InterfaceTest(_Assertions):
    COUNTERS = {
        'rx-bytes': 1,
        'rx-packets': 2,
        'rx-errs': 3,
        'rx-dropped': 4,
        'tx-bytes': 5,
        'tx-packets': 6,
        'tx-errs': 7,
        'tx-dropped': UINT64_MAX,
    }

    def read(self, counters):
        return statistics.read_interface_counters(
            [{'name': 'eth0', 'statistics': counters}]
        )

    def test_all_counters_are_read(self):
        self.assertEqual(
            (('eth0', (1, 2, 3, 4, 5, 6, 7, UINT64_MAX)),),
            self.read(self.COUNTERS),
        )

    def test_an_interface_without_counters_is_left_out(self):
        self.assertEqual(
            (), statistics.read_interface_counters([{'name': 'eth0:1'}])
        )

    def test_a_counter_that_is_missing_or_wrong_is_refused(self):
        for value in (*WRONG, None):
            with self.subTest(value=value):
                self.assert_refused(
                    self.read, {**self.COUNTERS, 'tx-bytes': value}
                )
        some = dict(self.COUNTERS)
        del some['rx-errs']
        self.assert_refused(self.read, some)
        self.assert_refused(self.read, [])

    def test_100000_interfaces_are_refused(self):
        entry = {'name': 'eth0', 'statistics': self.COUNTERS}
        self.assert_refused(
            statistics.read_interface_counters, [entry] * 100_000
        )


class LoadTest(_Assertions):
    LOAD = {'load1m': 0.5, 'load5m': 1, 'load15m': 0.0}

    def test_loads_are_numbers_from_0(self):
        self.assertEqual((0.5, 1.0, 0.0), statistics.read_load(self.LOAD))
        for value in (-0.1, '0.5', True, None, [0.5]):
            with self.subTest(value=value):
                self.assert_refused(
                    statistics.read_load, {**self.LOAD, 'load5m': value}
                )
        self.assert_refused(statistics.read_load, {'load1m': 0.5})
