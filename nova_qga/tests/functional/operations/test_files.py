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

"""Files as they stand in the guest, and the handles left there: none."""

import hashlib
import os

from nova_qga import errors
from nova_qga.operations import files
from nova_qga.protocol import commands
from nova_qga.tests.functional.operations import base

PATH = '/tmp/operations file ☃'
MIB = 1024 * 1024
SIZES = (
    0,
    1,
    commands.WRITE_CHUNK,
    commands.WRITE_CHUNK + 1,
    commands.CHUNK,
    commands.CHUNK + 1,
    5 * MIB,
)


class FilesBase(base.OperationTest):
    def setUp(self):
        super().setUp()
        self.vm.inspect(f"rm -rf '{PATH}'")
        self.before = self.reached.open_files()
        self.addCleanup(
            lambda: self.assertEqual(self.before, self.reached.open_files())
        )

    def restart_agent(self, options=''):
        """Start it anew, without what others may have left open in it."""
        self.reached.restart_agent(options)
        self.before = self.reached.open_files()

    def digest(self, path=PATH):
        return self.vm.inspect(f"sha256sum '{path}'").split()[0]

    def size(self, path=PATH):
        return int(self.vm.inspect(f"stat -c %s '{path}'"))

    def fill_disk(self, room):
        """Mount a filesystem of so many bytes; return a path on it."""
        self.vm.inspect(
            'mkdir -p /run/small; '
            f'mount -t tmpfs -o size={room} small /run/small'
        )
        self.addCleanup(self.vm.inspect, 'umount /run/small')
        return '/run/small/file'


class FilesTest(FilesBase):
    def test_files_of_any_size_arrive_and_come_back_whole(self):
        for size in SIZES:
            with self.subTest(size=size):
                data = os.urandom(size)
                sha256 = hashlib.sha256(data).hexdigest()
                result = files.write_file(
                    self.agent(), path=PATH, data=data, verify=True
                )
                self.assertEqual(
                    {'bytes_written': size, 'sha256': sha256}, result
                )
                self.assertEqual(sha256, self.digest())
                self.assertEqual(size, self.size())
                part = files.read_file(
                    self.agent(), path=PATH, length=size + 1
                )
                self.assertEqual(files.FilePart(data, True), part)

    def test_a_new_file_is_for_all_to_read_and_write(self):
        # As the documentation warns.
        files.write_file(self.agent(), path=PATH, data=b'x')
        self.assertEqual(
            '666 root root\n',
            self.vm.inspect(f"stat -c '%a %U %G' '{PATH}'"),
        )

    def test_parts_are_written_and_read_where_they_belong(self):
        agent = self.agent()
        files.write_file(agent, path=PATH, data=b'0123456789')
        files.write_file(agent, path=PATH, data=b'abc', offset=8, verify=True)
        self.assertEqual('01234567abc', self.vm.inspect(f"cat '{PATH}'"))
        self.assertEqual(
            files.FilePart(b'67a', False),
            files.read_file(agent, path=PATH, offset=6, length=3),
        )
        self.assertEqual(
            files.FilePart(b'', True),
            files.read_file(agent, path=PATH, offset=99, length=3),
        )
        files.write_file(agent, path=PATH, data=b'new')
        self.assertEqual('new', self.vm.inspect(f"cat '{PATH}'"))

    def test_a_file_of_the_kernel_is_read_to_its_end(self):
        part = files.read_file(
            self.agent(), path='/proc/version', length=65536
        )
        self.assertEqual(
            self.vm.inspect('cat /proc/version'), part.data.decode()
        )
        self.assertTrue(part.eof)

    def test_an_endless_file_is_read_to_the_length(self):
        length = commands.CHUNK + 1
        self.assertEqual(
            files.FilePart(bytes(length), False),
            files.read_file(self.agent(), path='/dev/zero', length=length),
        )

    def test_what_cannot_be_opened_is_refused_in_the_guests_words(self):
        agent = self.agent()
        for path, words in (
            ('/nowhere/file', 'No such file or directory'),
            ('/tmp', 'Is a directory'),
            ('/' + 'x' * 300, 'File name too long|failed to open'),
        ):
            with (
                self.subTest(path=path[:20]),
                self.assertRaisesRegex(errors.CommandError, words),
            ):
                files.write_file(agent, path=path, data=b'x')
        with self.assertRaisesRegex(errors.CommandError, 'No such file'):
            files.write_file(agent, path=PATH, data=b'x', offset=1)
        with self.assertRaisesRegex(errors.CommandError, 'No such file'):
            files.read_file(agent, path='/nowhere/file', length=1)
        with self.assertRaisesRegex(errors.CommandError, 'a directory'):
            files.read_file(agent, path='/tmp', length=1)

    def test_a_file_that_takes_no_bytes_fails_when_they_are_flushed(self):
        with self.assertRaisesRegex(
            errors.OperationFailed, 'at least 0 of 1 bytes .* Input/output'
        ) as caught:
            files.write_file(self.agent(), path='/proc/version', data=b'x')
        self.assertEqual(0, caught.exception.done)

    def test_a_full_disk_says_how_far_it_came(self):
        path = self.fill_disk(MIB)
        data = os.urandom(2 * MIB)
        with self.assertRaisesRegex(
            errors.OperationFailed, 'No space left on device'
        ) as caught:
            files.write_file(self.agent(), path=path, data=data)
        done = caught.exception.done
        self.assertIn(f'at least {done} of {2 * MIB}', str(caught.exception))
        self.assertEqual(
            MIB // commands.WRITE_CHUNK, done // commands.WRITE_CHUNK
        )
        self.assertLessEqual(done, self.size(path))
        part = files.read_file(self.agent(), path=path, length=done)
        self.assertEqual(data[:done], part.data)

    def test_a_disk_that_is_full_for_the_last_bytes_only_says_so_too(self):
        path = self.fill_disk(4096)
        files.write_file(self.agent(), path=path, data=bytes(4096))
        with self.assertRaisesRegex(
            errors.OperationFailed, 'at least 0 of 10 .* No space left'
        ):
            files.write_file(
                self.agent(), path=path, data=b'0123456789', offset=4096
            )

    def test_what_reads_back_as_something_else_is_a_failure(self):
        with self.assertRaises(errors.OperationFailed) as caught:
            files.write_file(
                self.agent(), path='/dev/null', data=b'x', verify=True
            )
        self.assertEqual(1, caught.exception.done)

    def test_a_handle_from_before_the_agents_restart_ends_the_writing(self):
        agent = self.agent()
        handle = agent.execute(commands.open_file(PATH, 'w'))
        self.restart_agent()
        with self.assertRaises(errors.CommandError) as caught:
            agent.execute(commands.write_file(handle, b'x'))
        self.assertNotIsInstance(caught.exception, errors.CommandUnsupported)

    def test_blocked_commands_say_where_to_unblock_them(self):
        self.restart_agent('-b guest-file-open,guest-file-read')
        with self.assertRaisesRegex(
            errors.CommandUnsupported, 'guest-file-open is blocked .*/etc/'
        ):
            files.write_file(self.agent(), path=PATH, data=b'x')
        with self.assertRaises(errors.CommandUnsupported):
            files.read_file(self.agent(), path=PATH, length=1)
        self.restart_agent('-b guest-file-read')
        with self.assertRaisesRegex(
            errors.CommandUnsupported, 'guest-file-read is blocked'
        ):
            files.write_file(self.agent(), path=PATH, data=b'x', verify=True)
        files.write_file(self.agent(), path=PATH, data=b'x')


class FilesDirectTest(FilesTest):
    number = 1


class LibvirtTest(FilesBase):
    def test_a_request_that_libvirt_would_garble_is_not_sent(self):
        agent = self.agent()
        handle = agent.execute(commands.open_file(PATH, 'w'))
        try:
            with self.assertRaisesRegex(errors.InvalidRequest, 'libvirt'):
                agent.execute(
                    commands.write_file(handle, bytes(commands.CHUNK))
                )
        finally:
            agent.execute(commands.close_file(handle))
        self.assertEqual(0, self.size())


class ThawsToClose:
    """An agent whose guest's disk thaws when a file is to be closed."""

    def __init__(self, agent, vm):
        self._vm = vm
        self._agent = agent
        self.require = agent.require

    def execute(self, single, *, cleanup=False):
        if cleanup:
            self._vm.inspect('fsfreeze --unfreeze /mnt')
        return self._agent.execute(single, cleanup=cleanup)


class HangingDiskTest(FilesBase):
    timeout = 3.0

    def test_a_write_that_hangs_is_unknown_and_its_file_closed(self):
        # The time for it all is over then; closing has its own.
        self.vm.inspect('echo 0123 > /mnt/hangs; fsfreeze --freeze /mnt')
        self.addCleanup(
            self.vm.inspect, 'fsfreeze --unfreeze /mnt || :; rm /mnt/hangs'
        )
        agent = self.reached.agent(seconds=self.timeout)
        with self.assertRaisesRegex(
            errors.OutcomeUnknown, 'at least 0 of 1 bytes'
        ):
            files.write_file(
                ThawsToClose(agent, self.vm),
                path='/mnt/hangs',
                data=b'x',
                offset=1,
            )
        # It did happen, as such a one may.
        self.assertEqual('0x23\n', self.vm.inspect('cat /mnt/hangs'))


class HangingDiskDirectTest(HangingDiskTest):
    number = 1
