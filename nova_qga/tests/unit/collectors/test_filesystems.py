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

"""How full filesystems are, and which of them are told."""

from nova_qga.collectors import filesystems
from nova_qga.collectors import rows
from nova_qga import errors
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases


def mounted(mountpoint, name='vda1', kind='ext4', used=1, total=2):
    entry = {'name': name, 'mountpoint': mountpoint, 'type': kind, 'disk': []}
    sizes = {'used-bytes': used, 'total-bytes': total}
    return entry | {key: n for key, n in sizes.items() if n is not None}


class FilesystemTest(cases.CollectorTestCase):
    collector = filesystems.FilesystemCollector()
    command = 'guest-get-fsinfo'

    def mountpoints(self, reply):
        table = self.of_reply(reply)
        return list(dict.fromkeys(mountpoint for _, mountpoint, *_ in table))

    def extended(self, reply):
        """What an agent with guest-get-statvfs is asked next."""
        enabled = {self.command: True, 'guest-get-statvfs': True}
        [source] = self.collector.select(enabled)
        return source.then(source.question.read(reply))

    def test_files_cannot_tell_it(self):
        self.assertEqual([], self.asked(cases.FILES))

    def test_every_agent_tells_the_same_of_the_same_mounts(self):
        # The older ones list the bind mount below /mnt too; the CD-ROM is
        # always full.
        for guest in recordings.GUESTS:
            with self.subTest(guest=guest):
                self.assertEqual(
                    {
                        ('guest.filesystem.size', '/mnt', 'vda1', 'ext4'): (
                            6160384
                        ),
                        ('guest.filesystem.used', '/mnt', 'vda1', 'ext4'): (
                            2636800
                        ),
                        (
                            'guest.filesystem.available',
                            '/mnt',
                            'vda1',
                            'ext4',
                        ): 3523584,
                    },
                    self.recorded(guest),
                )

    def test_labels_say_mountpoint_device_and_type(self):
        for sample in recordings.samples('debian-13', self.collector):
            self.assertEqual(
                ('mountpoint', '/mnt', 'device', 'vda1', 'fstype', 'ext4'),
                sample.labels,
            )

    def test_a_device_is_told_once_where_it_is_mounted_highest(self):
        first = mounted('/srv/data/x')
        for reply in (
            [first, mounted('/srv/b'), mounted('/srv/a')],
            [mounted('/srv/a'), first, mounted('/srv/b')],
        ):
            self.assertEqual(['/srv/a'], self.mountpoints(reply))

    def test_devices_are_told_apart(self):
        reply = [mounted('/'), mounted('/srv', name='vdb')]
        self.assertEqual(['/', '/srv'], self.mountpoints(reply))

    def test_sizes_that_cannot_be_are_left_out(self):
        for used, total in (
            (None, None),
            (None, 5),
            (5, None),
            (6, 5),
            (0, 0),
        ):
            with self.subTest(used=used, total=total):
                reply = [mounted('/', used=used, total=total)]
                self.assertEqual({}, self.of_reply(reply))

    def test_a_full_and_an_empty_filesystem_are_told(self):
        table = self.of_reply([mounted('/', used=5, total=5)])
        self.assertEqual([5, 5, 0], list(table.values()))
        table = self.of_reply([mounted('/', used=0, total=5)])
        self.assertEqual([5, 0, 5], list(table.values()))

    def test_images_are_left_out_and_windows_volumes_are_not(self):
        volume = '\\\\?\\Volume{%d}\\'
        reply = [
            mounted('/snap/core/1', name='loop1', kind='squashfs'),
            mounted('D:\\', name=volume % 1, kind='CDFS'),
            mounted('C:\\', name=volume % 2, kind='NTFS'),
            mounted('System Reserved', name=volume % 3, kind='NTFS'),
            mounted('System Reserved', name=volume % 4, kind='FAT32'),
        ]
        self.assertEqual(9, len(self.of_reply(reply)))

    def test_of_too_many_the_highest_mounts_are_told(self):
        reply = [
            mounted(f'/pods/{number:04}/volume', name=f'sd{number}')
            for number in range(1000)
        ]
        reply.append(mounted('/'))
        told = self.mountpoints(reply)
        self.assertEqual(rows.MAX_DEVICES, len(told))
        self.assertEqual(['/', '/pods/0000/volume'], told[:2])

    def test_a_mountpoint_cannot_reach_a_terminal(self):
        [told] = self.mountpoints([mounted('/\x1b]52;c;\a' + 'x' * 10_000)])
        self.assertTrue(told.startswith('/\\x1b]52;c;\\x07xxx'))
        self.assertLess(len(told), 300)

    def test_an_extended_agent_tells_the_inodes_too(self):
        table = self.recorded(recordings.EXTENDED)
        for place, total, free in (
            (('/', 'vda', 'ext4'), 786432, 767733),
            (('/srv/again', 'loop0', 'ext4'), 16384, 16373),
        ):
            self.assertEqual(
                (total, free),
                (
                    table['guest.filesystem.inodes.total', *place],
                    table['guest.filesystem.inodes.free', *place],
                ),
            )
        # A vfat has no fixed number of them.
        self.assertIn(
            ('guest.filesystem.size', '/media/seed', 'vdb1', 'vfat'), table
        )
        self.assertEqual(3 * 3 + 2 * 2, len(table))

    def test_another_agent_is_asked_nothing_next(self):
        for enabled in ({}, {'guest-get-statvfs': False}):
            [source] = self.collector.select({self.command: True, **enabled})
            self.assertIsNone(source.then)
        self.assertEqual([], self.asked({'guest-get-statvfs': True}))

    def test_no_path_is_asked_for_that_the_guest_did_not_send_so(self):
        reply = [
            mounted(path, name=f'sd{number}')
            for number, path in enumerate(
                ('/good', 'C:\\', '/a\\b', '/\x1b', '/' + 'x' * 300, 'rel')
            )
        ]
        self.assertEqual(
            [{'path': '/good'}],
            [each.question.arguments for each in self.extended(reply)],
        )

    def test_it_is_asked_of_no_more_filesystems_than_are_measured(self):
        reply = [mounted(f'/{n}', name=f'sd{n}') for n in range(1000)]
        self.assertEqual(rows.MAX_DEVICES, len(self.extended(reply)))

    def test_more_inodes_free_than_there_are_give_no_sample(self):
        [source] = self.extended([mounted('/')])
        for total, free in ((0, 0), (5, 6)):
            reply = {'f_files': total, 'f_ffree': free}
            self.assertEqual([], recordings.read(source, reply))
        for reply in ({}, {'f_files': 1}, {'f_files': -1, 'f_ffree': -1}, []):
            with self.assertRaises(errors.InvalidReply):
                recordings.read(source, reply)

    def test_the_hypervisor_knows_what_the_drives_take(self):
        self.assertEqual(
            {
                ('guest.disk.capacity', 'vda'): 16777216,
                ('guest.disk.allocation', 'vda'): 16777216,
                ('guest.disk.capacity', 'hda'): 1048576,
                ('guest.disk.allocation', 'hda'): 1048576,
            },
            self.standing_in(),
        )
