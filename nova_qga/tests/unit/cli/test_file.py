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

"""file put and file get: whole files, and what is said of halves."""

import errno
import io
import os
import pathlib
import stat
import tempfile
import unittest

from nova_qga.cli import transfer
from nova_qga import errors
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID
PART = transfer.PART
BIG = bytes(range(256)) * (PART // 100)


class FileTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def local(self, data, name='local'):
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def run_file(self, *argv, stdin=b''):
        return run_cli.run('file', *argv, api=self.api, stdin=stdin)


class AttributesTest(FileTest):
    """Mode and owner of a file that is put."""

    def put(self, *options, data=b'x'):
        return self.run_file('put', UUID, self.local(data), '/x', *options)

    def test_they_go_with_the_first_part_alone(self):
        ended = self.put('--mode', '0600', '--owner', 'a:b', data=BIG)
        self.assertEqual(0, ended.code, ended.err)
        first, *others = self.api.attributes
        self.assertEqual(
            {'mode': '0600', 'owner': 'a', 'group': 'b', 'best_effort': False},
            first,
        )
        self.assertEqual([{}], others[:1])
        self.assertTrue(not any(others))

    def test_an_owner_or_a_group_may_stand_alone(self):
        for given, owner, group in (
            ('a', 'a', None),
            ('a:', 'a', None),
            (':b', None, 'b'),
        ):
            with self.subTest(given=given):
                self.api.attributes.clear()
                self.put('--owner', given, '--best-effort')
                self.assertEqual(
                    {
                        'mode': None,
                        'owner': owner,
                        'group': group,
                        'best_effort': True,
                    },
                    self.api.attributes[0],
                )

    def test_what_is_not_set_is_said_and_has_an_exit_code(self):
        for result, words in (
            ({'mode_set': False, 'owner_set': True}, 'The mode of the file'),
            ({'owner_set': False, 'not_set': 'no such'}, 'owner.*: no such'),
            ({'mode_set': False, 'owner_set': False}, 'mode and owner of'),
        ):
            with self.subTest(result=result):
                self.api.results['write_file'] = result
                ended = self.put('--mode', '600', '--best-effort', data=BIG)
                self.assertEqual(7, ended.code)
                self.assertRegex(ended.err, words)
                self.assertIn(f'{len(BIG)} bytes written', ended.out)

    def test_what_is_set_is_no_news(self):
        self.api.results['write_file'] = {'mode_set': True, 'not_set': None}
        ended = self.put('--mode', '600')
        self.assertEqual((0, ''), (ended.code, ended.err))


class PutTest(FileTest):
    def test_files_of_every_size_arrive_whole(self):
        for size in (0, 1, PART - 1, PART, PART + 1, 2 * PART, len(BIG)):
            with self.subTest(size=size):
                self.api.sizes.clear()
                ended = self.run_file(
                    'put', UUID, self.local(BIG[:size]), '/x'
                )
                self.assertEqual(0, ended.code, ended.err)
                self.assertEqual(BIG[:size], self.api.files['/x'])
                self.assertEqual({size}, set(self.api.sizes))
                self.assertIn(f'{size} bytes written to /x', ended.out)

    def test_no_part_is_empty_but_that_of_an_empty_file(self):
        self.run_file('put', UUID, self.local(BIG[: 2 * PART]), '/x')
        self.assertEqual(['write_file'] * 2, self.api.calls)
        self.run_file('put', UUID, self.local(b''), '/x')
        self.assertEqual(['write_file'] * 3, self.api.calls)

    def test_standard_input_is_sent_as_it_is(self):
        data = b'\xff\x00\r\n' + BIG
        ended = self.run_file('put', UUID, '-', '/x', stdin=data)
        self.assertEqual(0, ended.code, ended.err)
        self.assertEqual(data, self.api.files['/x'])
        self.assertEqual({None}, set(self.api.sizes))

    def test_what_cannot_be_read_is_named(self):
        for path, reason in (
            (self.folder / 'none', 'No such file'),
            (self.folder, 'Is a directory'),
        ):
            ended = self.run_file('put', UUID, str(path), '/x')
            self.assertEqual(2, ended.code)
            self.assertIn(f'cannot read {path}: {reason}', ended.err)
        self.assertEqual([], self.api.calls)

    def test_a_stop_in_the_middle_is_told_with_how_far_it_came(self):
        for error, code, done in (
            (fake_api.error('guest_unavailable', 'off'), 3, 2 * PART),
            (
                fake_api.error('operation_failed', 'full', done=7),
                1,
                2 * PART + 7,
            ),
            (errors.ServiceUnavailable('broker'), 4, 2 * PART),
            (errors.OutcomeUnknown('no answer'), 5, 2 * PART),
        ):
            with self.subTest(error=error):
                self.api.failures['write_file'] = [None, None, error]
                ended = self.run_file('put', UUID, self.local(BIG), '/x')
                self.assertEqual(code, ended.code)
                self.assertIn(
                    f'At least the first {done} bytes of it', ended.err
                )
                self.assertEqual('', ended.out)

    def test_a_refusal_of_the_whole_file_says_no_more(self):
        self.api.failures['write_file'] = [fake_api.error('command_failed')]
        ended = self.run_file('put', UUID, self.local(BIG), '/x')
        self.assertEqual('nova-qga: it failed\n', ended.err)
        self.assertEqual(1, ended.code)

    def test_an_interrupt_in_the_middle_is_told_with_how_far_it_came(self):
        self.api.failures['write_file'] = [None, KeyboardInterrupt()]
        ended = self.run_file('put', UUID, self.local(BIG), '/x')
        self.assertEqual(130, ended.code)
        self.assertIn(f'At least the first {PART} bytes', ended.err)
        self.assertNotIn('Traceback', ended.err)

    def test_an_interrupt_before_anything_is_quiet(self):
        self.api.failures['write_file'] = [KeyboardInterrupt()]
        ended = self.run_file('put', UUID, self.local(BIG), '/x')
        self.assertEqual((130, '', ''), ended[:3])

    def test_a_source_that_breaks_is_told_with_how_far_it_came(self):
        class Broken(io.BytesIO):
            def read(self, size=-1):
                data = super().read(size)
                if not data:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                return data

        sent = []
        with self.assertRaisesRegex(Exception, f'first {PART} bytes'):
            transfer.put(
                Broken(BIG[:PART]),
                lambda part, offset: sent.append(offset),
                lambda done: None,
            )
        self.assertEqual([0], sent)


class GetTest(FileTest):
    def test_files_of_every_size_arrive_whole(self):
        for size in (0, 1, PART - 1, PART, PART + 1, 2 * PART, len(BIG)):
            with self.subTest(size=size):
                self.api.files['/x'] = BIG[:size]
                target = self.folder / f'{size}'
                ended = self.run_file('get', UUID, '/x', str(target))
                self.assertEqual(0, ended.code, ended.err)
                self.assertEqual(BIG[:size], target.read_bytes())
                self.assertIn(f'{size} bytes read', ended.out)

    def test_standard_output_gets_the_bytes_and_no_more(self):
        self.api.files['/x'] = b'\xff\x00\x1b[31m' + BIG
        ended = self.run_file('get', UUID, '/x', '-')
        self.assertEqual(0, ended.code, ended.err)
        self.assertEqual(self.api.files['/x'], ended.raw)

    def test_a_file_that_exists_is_replaced_by_force_alone(self):
        self.api.files['/x'] = b'new'
        target = self.local(b'old')
        ended = self.run_file('get', UUID, '/x', target)
        self.assertEqual(2, ended.code)
        self.assertIn('--force', ended.err)
        self.assertEqual(b'old', pathlib.Path(target).read_bytes())
        self.assertEqual([], self.api.calls)
        ended = self.run_file('get', UUID, '/x', target, '--force')
        self.assertEqual(0, ended.code)
        self.assertEqual(b'new', pathlib.Path(target).read_bytes())

    def test_its_owner_alone_can_read_a_new_file(self):
        self.api.files['/x'] = b'secret'
        target = self.folder / 'target'
        self.run_file('get', UUID, '/x', str(target))
        self.assertEqual(0o600, stat.S_IMODE(target.stat().st_mode))

    def test_a_file_keeps_the_mode_of_what_it_replaces(self):
        self.api.files['/x'] = b'new'
        for mode in (0o600, 0o644):
            with self.subTest(mode=mode):
                target = pathlib.Path(self.local(b'old'))
                target.chmod(mode)
                self.run_file('get', UUID, '/x', str(target), '--force')
                self.assertEqual(b'new', target.read_bytes())
                self.assertEqual(mode, stat.S_IMODE(target.stat().st_mode))

    def test_a_failure_in_the_middle_leaves_nothing(self):
        self.api.files['/x'] = BIG
        for failure, code in (
            (fake_api.error('guest_unavailable'), 3),
            (errors.ServiceUnavailable('broker'), 4),
            (KeyboardInterrupt(), 130),
        ):
            with self.subTest(failure=failure):
                self.api.failures['read_file'] = [None, failure]
                target = str(self.folder / 'target')
                ended = self.run_file('get', UUID, '/x', target)
                self.assertEqual(code, ended.code)
                self.assertEqual([], list(self.folder.iterdir()))

    def test_a_file_that_came_up_meanwhile_is_not_replaced(self):
        target = self.folder / 'target'

        class Racing(fake_api.FakeApi):
            def read_file(self, *args, **kwargs):
                target.write_bytes(b'theirs')
                return super().read_file(*args, **kwargs)

        self.api = Racing()
        self.api.files['/x'] = b'ours'
        ended = self.run_file('get', UUID, '/x', str(target))
        self.assertEqual(2, ended.code)
        self.assertEqual([target], list(self.folder.iterdir()))
        self.assertEqual(b'theirs', target.read_bytes())

    def test_what_is_no_regular_file_is_never_replaced(self):
        self.api.files['/x'] = b'new'
        fifo = self.folder / 'fifo'
        os.mkfifo(fifo)
        link = self.folder / 'link'
        link.symlink_to(self.local(b'old'))
        for target in (fifo, link, self.folder, pathlib.Path('/dev/null')):
            with self.subTest(target=target):
                ended = self.run_file(
                    'get', UUID, '/x', str(target), '--force'
                )
                self.assertEqual(2, ended.code)
                self.assertIn(str(target), ended.err)
        self.assertTrue(link.is_symlink() and fifo.is_fifo())
        self.assertEqual([], self.api.calls)

    def test_a_folder_that_is_not_there_is_named(self):
        target = self.folder / 'none' / 'x'
        ended = self.run_file('get', UUID, '/x', str(target))
        self.assertEqual(2, ended.code)
        self.assertIn(f'cannot write {target}: No such file', ended.err)

    def test_a_guest_that_sends_nothing_and_no_end_is_left(self):
        with self.assertRaisesRegex(Exception, 'sends none of it'):
            transfer.get(
                io.BytesIO(), lambda *_: (b'', False), lambda done: None
            )
