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

"""What a person sees at a terminal, and how soon the program starts."""

import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap

import fixtures

from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import terminal

UUID = fake_api.UUID

# Parts take their time, so that a bar can be seen.
PROGRAM = textwrap.dedent("""
    import sys, time
    from nova_qga.cli import shell, target
    from nova_qga.tests.fixtures import fake_api

    class SlowApi(fake_api.FakeApi):
        def _outcome(self, operation, result):
            time.sleep(0.15)
            return super()._outcome(operation, result)

    api = SlowApi()
    api.files['/big'] = bytes(6 << 20)
    api.files['/text'] = b'caf\\xc3\\xa9\\t1\\n\\x1b[31mred\\x07\\n\\xff'
    program = shell.Shell(lambda options: target.Link(api, ''), None)
    sys.exit(program.run(['--host', 'c1', *sys.argv[1:]]))
""")

LOADED = textwrap.dedent("""
    import sys
    from nova_qga.cli import shell
    try:
        shell.main(sys.argv[1:])
    except SystemExit:
        pass
    print(*sys.modules, file=sys.stderr)
""")


class TerminalTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *argv, columns=100):
        return self.useFixture(
            terminal.Terminal(
                [sys.executable, '-W', 'ignore', '-c', PROGRAM, *argv],
                columns=columns,
            )
        )

    def big(self, size):
        path = self.folder / 'big.bin'
        with path.open('wb') as file:
            file.truncate(size)
        return str(path)

    def test_a_long_put_shows_how_far_it_is(self):
        screen = self.start('file', 'put', UUID, self.big(6 << 20), '/x')
        screen.expect('/6.3 MB')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertIn('big.bin', screen.text)
        self.assertIn('6291456 bytes written to /x', screen.text)

    def test_a_short_put_shows_no_bar(self):
        screen = self.start('file', 'put', UUID, self.big(4 << 20), '/x')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertNotIn('MB', screen.text)

    def test_a_long_get_shows_how_far_it_is(self):
        target = self.folder / 'got'
        screen = self.start('file', 'get', UUID, '/big', str(target))
        screen.expect('5.2')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertEqual(6 << 20, target.stat().st_size)

    def test_an_interrupt_in_the_middle_ends_the_bar_and_says_how_far(self):
        screen = self.start('file', 'put', UUID, self.big(64 << 20), '/x')
        screen.expect('2.1/67.1 MB')
        screen.type('\x03')
        self.assertEqual(130, screen.wait(), screen.text)
        self.assertIn('At least the first', screen.text)
        self.assertNotIn('Traceback', screen.text)
        # The cursor is shown again.
        self.assertIn('\x1b[?25h', screen.screen)

    def test_keys_that_are_to_be_typed_are_asked_for(self):
        screen = self.start('key', 'add', UUID)
        screen.expect('Public keys, one a line')
        screen.type(f'{fake_api.ED25519}\n\x04')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertIn('1 key added', screen.text)

    def test_content_gives_the_terminal_no_commands(self):
        screen = self.start('file', 'get', UUID, '/text', '-')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertEqual(
            'café\t1\r\n\\x1b[31mred\\x07\r\n\\xff', screen.screen
        )

    def test_a_table_is_fitted_to_a_narrow_terminal(self):
        screen = self.start('guest', 'list', columns=72)
        self.assertEqual(0, screen.wait())
        for line in screen.text.splitlines():
            self.assertLessEqual(len(line), 72)


class StartTest(fixtures.TestWithFixtures):
    def test_help_and_usage_errors_load_nothing_heavy(self):
        for argv in (('--help',), ('guest', 'list', '--help'), ('guest',)):
            with self.subTest(argv=argv):
                done = subprocess.run(
                    [sys.executable, '-W', 'ignore', '-c', LOADED, *argv],
                    capture_output=True,
                    text=True,
                )
                loaded = set(done.stderr.splitlines()[-1].split())
                self.assertIn('nova_qga.cli.shell', loaded)
                heavy = {
                    'cmd2',
                    'cryptography',
                    'eventlet',
                    'keystoneauth1',
                    'libvirt',
                    'openstack',
                    'oslo_config',
                    'oslo_messaging',
                    'passlib',
                    'requests',
                    'rich',
                }
                self.assertEqual(set(), loaded & heavy)

    def test_a_reader_that_has_gone_is_no_traceback(self):
        program = os.path.join(os.path.dirname(sys.executable), 'nova-qga')
        reader, writer = os.pipe()
        os.close(reader)
        try:
            done = subprocess.run(
                [program, '--help'],
                stdout=writer,
                stderr=subprocess.PIPE,
                text=True,
            )
        finally:
            os.close(writer)
        self.assertNotIn('Traceback', done.stderr)
        self.assertNotIn('Exception ignored', done.stderr)
