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

"""I/O of partitions, by either way of asking for it."""

from nova_qga.collectors import partitions
from nova_qga.collectors import rows
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases
from nova_qga.tests.unit.collectors import test_disks


class PartitionTest(cases.CollectorTestCase):
    collector = partitions.PartitionCollector()
    command = 'guest-get-diskstats'
    path = '/proc/diskstats'

    def devices(self, table):
        return list(dict.fromkeys(device for _, device in table))

    def test_sectors_become_bytes_and_milliseconds_seconds(self):
        table = self.recorded('debian-13')
        self.assertEqual(['nvme0n1p1', 'vda1', 'vda2'], self.devices(table))
        self.assertEqual(
            5164 * 512, table['guest.partition.write.bytes', 'vda1']
        )
        self.assertEqual(0.016, table['guest.partition.write.time', 'vda1'])

    def test_file_and_command_tell_the_same(self):
        for guest in ('debian-12', 'debian-13'):
            with self.subTest(guest=guest):
                content = recordings.content(guest, self.path)
                self.assertEqual(self.recorded(guest), self.of_file(content))

    def test_only_partitions_are_measured(self):
        parts = ['sda1', 'sdab12', 'vdz3', 'xvda1', 'hdc1', 'nvme0n1p2']
        parts += ['mmcblk0p1', 'nbd3p1', 'rbd0p1']
        others = ['sda', 'sdab', 'vdz', 'xvda', 'nvme0n1', 'mmcblk0', 'nbd3']
        others += ['loop7p1', 'loop0', 'dm-0', 'md0p1', 'ram15', 'sr0']
        others += ['mmcblk0boot0', 'nvme0c0n1', 'newthing1', 'sda1x', 'xsda1']
        mixed = sorted(parts + others)
        reply = [test_disks.stats(name, read_ios=1) for name in mixed]
        content = b''.join(test_disks.line(name.encode()) for name in mixed)
        for table in (self.of_reply(reply), self.of_file(content)):
            self.assertEqual(sorted(parts), self.devices(table))

    def test_the_first_partitions_are_measured_and_no_more(self):
        names = [f'sda{number}' for number in range(1000)]
        reply = [test_disks.stats(name, read_ios=1) for name in names]
        content = b''.join(test_disks.line(name.encode()) for name in names)
        for table in (self.of_reply(reply), self.of_file(content)):
            self.assertEqual(names[: rows.MAX_DEVICES], self.devices(table))

    def test_the_hypervisor_knows_none(self):
        self.assertEqual({}, self.standing_in())
