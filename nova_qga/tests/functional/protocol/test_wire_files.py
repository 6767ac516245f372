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
"""Files through a real agent: contents, limits, and what handles outlive."""

import base64
import json
import os
import resource
import unittest

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.protocol import replies
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import wire

MAX_READ = 48 << 20


class _FileTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.agent = self.enterContext(qemu_ga.QemuGa())
        self.client = self.connect()

    def connect(self):
        return self.enterContext(wire.Client(self.agent.socket))

    def open(self, path, mode='r'):
        return self.client.run(commands.open_file(str(path), mode))

    def assert_refused(self, asked, text):
        with self.assertRaises(errors.CommandError) as caught:
            self.client.run(asked)
        self.assertEqual('GenericError', caught.exception.error_class)
        self.assertNotIsInstance(caught.exception, errors.CommandUnsupported)
        self.assertEqual(text, caught.exception.description)


class ReadTest(_FileTest):
    def test_a_count_past_48_mib_or_below_0_is_refused(self):
        handle = self.open('/dev/zero')
        for count in (-1, MAX_READ + 1):
            with self.subTest(count=count):
                self.assert_refused(
                    commands.read_file(handle, count),
                    f"value '{count}' is invalid for argument count",
                )

    def test_48_mib_come_in_one_line_that_the_command_allows(self):
        handle = self.open('/dev/zero')
        chunk = self.client.run(commands.read_file(handle, MAX_READ))
        self.assertEqual(MAX_READ, len(chunk.data))
        self.assertEqual(0, chunk.data.count(b'\1'))
        self.assertFalse(chunk.eof)

    def test_that_line_has_67108925_bytes_with_its_newline(self):
        handle = self.open('/dev/zero')
        asked = commands.read_file(handle, MAX_READ)
        self.client.wire.send(asked.encode())
        self.assertEqual(67_108_925 - 1, len(self.client.wire.line()))

    def test_a_line_over_the_commands_limit_is_not_taken(self):
        # How one goes on after that is tested in a guest: an agent that
        # listens on a socket may die of a client that leaves amid a reply.
        whole = commands.read_file(self.open('/dev/zero'), MAX_READ)
        cut = command.Command(
            whole.name, whole.read, whole.arguments, False, 1 << 20
        )
        with self.assertRaises(errors.MessageTooLarge) as caught:
            self.client.run(cut)
        self.assertLess(caught.exception.size, (1 << 20) + (1 << 16) + 1)

    def test_proc_stat_comes_whole_and_then_nothing(self):
        handle = self.open('/proc/stat')
        whole = self.client.run(commands.read_file(handle, 65536))
        self.assertTrue(whole.data.startswith(b'cpu '))
        self.assertTrue(whole.data.endswith(b'\n'))
        self.assertTrue(whole.eof)
        self.assertEqual(
            (b'', True), self.client.run(commands.read_file(handle, 65536))
        )

    def test_a_file_in_proc_is_fresh_after_a_seek_to_0(self):
        handle = self.open('/proc/uptime')
        asked = (
            commands.seek_file(handle, 0),
            commands.read_file(handle, 65536),
        ) * 2
        read = self.client.sync(*asked)
        position = commands.seek_file(handle, 0).read(read[0])
        first, second = (
            commands.read_file(handle, 65536).read(reply)
            for reply in (read[1], read[3])
        )
        self.assertEqual(0, position)
        self.assertGreaterEqual(
            float(second.data.split()[0]), float(first.data.split()[0])
        )

    def test_4096_bytes_come_unless_more_are_asked_for(self):
        handle = self.open('/dev/zero')
        asked = command.Command(
            'guest-file-read', dict, {'handle': handle}, False
        )
        self.assertEqual(4096, self.client.run(asked)['count'])


class WriteTest(_FileTest):
    def test_what_is_written_reaches_the_file(self):
        path = self.agent.files / 'new'
        data = bytes(range(256)) * 3000
        self.assertEqual(768_000, len(data))
        handle = self.open(path, 'w')
        self.assertEqual(
            len(data), self.client.run(commands.write_file(handle, data))
        )
        self.assertIsNone(self.client.run(commands.flush_file(handle)))
        self.assertEqual(data, path.read_bytes())
        self.assertIsNone(self.client.run(commands.close_file(handle)))

    def test_a_new_file_may_be_written_by_everybody(self):
        """Why no secret and no authorized_keys is written in this way."""
        path = self.agent.files / 'new'
        self.client.run(commands.close_file(self.open(path, 'w')))
        self.assertEqual(0o666, path.stat().st_mode & 0o777)

    def test_a_full_chunk_goes_both_ways(self):
        path = self.agent.files / 'new'
        data = os.urandom(commands.CHUNK)
        handle = self.open(path, 'w')
        self.client.run(commands.write_file(handle, data))
        self.client.run(commands.close_file(handle))
        self.assertEqual(data, path.read_bytes())
        chunk = self.client.run(commands.read_file(self.open(path)))
        self.assertEqual(data, chunk.data)


class RefusalTest(_FileTest):
    def test_a_missing_file_cannot_be_opened(self):
        path = self.agent.files / 'nope'
        self.assert_refused(
            commands.open_file(str(path), 'r'),
            f"failed to open file '{path}' (mode: 'r'):"
            ' No such file or directory',
        )

    def test_a_mode_is_one_of_fopens(self):
        self.assert_refused(
            commands.open_file('/proc/stat', 'zz'),
            "invalid file open mode 'zz'",
        )

    def test_a_directory_can_be_opened_and_not_read(self):
        handle = self.open(self.agent.files)
        self.assert_refused(
            commands.read_file(handle, 10),
            'failed to read file: Is a directory',
        )

    def test_a_handle_must_be_open(self):
        for asked in (
            commands.read_file(99999, 10),
            commands.write_file(99999, b'x'),
            commands.seek_file(99999, 0),
            commands.flush_file(99999),
            commands.close_file(99999),
        ):
            with self.subTest(asked.name):
                self.assert_refused(asked, "handle '99999' has not been found")

    def test_a_handle_that_was_closed_is_not_found(self):
        handle = self.open('/proc/stat')
        self.client.run(commands.close_file(handle))
        self.assert_refused(
            commands.read_file(handle, 10),
            f"handle '{handle}' has not been found",
        )

    def test_bad_base64_is_refused(self):
        handle = self.open(self.agent.files / 'new', 'w')
        asked = command.Command(
            'guest-file-write', dict, {'handle': handle, 'buf-b64': '*!'}
        )
        self.assert_refused(asked, 'Base64 data contains invalid characters')

    def test_a_seek_starts_from_one_of_three_places(self):
        handle = self.open('/proc/stat')
        for whence, text in {
            'zzz': "Parameter 'whence' does not accept value 'zzz'",
            9: 'invalid whence code 9',
        }.items():
            with self.subTest(whence=whence):
                asked = command.Command(
                    'guest-file-seek',
                    dict,
                    {'handle': handle, 'offset': 0, 'whence': whence},
                )
                self.assert_refused(asked, text)


class HandleTest(_FileTest):
    def test_a_handle_outlives_its_client(self):
        handle = self.open('/proc/stat')
        self.client.run(commands.read_file(handle, 4))
        self.client.wire.close()
        with self.connect() as second:
            chunk = second.run(commands.read_file(handle, 4))
            self.assertEqual(4, len(chunk.data))
            # It goes on where the first client stood.
            self.assertNotEqual(b'cpu ', chunk.data)

    def test_a_handle_does_not_outlive_its_agent_and_comes_never_again(self):
        handle = self.open('/proc/stat')
        self.client.wire.close()
        self.agent.restart()
        self.client = self.connect()
        self.assert_refused(
            commands.read_file(handle, 4),
            f"handle '{handle}' has not been found",
        )
        self.assertGreater(self.open('/proc/stat'), handle)

    def test_about_a_thousand_files_can_be_open(self):
        # What an agent has as a service; ours got the limit of this shell.
        resource.prlimit(self.agent.pid, resource.RLIMIT_NOFILE, (1024, 1024))
        path = self.agent.files / 'one'
        path.touch()
        asked = commands.open_file(str(path), 'r')
        self.client.wire.send(asked.encode() * 1500)
        handles, refused = set(), set()
        for _ in range(1500):
            reply = json.loads(self.client.wire.line())
            if 'return' in reply:
                handles.add(replies.read_handle(reply['return']))
            else:
                refused.add(reply['error']['desc'])
        self.assertGreater(len(handles), 950)
        self.assertLess(len(handles), 1024)
        self.assertTrue(refused)
        for text in refused:
            self.assertRegex(
                text,
                'failed to commit persistent state to disk'
                '|Too many open files',
            )
        # Reading goes on, and closing makes room again.
        self.assertEqual(
            b'', self.client.run(commands.read_file(min(handles), 1)).data
        )
        for handle in sorted(handles)[:20]:
            self.client.run(commands.close_file(handle))
        self.assertNotIn(self.client.run(asked), handles)


class ContentTest(_FileTest):
    def test_a_reply_holds_what_is_in_the_file_in_base64(self):
        path = self.agent.files / 'bytes'
        path.write_bytes(bytes(range(256)))
        handle = self.open(path)
        [reply] = self.client.sync(commands.read_file(handle))
        self.assertEqual(
            {
                'count': 256,
                'buf-b64': base64.b64encode(bytes(range(256))).decode(),
                'eof': True,
            },
            reply,
        )
