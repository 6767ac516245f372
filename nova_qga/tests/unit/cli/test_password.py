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

"""password set: where a password may come from, and where it never goes."""

import math
import os
import pathlib
import sys
import tempfile
import textwrap
import unittest

import fixtures

from nova_qga.cli import secret
from nova_qga import errors
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli
from nova_qga.tests.fixtures import terminal

UUID = fake_api.UUID
SECRET = 's3cret pâss '

# What it set is told on file descriptor 3, away from the terminal.
PROGRAM = textwrap.dedent("""
    import os, sys
    from nova_qga.cli import shell, target
    from nova_qga.tests.fixtures import fake_api
    api = fake_api.FakeApi()
    program = shell.Shell(lambda options: target.Link(api, ''), None)
    code = program.run(['--host', 'c1', 'password', 'set', *sys.argv[1:]])
    os.write(int(os.environ['REPORT']), repr(api.passwords).encode())
    sys.exit(code)
""")


class NotAskedTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()

    def set_password(self, *argv, stdin=b''):
        return run_cli.run(
            'password', 'set', UUID, *argv, api=self.api, stdin=stdin
        )

    def file(self, data):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name, 'password')
        path.write_bytes(data)
        return str(path)

    def test_one_line_break_at_the_end_is_not_part_of_it(self):
        for end in ('', '\n', '\r\n'):
            data = f'{SECRET}{end}'.encode()
            with self.subTest(end=end):
                ended = self.set_password('--stdin', stdin=data)
                self.assertEqual(0, ended.code, ended.err)
                self.assertEqual((SECRET, True), self.api.passwords['root'])
                ended = self.set_password(
                    '--user', 'ubuntu', '--password-file', self.file(data)
                )
                self.assertEqual(0, ended.code, ended.err)
                self.assertEqual((SECRET, True), self.api.passwords['ubuntu'])

    def test_clear_is_not_hashed(self):
        self.set_password('--stdin', '--clear', stdin=SECRET)
        self.assertEqual({'root': (SECRET, False)}, self.api.passwords)

    def test_what_can_be_no_password_is_refused_and_not_repeated(self):
        for data, reason in (
            (b'', 'empty password'),
            (b'\n', 'empty password'),
            (b'hunter2\n\n', 'more than one line'),
            (b'hunter2\nhunter2', 'more than one line'),
            (b'hunter2\x00', 'control character'),
            (b'hunter2\r\r\n', 'control character'),
            (b'hunter2' * 1000, 'more than 512 characters'),
            (b'hunter2\xff', 'not text in UTF-8'),
        ):
            for source in ('--stdin', '--password-file'):
                with self.subTest(data=data[:20], source=source):
                    if source == '--stdin':
                        ended = self.set_password(source, stdin=data)
                    else:
                        ended = self.set_password(source, self.file(data))
                    self.assertEqual(2, ended.code)
                    self.assertIn(reason, ended.err)
                    self.assertNotIn('hunter2', ended.err + ended.out)
                    self.assertEqual([], self.api.calls)

    def test_a_file_that_cannot_be_read_is_named(self):
        ended = self.set_password('--password-file', '/nonexistent/file')
        self.assertEqual(2, ended.code)
        self.assertIn('/nonexistent/file: No such file', ended.err)

    def test_an_argument_is_refused_and_not_repeated(self):
        for argv in (
            ('--password', 'hunter2'),
            ('--password=hunter2',),
            ('--password',),
            ('--pass', 'hunter2'),
        ):
            with self.subTest(argv=argv):
                ended = self.set_password(*argv)
                self.assertEqual(2, ended.code)
                self.assertEqual([], self.api.calls)
                if argv[0] != '--pass':
                    self.assertIn('is never an argument', ended.err)
                    self.assertNotIn('hunter2', ended.err)

    def test_a_file_and_standard_input_together_are_refused(self):
        ended = self.set_password('--stdin', '--password-file', 'x')
        self.assertEqual(2, ended.code)

    def test_success_does_not_show_it(self):
        ended = self.set_password('--stdin', '-v', '--debug', stdin=SECRET)
        self.assertEqual(0, ended.code)
        self.assertNotIn('s3cret', ended.out + ended.err)


class GeneratedTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()

    def generate(self, *argv):
        return run_cli.run(
            'password', 'set', UUID, '--generate', *argv, api=self.api
        )

    def fail(self, state, code):
        self.api.state = state
        self.api.failures['set_password'] = [fake_api.error(code)]
        return self.generate()

    def test_it_is_set_and_is_all_of_standard_output(self):
        for argv in ((), ('--clear',), ('-q',), ('-v',), ('--user', 'bob')):
            with self.subTest(argv=argv):
                ended = self.generate(*argv)
                self.assertEqual(0, ended.code, ended.err)
                user = argv[1] if len(argv) > 1 else 'root'
                made, crypt = self.api.passwords[user]
                self.assertEqual(f'{made}\n', ended.out)
                self.assertNotIn(made, ended.err)
                self.assertEqual('--clear' not in argv, crypt)

    def test_it_has_110_bits_and_nothing_that_is_easily_misread(self):
        seen = set()
        letters = set()
        for _ in range(500):
            made = secret.made()
            seen.add(made)
            letters |= set(made)
            self.assertTrue(made.isascii() and made.isalnum())
            for kind in (str.islower, str.isupper, str.isdigit):
                self.assertTrue(any(map(kind, made)), made)
        self.assertEqual(500, len(seen))
        self.assertEqual(set(), letters & set('0Oo1Il'))
        self.assertGreater(secret.MADE * math.log2(len(letters)), 110)

    def test_one_that_may_have_been_set_is_shown_with_a_warning(self):
        self.api.failures['set_password'] = [errors.OutcomeUnknown('silence')]
        ended = self.generate()
        self.assertEqual(5, ended.code)
        self.assertEqual(secret.MADE + 1, len(ended.out))
        self.assertIn('not known', ended.err)
        ended = self.fail('unknown', 'outcome_unknown')
        self.assertEqual(5, ended.code)
        made, _ = self.api.passwords['root']
        self.assertEqual(f'{made}\n', ended.out)
        self.assertIn('not known', ended.err)
        self.assertNotIn(made, ended.err)

    def test_who_interrupts_it_sees_what_may_have_been_set(self):
        self.api.failures['set_password'] = [KeyboardInterrupt()]
        ended = self.generate()
        self.assertEqual(130, ended.code)
        self.assertEqual(secret.MADE + 1, len(ended.out))
        self.assertIn('not known', ended.err)

    def test_one_that_was_not_set_is_not_shown(self):
        for state, code in (
            ('failed', 'command_failed'),
            ('failed', 'service_unavailable'),
            ('failed', 'unknown_key'),
            ('expired', 'expired'),
            ('denied', 'denied'),
        ):
            with self.subTest(state=state, code=code):
                ended = self.fail(state, code)
                self.assertNotEqual(0, ended.code)
                self.assertEqual('', ended.out)
        self.api.failures['set_password'] = [
            errors.ServiceUnavailable('no broker')
        ]
        ended = self.generate()
        self.assertEqual((4, ''), (ended.code, ended.out))

    def test_nobody_can_give_another_one_too(self):
        for argv in (('--stdin',), ('--password-file', 'x')):
            self.assertEqual(2, self.generate(*argv).code)
            self.assertEqual([], self.api.calls)


class AskedTest(fixtures.TestWithFixtures):
    def ask(self, *argv):
        self.report, end = os.pipe()
        os.set_inheritable(end, True)
        self.addCleanup(os.close, self.report)
        started = terminal.Terminal(
            [sys.executable, '-W', 'ignore', '-c', PROGRAM, UUID, *argv],
            env={'REPORT': str(end)},
        )
        try:
            return self.useFixture(started)
        finally:
            os.close(end)

    def told(self):
        return os.read(self.report, 4096).decode()

    def test_it_is_asked_for_twice_and_not_shown(self):
        screen = self.ask('--user', 'ubuntu')
        screen.expect('New password of ubuntu: ')
        screen.type('hunter2\n')
        screen.expect('Again: ')
        screen.type('hunter2\n')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertEqual("{'ubuntu': ('hunter2', True)}", self.told())
        self.assertNotIn('hunter2', screen.screen)

    def test_standard_input_that_is_a_terminal_does_not_show_it_either(self):
        screen = self.ask('--stdin')
        screen.expect('New password of root: ')
        screen.type('hunter2\n')
        screen.expect('Again: ')
        screen.type('hunter2\n')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertNotIn('hunter2', screen.screen)

    def test_two_that_differ_change_nothing(self):
        screen = self.ask()
        screen.expect('New password of root: ')
        screen.type('hunter2\n')
        screen.expect('Again: ')
        screen.type('hunter3\n')
        self.assertEqual(2, screen.wait())
        screen.expect('nothing was changed')
        self.assertEqual('{}', self.told())

    def test_an_empty_one_is_refused(self):
        screen = self.ask()
        screen.expect('New password of root: ')
        screen.type('\n')
        screen.expect('Again: ')
        screen.type('\n')
        self.assertEqual(2, screen.wait())
        self.assertEqual('{}', self.told())

    def test_the_end_of_input_is_a_refusal(self):
        screen = self.ask()
        screen.expect('New password of root: ')
        screen.type('\x04')
        self.assertEqual(2, screen.wait())
        screen.expect('no password was given')

    def test_an_interrupt_at_the_prompt_is_quiet(self):
        screen = self.ask()
        screen.expect('New password of root: ')
        screen.type('\x03')
        self.assertEqual(130, screen.wait())
        self.assertNotIn('Traceback', screen.text)
        self.assertEqual('{}', self.told())
