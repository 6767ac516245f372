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

"""Mode and owner of a file: set before anything is in it, or not written."""

import unittest

from nova_qga import errors
from nova_qga.operations import file_attributes
from nova_qga.operations import files
from nova_qga.tests.fixtures import scripted_files
from nova_qga.tests.fixtures import scripted_guest
from nova_qga.tests.fixtures import scripted_programs

PATH = '/etc/app.key'
WANTED = file_attributes.Attributes('0640', 'app', 'ssl')
EXEC = ['guest-exec', 'guest-exec-status']


class AttributesTest(unittest.TestCase):
    def setUp(self):
        self.files = scripted_files.ScriptedFiles({PATH: b'old'})
        self.programs = scripted_programs.ScriptedPrograms(self.files)
        self.guest = scripted_guest.ScriptedGuest(
            self.files.replies() | self.programs.replies()
        )

    def write(self, path=PATH, wanted=WANTED, **more):
        return files.write_file(
            self.guest, path=path, data=b'secret', attributes=wanted, **more
        )

    def block(self):
        for name in EXEC:
            del self.guest.replies[name]
        self.guest.blocked = EXEC

    def assert_nothing_written(self, words, error=errors.OperationFailed):
        with self.assertRaisesRegex(error, words) as caught:
            self.write()
        self.assertIn('nothing was written', str(caught.exception))
        self.assertEqual({PATH: b'old'}, self.files.contents)
        self.assertNotIn('guest-file-open', self.guest.names)
        return caught.exception

    def test_they_are_set_before_anything_is_written(self):
        seen = []
        write = self.guest.replies['guest-file-write']

        def watch(arguments):
            seen.append((self.programs.modes, self.programs.owners))
            return write(arguments)

        self.guest.replies['guest-file-write'] = watch
        result = self.write()
        self.assertEqual(
            (True, True, None),
            (result['mode_set'], result['owner_set'], result['not_set']),
        )
        self.assertEqual(
            [({PATH: '0640'}, {PATH: 'app:ssl'})],
            seen,
        )
        self.assertEqual({PATH: b'secret'}, self.files.contents)
        self.assertEqual(
            ['mktemp', 'chmod', 'chown', 'mv'],
            [name for name, *_ in self.programs.ran],
        )

    def test_only_what_is_wanted_is_set_and_told(self):
        for wanted, ran, told in (
            (('0600', None, None), 'chmod', {'mode_set'}),
            ((None, '1000', None), 'chown', {'owner_set'}),
            ((None, None, 'ssl'), 'chown', {'owner_set'}),
        ):
            with self.subTest(wanted=wanted):
                self.programs.ran.clear()
                result = self.write(wanted=file_attributes.Attributes(*wanted))
                names = [name for name, *_ in self.programs.ran]
                self.assertEqual(['mktemp', ran, 'mv'], names)
                self.assertEqual(told, {'mode_set', 'owner_set'} & {*result})
        self.assertEqual({PATH: ':ssl'}, self.programs.owners)

    def test_without_any_no_program_is_run(self):
        result = self.write(wanted=file_attributes.Attributes())
        self.assertEqual({'bytes_written', 'sha256'}, {*result})
        self.assertEqual([], self.programs.ran)

    def test_where_one_cannot_be_set_nothing_is_written(self):
        for name in ('mktemp', 'chmod', 'chown', 'mv'):
            with self.subTest(name=name):
                self.programs.failing = {name: 'not allowed\x1b'}
                error = self.assert_nothing_written(r'not allowed\\x1b')
                self.assertEqual('attributes_not_set', error.reason)
                self.programs.failing = {}
                self.programs.missing = {name}
                self.assert_nothing_written(f'{name} was not run')
                self.programs.missing = set()

    def test_where_programs_are_blocked_nothing_is_written(self):
        self.block()
        self.assert_nothing_written('best_effort', errors.CommandUnsupported)

    def test_a_path_of_windows_is_not_written(self):
        with self.assertRaisesRegex(errors.OperationFailed, 'Windows'):
            self.write(path='C:\\app.key')
        self.assertEqual([], self.programs.ran)

    def test_a_file_that_was_not_to_be_made_is_not_touched(self):
        for made in ('/etc/passwd', f'{PATH}.../passwd', '', f'{PATH}.a b'):
            with self.subTest(made=made):
                self.programs._mktemp = lambda words, made=made: made
                self.assert_nothing_written('another file')
        self.assertEqual({'mktemp'}, {name for name, *_ in self.programs.ran})

    def test_an_answer_that_never_came_is_unknown(self):
        self.guest.replies['guest-exec'] = errors.OutcomeUnknown('silence')
        self.assert_nothing_written('silence', errors.OutcomeUnknown)
        self.guest.replies['guest-exec'] = {'pid': 42}
        self.guest.replies['guest-exec-status'] = errors.ChannelTimeout('late')
        error = self.assert_nothing_written('late', errors.OutcomeUnknown)
        self.assertEqual(42, error.pid)

    def test_by_best_effort_it_is_written_and_what_is_not_set_told(self):
        for name, mode_set, owner_set in (
            ('mktemp', False, False),
            ('chmod', False, True),
            ('chown', True, False),
            ('mv', False, False),
        ):
            with self.subTest(name=name):
                self.programs.failing = {name: 'not allowed'}
                result = self.write(best_effort=True)
                self.assertEqual(
                    (mode_set, owner_set),
                    (result['mode_set'], result['owner_set']),
                )
                self.assertIn('not allowed', result['not_set'])
                self.assertEqual({PATH: b'secret'}, self.files.contents)

    def test_also_where_programs_are_blocked(self):
        self.block()
        result = self.write(best_effort=True)
        self.assertEqual(
            (False, False), (result['mode_set'], result['owner_set'])
        )
        self.assertIn('guest-exec is blocked', result['not_set'])
        self.assertEqual({PATH: b'secret'}, self.files.contents)

    def test_what_no_file_can_have_is_refused(self):
        for wanted in (
            ('', None, None),
            ('8', None, None),
            ('600 ', None, None),
            ('u+x', None, None),
            ('-rw', None, None),
            ('00600', None, None),
            (None, '', None),
            (None, '-R', None),
            (None, 'a:b', None),
            (None, 'a\nb', None),
            (None, None, 'a\0'),
            (None, None, '--reference=/etc/shadow'),
            (None, None, 'x' * 257),
        ):
            with self.subTest(wanted=wanted):
                with self.assertRaises(errors.InvalidRequest):
                    file_attributes.check(
                        file_attributes.Attributes(*wanted), 0
                    )

    def test_they_go_with_the_beginning_of_a_file(self):
        with self.assertRaisesRegex(errors.InvalidRequest, 'offset'):
            self.write(offset=3)
        self.assertEqual([], self.guest.names)
