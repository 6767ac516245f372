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

"""Hostile words to every command, taken from the entry points.

The commands call the real endpoint of a host, whose guest follows a script.
"""

import contextlib
import io
import itertools
import os
import pathlib
import signal
import subprocess
from typing import Any
import unittest

import fixtures
import hypothesis
from hypothesis import strategies
from stevedore import extension

from nova_qga.cli import outcome
from nova_qga.cli import shell
from nova_qga.cli import target
from nova_qga.rpc import api
from nova_qga.rpc import local
from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import fake_nova
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.unit.rpc import test_validation

_found: extension.ExtensionManager[Any] = extension.ExtensionManager(
    'nova_qga.cli'
)
COMMANDS = {each.name.replace('_', ' '): each.plugin for each in _found}
#: What stands for a value that is taken, by its name in the usage.
TAKEN = {
    '<server>': known_host.UUID,
    '<number>': '1',
    '<seconds>': '5',
    '<name>': 'root',
    '<remote>': '/tmp/x',
    '<path>': '/mnt',
    '<time>': '2026-01-01T00:00:00Z',
    '<command>': '/bin/true',
    '<mode>': '0600',
}
#: Commands that may go on until Ctrl-C, and seconds after which it comes.
ENDLESS = ('top', 'metrics plot', 'metrics show')
PATIENCE = 0.3
#: Exit code after Ctrl-C.
INTERRUPTED = 130
#: A word of a command has no NUL; what is no UTF-8 comes as surrogates.
HOSTILE = (
    '',
    ' ',
    '0',
    '-1',
    '1.5',
    '1e400',
    'nan',
    'inf',
    '9' * 30,
    '9' * 5000,
    '٣',
    '1_0',
    'x',
    'x' * 100_000,
    '/',
    '/nowhere/at/all',
    '/dev/full',
    '/dev/null',
    'x\ny',
    'x\r\x1b[2J\x1b]0;title\x07',
    '\u202etxt',
    'x:y',
    b'\xff\xfe/x'.decode('utf-8', 'surrogateescape'),
    b'/\xc3\x28'.decode('utf-8', 'surrogateescape'),
    '%s%n{0}',
    '--',
    '-',
    '--x\n=y',
    '@/etc/passwd',
    known_host.UUID.upper(),
    known_host.UUID,
    '0001-01-01T00:00:00',
    '9999-12-31T23:59:59-23:59',
    '2026-01-01',
)
CHARACTERS = strategies.characters(
    min_codepoint=1, max_codepoint=0xD7FF
) | strategies.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)


class Streams:
    """Standard input, output and error as a program has them."""

    def __init__(self, out=None):
        self.input = io.TextIOWrapper(io.BytesIO(b''), encoding='utf-8')
        self.out = out or io.TextIOWrapper(
            io.BytesIO(), encoding='utf-8', newline=''
        )
        self.err = io.TextIOWrapper(
            io.BytesIO(), encoding='utf-8', errors='backslashreplace'
        )

    def text(self, stream):
        stream.flush()
        return stream.buffer.getvalue().decode()


def is_endless(argv):
    return ' '.join(argv).startswith(ENDLESS)


@contextlib.contextmanager
def interrupted(argv):
    """Press Ctrl-C where a command would go on until somebody does."""
    if not is_endless(argv):
        yield
        return
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def values_of(parser):
    """The arguments of a command that take a value."""
    return [
        action
        for action in parser._actions
        if action.nargs != 0 and action.metavar != '<file>'
    ]


class HostileTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        self.key = self.folder / 'key.pub'
        self.key.write_text(test_validation.KEY)
        self.host = known_host.KnownHost()
        self.host.answer_with('guest-info', {'version': '1'})
        self.numbers = itertools.count()

    def run_words(self, argv, out=None):
        """Run a command; its exit code, output and complaints."""
        streams = Streams(out)
        caller = local.LocalCaller(self.host.endpoint, known_host.ADMIN)
        link = target.Link(api.Api(caller, 5), 'here')
        with (
            contextlib.redirect_stdout(streams.out),
            contextlib.redirect_stderr(streams.err),
        ):
            program = shell.Shell(
                lambda _: link,
                lambda _: fake_nova.FakeNova(),
                streams.input,
                streams.out,
                streams.err,
            )
            try:
                with interrupted(argv):
                    code = program.run(argv)
            except SystemExit as ended:
                code = ended.code or 0
        return code, streams

    def check(self, argv):
        code, streams = self.run_words(argv)
        err = streams.text(streams.err)
        if code == INTERRUPTED and is_endless(argv):
            code = 0
        self.assertIn(code, list(outcome.ExitCode))
        self.assertNotIn('Traceback', err)
        self.assertNotIn('this is a bug', err)
        lines = err.splitlines()
        if err.startswith('usage:'):
            # It is followed by what is wrong.
            self.assertEqual(2, code)
            self.assertIn('error: ', lines[-1])
        elif code:
            # Where several guests were asked, a table says how each ended.
            self.assertTrue(lines or streams.text(streams.out))
            self.assertLess(len(lines), 3, err)
        for text in (err, streams.text(streams.out)):
            for line in text.split('\n'):
                self.assertTrue(line.isprintable(), line[:300])

    def words(self, action):
        """A value that an argument takes, as it is written."""
        value = TAKEN.get(action.metavar)
        if action.metavar == '<local>':
            value = str(self.folder / f'new-{next(self.numbers)}')
        if action.metavar == '<file>':
            value = str(self.key)
        if value is None:
            value = str(next(iter(action.choices or ()), 'x'))
        return value

    def argv(self, name, changed, value):
        """A command with what it needs, and one value that is hostile."""
        parser = COMMANDS[name](None, None).get_parser('x')
        argv, last = [*name.split()], []
        for action in parser._actions:
            is_it = action.dest == changed
            if action.option_strings:
                if is_it:
                    argv.append(f'{action.option_strings[-1]}={value}')
                elif action.required:
                    argv += [action.option_strings[-1], self.words(action)]
            elif is_it or action.nargs not in ('*', '?', 0):
                last.append(value if is_it else self.words(action))
        return [*argv, *last]


class CommandTest(HostileTest):
    def test_every_value_of_every_command_ends_in_an_exit_code(self):
        for name, command in COMMANDS.items():
            parser = command(None, None).get_parser('x')
            for action in parser._actions:
                if action.nargs == 0:
                    continue
                for number, value in enumerate(HOSTILE):
                    with self.subTest(
                        command=name, value=action.dest, number=number
                    ):
                        self.check(self.argv(name, action.dest, value))

    def test_values_that_all_commands_have_end_in_an_exit_code(self):
        for option in ('--timeout', '--host', '--os-cloud', '--log-file'):
            for number, value in enumerate(HOSTILE):
                if value in ('/dev/full', 'x') and option == '--log-file':
                    continue
                with self.subTest(option=option, number=number):
                    self.check([f'{option}={value}', 'guest', 'list'])

    @hypothesis.settings(
        deadline=None,
        max_examples=200,
        suppress_health_check=[
            hypothesis.HealthCheck.function_scoped_fixture,
            hypothesis.HealthCheck.differing_executors,
        ],
    )
    @hypothesis.given(
        strategies.sampled_from(sorted(COMMANDS)),
        strategies.lists(
            strategies.sampled_from(
                (known_host.UUID, '--host', '--online', '--json', '-f', '-c')
            )
            | strategies.text(CHARACTERS, max_size=20).filter(
                lambda word: not word.startswith('--d')
            ),
            max_size=5,
        ),
    )
    def test_any_words_end_in_an_exit_code(self, name, words):
        self.check([*name.split(), *words])


class OutputTest(unittest.TestCase):
    def test_output_that_cannot_be_written_is_said_in_a_line(self):
        for argv in (
            ('--help',),
            ('--version',),
            ('help', 'file', 'put'),
            ('guest', 'list', '--help'),
        ):
            with self.subTest(argv=argv), open('/dev/full', 'wb') as full:
                done = subprocess.run(
                    [cli_program.PROGRAM, *argv],
                    stdout=full,
                    stderr=subprocess.PIPE,
                    # Else argparse sees the error, and hides it.
                    env={**os.environ, 'PYTHONUNBUFFERED': ''},
                )
                self.assertEqual(1, done.returncode)
                [line] = done.stderr.decode().splitlines()
                self.assertIn('No space left', line)

    def test_a_file_name_that_is_no_text_is_shown_escaped(self):
        done = subprocess.run(
            [
                cli_program.PROGRAM,
                '--local',
                'file',
                'put',
                'x',
                b'/\xff\n',
                '/x',
            ],
            capture_output=True,
        )
        self.assertEqual(2, done.returncode)
        self.assertEqual(
            b'nova-qga: cannot read /\\udcff\\n: No such file or directory\n',
            done.stderr,
        )
