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

"""I/O of whole disks, by either way of asking for it."""

from nova_qga.collectors import disks
from nova_qga.collectors import proc
from nova_qga.collectors import rows
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases

COUNTERS = (
    'read-ios',
    'read-sectors',
    'read-ticks',
    'write-ios',
    'write-sectors',
    'write-ticks',
    'total-ticks',
)


def stats(name, **counters):
    known = {key.replace('_', '-'): n for key, n in counters.items()}
    return {'name': name, 'major': 8, 'minor': 0, 'stats': known}


def line(name, reads=1):
    return b'   8       0 %s %d 0 2 3 4 0 5 6 0 7 8\n' % (name, reads)


class DiskTest(cases.CollectorTestCase):
    collector = disks.DiskCollector()
    command = 'guest-get-diskstats'
    path = '/proc/diskstats'

    def devices(self, table):
        return list(dict.fromkeys(device for _, device in table))

    def test_the_command_is_asked_where_the_agent_has_it(self):
        self.assertEqual(
            [
                ['/proc/diskstats'],
                ['guest-get-diskstats'],
                ['guest-get-diskstats'],
            ],
            [self.asked(recordings.enabled(g)) for g in recordings.GUESTS],
        )

    def test_sectors_become_bytes_and_milliseconds_seconds(self):
        self.assertEqual(
            {
                ('guest.disk.read.operations', 'nvme0n1'): 74,
                ('guest.disk.read.bytes', 'nvme0n1'): 16464 * 512,
                ('guest.disk.read.time', 'nvme0n1'): 0.064,
                ('guest.disk.write.operations', 'nvme0n1'): 0,
                ('guest.disk.write.bytes', 'nvme0n1'): 0,
                ('guest.disk.write.time', 'nvme0n1'): 0.0,
                ('guest.disk.busy.time', 'nvme0n1'): 0.064,
                ('guest.disk.read.operations', 'vda'): 14,
                ('guest.disk.read.bytes', 'vda'): 46 * 512,
                ('guest.disk.read.time', 'vda'): 0.023,
                ('guest.disk.write.operations', 'vda'): 16,
                ('guest.disk.write.bytes', 'vda'): 5172 * 512,
                ('guest.disk.write.time', 'vda'): 0.018,
                ('guest.disk.busy.time', 'vda'): 0.012,
            },
            self.recorded('debian-13'),
        )

    def test_file_and_command_tell_the_same(self):
        for guest in ('debian-12', 'debian-13'):
            with self.subTest(guest=guest):
                content = recordings.content(guest, self.path)
                self.assertEqual(self.recorded(guest), self.of_file(content))

    def test_only_whole_disks_are_measured(self):
        whole = ['sda', 'sdab', 'vdz', 'xvda', 'hdc', 'nvme0n1', 'mmcblk0']
        whole += ['nbd3', 'rbd0', 'pmem0', 'md5sum', 'srv0', 'newthing1']
        others = ['sda1', 'sdab12', 'vdz3', 'xvda1', 'hdc1', 'nvme0n1p2']
        others += ['nvme0c0n1', 'mmcblk0p1', 'mmcblk0boot0', 'nbd3p1']
        others += ['loop0', 'loop7p1', 'ram15', 'zram0', 'fd0', 'sr0']
        others += ['dm-0', 'md127', 'md0p1', 'md_d0', 'rbd0p1']
        mixed = sorted(whole + others)
        reply = [stats(name, read_ios=1) for name in mixed]
        content = b''.join(line(name.encode()) for name in mixed)
        for table in (self.of_reply(reply), self.of_file(content)):
            self.assertEqual(sorted(whole), self.devices(table))

    def test_what_the_agent_leaves_out_is_left_out(self):
        self.assertEqual(
            {
                ('guest.disk.read.operations', 'vda'): 3,
                ('guest.disk.write.time', 'vda'): 0.004,
            },
            self.of_reply([stats('vda', read_ios=3, write_ticks=4)]),
        )

    def test_bytes_that_no_64_bits_hold_are_left_out(self):
        sectors = 2**64 // 512
        table = self.of_reply(
            [stats('vda', read_sectors=sectors, write_sectors=sectors - 1)]
        )
        self.assertEqual(
            {('guest.disk.write.bytes', 'vda'): 2**64 - 512}, table
        )

    def test_of_disks_with_one_name_the_first_counts(self):
        reply = [stats('vda', read_ios=3), stats('vda', read_ios=4)]
        expected = {('guest.disk.read.operations', 'vda'): 3}
        self.assertEqual(expected, self.of_reply(reply))
        table = self.of_file(line(b'vda', 3) + line(b'vda', 4))
        self.assertEqual(3, table['guest.disk.read.operations', 'vda'])

    def test_the_first_disks_are_measured_and_no_more(self):
        names = [f'disk{number}x' for number in range(1000)]
        reply = [stats(name, read_ios=1) for name in names]
        content = b''.join(line(name.encode()) for name in names)
        for table in (self.of_reply(reply), self.of_file(content)):
            self.assertEqual(names[: rows.MAX_DEVICES], self.devices(table))

    def test_more_columns_are_read_over(self):
        # Kernels from 4.18 add discards, from 5.5 flushes; old ones wrote
        # short lines for partitions.
        content = (
            b'   8       0 sda 1 0 2 3 4 0 5 6 0 7 8\n'
            b'   8       1 sda1 1 2 3 4\n'
            b'   8      16 sdb 1 0 2 3 4 0 5 6 0 7 8 9 9 9 9 9 9 9 9\n'
        )
        table = self.of_file(content)
        self.assertEqual(['sda', 'sdb'], self.devices(table))
        self.assertEqual(14, len(table))

    def test_a_bad_line_costs_that_line_alone(self):
        for bad in (
            b'',
            b'   8       0 sdb',
            b'   8       0 sdb 1 0 -2 3 4 0 5 6 0 7 8',
            b'   8       0 sdb 1 0 2.0 3 4 0 5 6 0 7 8',
            b'   8       0 sdb 1 0 2_0 3 4 0 5 6 0 7 8',
            b'   8       0 sdb %d 0 2 3 4 0 5 6 0 7 8' % 2**64,
            b'   8       0 sdb ' + b'9' * 5000 + b' 0 2 3 4 0 5 6 0 7 8',
            b'   8       0 sd b 1 0 2 3 4 0 5 6 0 7 8',
            b'   8       0 ' + b'x' * 10_000 + b' 1 0 2 3 4 0 5 6 0 7 8',
            b'   x       0 sdb 1 0 2 3 4 0 5 6 0 7 8',
            b'\0\xff' * 50,
        ):
            with self.subTest(bad=bad[:40]):
                content = line(b'sda') + bad + b'\n' + line(b'sdc')
                table = self.of_file(content)
                self.assertEqual(['sda', 'sdc'], self.devices(table))

    def test_an_endless_file_is_not_searched_to_its_end(self):
        content = line(b'sda') + b'\n' * proc.LIMIT + line(b'sdb')
        self.assertEqual(['sda'], self.devices(self.of_file(content)))

    def test_a_line_that_is_cut_short_is_not_taken(self):
        whole = line(b'sda') + line(b'sdb')
        end = len(whole) - len(b'7 8\n')
        self.assertEqual(['sda'], self.devices(self.of_file(whole[:end])))
        end = len(whole) - len(b' 8\n')
        self.assertEqual(['sda'], self.devices(self.of_file(whole[:end])))

    def test_a_name_cannot_reach_a_terminal(self):
        table = self.of_file(line(b'a\x1b[2J\\\xe2\x80\xae\xff'))
        self.assertEqual(['a\\x1b[2J\\\\\\u202e\ufffd'], self.devices(table))

    def test_no_disk_is_no_error(self):
        self.assertEqual({}, self.of_file(b''))
        self.assertEqual({}, self.of_reply([]))

    def test_the_hypervisor_knows_the_drives_by_its_own_names(self):
        self.assertEqual(
            {
                ('guest.disk.read.operations', 'vda'): 35,
                ('guest.disk.read.bytes', 'vda'): 2762240,
                ('guest.disk.read.time', 'vda'): 0.002304505,
                ('guest.disk.write.operations', 'vda'): 11,
                ('guest.disk.write.bytes', 'vda'): 141312,
                ('guest.disk.write.time', 'vda'): 0.003404794,
                ('guest.disk.read.operations', 'hda'): 1,
                ('guest.disk.read.bytes', 'hda'): 2048,
                ('guest.disk.read.time', 'hda'): 0.00012451,
                ('guest.disk.write.operations', 'hda'): 0,
                ('guest.disk.write.bytes', 'hda'): 0,
                ('guest.disk.write.time', 'hda'): 0.0,
            },
            self.standing_in(),
        )
