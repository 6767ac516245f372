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

"""Files: chunks, counts, failures in the middle, and closing."""

import hashlib
import unittest

from nova_qga import errors
from nova_qga.operations import files
from nova_qga.protocol import commands
from nova_qga.tests.fixtures import scripted_files
from nova_qga.tests.fixtures import scripted_guest

PATH = '/tmp/file'
CHUNK = commands.WRITE_CHUNK
SIZES = (0, 1, CHUNK, CHUNK + 1, commands.CHUNK, commands.CHUNK + 1)


def pattern(size):
    return bytes(range(251)) * (size // 251) + bytes(size % 251)


def make(*args, **kwargs):
    files_in_guest = scripted_files.ScriptedFiles(*args, **kwargs)
    return (
        files_in_guest,
        scripted_guest.ScriptedGuest(files_in_guest.replies()),
    )


class WriteFileTest(unittest.TestCase):
    def test_any_size_arrives_whole_and_is_closed(self):
        for size in SIZES:
            with self.subTest(size=size):
                inside, guest = make()
                data = pattern(size)
                result = files.write_file(guest, path=PATH, data=data)
                self.assertEqual(
                    {
                        'bytes_written': size,
                        'sha256': hashlib.sha256(data).hexdigest(),
                    },
                    result,
                )
                self.assertEqual({PATH: data}, inside.contents)
                self.assertEqual({}, inside.handles)

    def test_offset_0_empties_the_file_first(self):
        inside, guest = make({PATH: b'something long'})
        files.write_file(guest, path=PATH, data=b'new')
        self.assertEqual(b'new', inside.contents[PATH])

    def test_another_offset_leaves_what_is_around_it(self):
        inside, guest = make({PATH: b'0123456789'})
        files.write_file(guest, path=PATH, data=b'abc', offset=4, verify=True)
        self.assertEqual(b'0123abc789', inside.contents[PATH])

    def test_an_offset_wants_a_file_that_is_there(self):
        inside, guest = make()
        with self.assertRaisesRegex(errors.CommandError, 'No such file'):
            files.write_file(guest, path=PATH, data=b'abc', offset=4)
        self.assertEqual({}, inside.contents)

    def test_a_short_write_goes_on_with_the_rest(self):
        inside, guest = make(takes=7)
        data = pattern(100)
        files.write_file(guest, path=PATH, data=data, verify=True)
        self.assertEqual(data, inside.contents[PATH])

    def test_a_full_disk_tells_how_far_it_came(self):
        inside, guest = make(room=CHUNK + 5)
        with self.assertRaises(errors.OperationFailed) as caught:
            files.write_file(guest, path=PATH, data=bytes(2 * CHUNK))
        self.assertEqual(CHUNK, caught.exception.done)
        self.assertIn(
            f'{CHUNK} of {2 * CHUNK} bytes were written',
            str(caught.exception),
        )
        self.assertIn('No space left', str(caught.exception))
        self.assertEqual({}, inside.handles)

    def test_a_disk_found_full_by_the_flush_does_not_count_the_chunk(self):
        inside, guest = make()
        guest.replies['guest-file-flush'] = scripted_guest.in_turn(
            {}, scripted_guest.refusal('No space left on device')
        )
        with self.assertRaises(errors.OperationFailed) as caught:
            files.write_file(guest, path=PATH, data=bytes(2 * CHUNK))
        self.assertEqual(CHUNK, caught.exception.done)
        self.assertEqual({}, inside.handles)

    def test_a_count_that_cannot_be_is_a_failure(self):
        for count in (0, 4):
            with self.subTest(count=count):
                inside, guest = make()
                guest.replies['guest-file-write'] = {
                    'count': count,
                    'eof': False,
                }
                with self.assertRaises(errors.OperationFailed) as caught:
                    files.write_file(guest, path=PATH, data=b'abc')
                self.assertEqual(0, caught.exception.done)
                self.assertEqual({}, inside.handles)

    def test_a_broken_answer_to_a_write_leaves_the_outcome_unknown(self):
        inside, guest = make()
        guest.replies['guest-file-write'] = {'count': -1}
        with self.assertRaisesRegex(errors.OutcomeUnknown, '0 of 3 bytes'):
            files.write_file(guest, path=PATH, data=b'abc')
        self.assertEqual({}, inside.handles)
        self.assertEqual(1, guest.names.count('guest-file-write'))

    def test_whatever_fails_the_file_is_closed(self):
        for step in ('seek', 'write', 'flush'):
            for failure in (
                scripted_guest.refusal('no'),
                errors.ChannelTimeout('too late'),
                errors.GuestUnavailable('frozen', 'frozen'),
                RuntimeError('a bug of ours'),
            ):
                with self.subTest(step=step, failure=failure):
                    inside, guest = make({PATH: b'old'})
                    guest.replies[f'guest-file-{step}'] = failure
                    with self.assertRaises(
                        (errors.OperationFailed, RuntimeError)
                    ):
                        files.write_file(guest, path=PATH, data=b'x', offset=1)
                    self.assertEqual({}, inside.handles)
                    # Time may have run out: closing has some of its own.
                    [closed] = guest.cleanups
                    self.assertEqual('guest-file-close', closed.name)

    def test_a_file_that_was_emptied_only_is_said_to_be(self):
        for offset, gone in ((0, True), (1, False)):
            with self.subTest(offset=offset):
                inside, guest = make({PATH: b'old'})
                guest.replies['guest-file-write'] = scripted_guest.refusal(
                    'No space left'
                )
                with self.assertRaises(errors.OperationFailed) as caught:
                    files.write_file(
                        guest, path=PATH, data=b'x', offset=offset
                    )
                said = 'held before is gone' in str(caught.exception)
                self.assertEqual(gone, said)

    def test_a_close_that_fails_after_writing_is_a_failure(self):
        _, guest = make()
        guest.replies['guest-file-close'] = scripted_guest.refusal('I/O error')
        with self.assertRaisesRegex(
            errors.OperationFailed, '3 of 3 bytes .* I/O error'
        ) as caught:
            files.write_file(guest, path=PATH, data=b'abc')
        self.assertEqual(3, caught.exception.done)

    def test_a_close_without_an_answer_leaves_the_outcome_unknown(self):
        _, guest = make()
        guest.replies['guest-file-close'] = errors.OutcomeUnknown('no answer')
        with self.assertRaisesRegex(errors.OutcomeUnknown, '3 of 3 bytes'):
            files.write_file(guest, path=PATH, data=b'abc')

    def test_a_failed_close_does_not_hide_the_first_failure(self):
        _, guest = make(room=0)
        guest.replies['guest-file-close'] = scripted_guest.refusal('I/O error')
        with self.assertRaisesRegex(errors.OperationFailed, 'No space left'):
            files.write_file(guest, path=PATH, data=b'abc')

    def test_a_seek_to_another_place_writes_nothing(self):
        inside, guest = make({PATH: b'0123'})
        guest.replies['guest-file-seek'] = {'position': 0, 'eof': False}
        with self.assertRaisesRegex(errors.OperationFailed, 'byte 0 instead'):
            files.write_file(guest, path=PATH, data=b'x', offset=2)
        self.assertEqual({PATH: b'0123'}, inside.contents)

    def test_reading_back_finds_other_bytes(self):
        inside, guest = make()
        reply = guest.replies['guest-file-flush']

        def spoil(arguments):
            inside.contents[PATH] = b'xyz'
            return reply(arguments)

        guest.replies['guest-file-flush'] = spoil
        files.write_file(guest, path=PATH, data=b'abc')
        with self.assertRaisesRegex(
            errors.OperationFailed, 'others are read back'
        ) as caught:
            files.write_file(guest, path=PATH, data=b'abc', verify=True)
        self.assertEqual(3, caught.exception.done)

    def test_a_file_cut_while_it_is_read_back_is_a_difference(self):
        inside, guest = make()
        guest.replies['guest-file-read'] = {
            'count': 0,
            'buf-b64': '',
            'eof': True,
        }
        with self.assertRaises(errors.OperationFailed):
            files.write_file(guest, path=PATH, data=b'abc', verify=True)
        self.assertEqual({}, inside.handles)

    def test_a_failure_to_read_back_says_that_all_was_written(self):
        for failure in (
            scripted_guest.refusal('no'),
            errors.ChannelTimeout('too late'),
            errors.OutcomeUnknown('too late'),
        ):
            with self.subTest(failure=failure):
                _, guest = make()
                guest.replies['guest-file-read'] = failure
                with self.assertRaisesRegex(
                    errors.OperationFailed, 'all 3 bytes were written'
                ) as caught:
                    files.write_file(
                        guest, path=PATH, data=b'abc', verify=True
                    )
                self.assertEqual(3, caught.exception.done)

    def test_a_blocked_command_is_found_before_anything_is_sent(self):
        for verb in ('open', 'close', 'write', 'flush', 'seek', 'read'):
            with self.subTest(verb=verb):
                _, guest = make({PATH: b'old'})
                guest.blocked = [f'guest-file-{verb}']
                with self.assertRaisesRegex(
                    errors.CommandUnsupported, f'guest-file-{verb} is blocked'
                ):
                    files.write_file(
                        guest, path=PATH, data=b'abc', offset=1, verify=True
                    )
                self.assertEqual([], guest.executed)

    def test_what_is_not_needed_may_be_blocked(self):
        inside, guest = make()
        guest.blocked = ['guest-file-seek', 'guest-file-read']
        files.write_file(guest, path=PATH, data=b'abc')
        self.assertEqual(b'abc', inside.contents[PATH])


class ReadFileTest(unittest.TestCase):
    def test_any_size_is_read_whole_and_closed(self):
        for size in SIZES:
            with self.subTest(size=size):
                inside, guest = make({PATH: pattern(size)})
                part = files.read_file(guest, path=PATH, length=size + 1)
                self.assertEqual((pattern(size), True), part)
                self.assertEqual({}, inside.handles)

    def test_a_part_is_as_long_as_was_asked(self):
        _, guest = make({PATH: b'0123456789'})
        part = files.read_file(guest, path=PATH, offset=3, length=4)
        self.assertEqual((b'3456', False), part)

    def test_past_the_end_there_is_nothing(self):
        _, guest = make({PATH: b'0123'})
        part = files.read_file(guest, path=PATH, offset=9, length=4)
        self.assertEqual((b'', True), part)

    def test_nothing_and_no_end_is_a_failure(self):
        inside, guest = make({PATH: b''})
        guest.replies['guest-file-read'] = {
            'count': 0,
            'buf-b64': '',
            'eof': False,
        }
        with self.assertRaises(errors.OperationFailed):
            files.read_file(guest, path=PATH, length=4)
        self.assertEqual({}, inside.handles)

    def test_a_count_that_is_not_the_data_is_refused(self):
        inside, guest = make({PATH: b''})
        guest.replies['guest-file-read'] = {
            'count': 2,
            'buf-b64': 'YWJj',
            'eof': True,
        }
        with self.assertRaises(errors.InvalidReply):
            files.read_file(guest, path=PATH, length=4)
        self.assertEqual({}, inside.handles)

    def test_a_guest_that_gives_single_bytes_is_read_to_the_length(self):
        inside, guest = make({PATH: b''})
        guest.replies['guest-file-read'] = {
            'count': 1,
            'buf-b64': 'eA==',
            'eof': False,
        }
        part = files.read_file(guest, path=PATH, length=5)
        self.assertEqual((b'xxxxx', False), part)

    def test_a_directory_opens_and_is_closed_again(self):
        inside, guest = make({PATH: b''})
        guest.replies['guest-file-read'] = scripted_guest.refusal(
            'failed to read file: Is a directory'
        )
        with self.assertRaisesRegex(errors.CommandError, 'Is a directory'):
            files.read_file(guest, path=PATH, length=4)
        self.assertEqual({}, inside.handles)

    def test_reading_never_leaves_an_unknown_outcome(self):
        for verb in ('open', 'close'):
            with self.subTest(verb=verb):
                _, guest = make({PATH: b'abc'})
                guest.replies[f'guest-file-{verb}'] = errors.OutcomeUnknown('')
                if verb == 'close':
                    part = files.read_file(guest, path=PATH, length=4)
                    self.assertEqual((b'abc', True), part)
                else:
                    with self.assertRaises(errors.ChannelTimeout):
                        files.read_file(guest, path=PATH, length=4)


class CheckRangeTest(unittest.TestCase):
    def test_what_cannot_be_a_file_is_refused_before_anything_is_sent(self):
        for path in (
            '',
            'relative',
            './x',
            '~/x',
            'C:x',
            '\\\\server\\share\\x',
            'file:///x',
            '/x\0y',
            '/x\udc80',
            '/' + 'x' * files.MAX_PATH,
        ):
            inside, guest = make()
            with self.subTest(path=path[:20]):
                with self.assertRaises(errors.InvalidRequest) as caught:
                    files.write_file(guest, path=path, data=b'')
                self.assertTrue(str(caught.exception).isprintable())
                self.assertEqual([], guest.executed)

    def test_ranges_that_no_file_has_are_refused(self):
        for offset, length in ((-1, 1), (0, -1), (1 << 63, 0), (1, 2**63 - 1)):
            with self.subTest(offset=offset, length=length):
                with self.assertRaises(errors.InvalidRequest):
                    files.check_range('/x', offset, length)

    def test_posix_and_windows_paths_are_absolute(self):
        for path in ('/', '/x y\n☃', 'C:\\x', 'c:/x'):
            files.check_range(path, 0, 0)
