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

"""nova-qga --local, against libvirt and a real agent on this machine."""

import hashlib
import json
import os
import pathlib
import secrets
import signal
import subprocess
import time

import fixtures

from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import simulated_host

BIG = 5 * 1024 * 1024 + 321


class LocalTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.folder = self.useFixture(process.ShortFolder()).path
        self.agent = self.useFixture(qemu_ga.QemuGa())
        self.web = simulated_host.Simulated('instance-1', self.agent.socket)
        self.none = simulated_host.Simulated('instance-2', None)
        host = self.useFixture(
            simulated_host.SimulatedHost(self.web, self.none)
        )
        self.cli = self.useFixture(cli_program.local(host.uri))

    def failed(self, code, *words, **more):
        """The message of a command that must end so."""
        done = self.cli.run(*words, **more)
        self.assertEqual(code, done.returncode, done)
        self.assertNotIn(b'Traceback', done.stderr)
        self.assertEqual(1, done.stderr.count(b'\n'), done.stderr)
        return done.stderr.decode()

    def test_list_shows_all_guests(self):
        rows = json.loads(self.cli.out('guest', 'list', '-f', 'json'))
        self.assertEqual(
            [
                (self.web.uuid, 'running', 'direct'),
                (self.none.uuid, 'running', None),
            ],
            [(row['UUID'], row['State'], row['Channel']) for row in rows],
        )

    def test_show_tells_what_the_agent_tells(self):
        shown = json.loads(
            self.cli.out('guest', 'show', self.web.uuid, '-f', 'json')
        )
        self.assertEqual(self.web.owner.project_uuid, shown['project_id'])
        self.assertEqual('direct', shown['channel'])
        self.assertEqual(os.uname().nodename, shown['host_name'])
        self.assertEqual(os.uname().release, shown['os_kernel_release'])
        self.assertIn('guest-ping', shown['commands_enabled'])

    def test_ping_is_answered_over_the_direct_channel(self):
        answer = json.loads(
            self.cli.out('guest', 'ping', self.web.uuid, '-f', 'json')
        )
        self.assertEqual('direct', answer['channel'])
        self.assertGreater(answer['seconds'], 0)

    def test_metrics_are_numbers(self):
        rows = json.loads(
            self.cli.out('metrics', 'show', self.web.uuid, '-f', 'json')
        )
        found = {row['Name']: row['Value'] for row in rows}
        pages = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
        self.assertEqual(pages, found['guest.memory.total'])
        self.assertGreater(found['guest.uptime'], 0)

    def test_a_file_goes_there_and_comes_back(self):
        for size in (0, 1, BIG):
            with self.subTest(size=size):
                sent = self.folder / f'sent{size}'
                sent.write_bytes(secrets.token_bytes(size))
                there = self.agent.files / f'there{size}'
                got = self.folder / f'got{size}'
                uuid = self.web.uuid
                self.cli.out('file', 'put', uuid, sent, there, '--verify')
                self.assertEqual(sent.read_bytes(), there.read_bytes())
                self.cli.out('file', 'get', uuid, there, got)
                self.assertEqual(sent.read_bytes(), got.read_bytes())

    def test_a_file_goes_through_pipes(self):
        data = secrets.token_bytes(BIG)
        there = self.agent.files / 'there'
        uuid = self.web.uuid
        put = self.cli.run('file', 'put', uuid, '-', there, stdin=data)
        self.assertEqual(0, put.returncode, put)
        got = self.cli.run('file', 'get', uuid, there, '-')
        self.assertEqual(data, got.stdout)

    def test_a_write_that_stops_says_how_far_it_came(self):
        # A file system of two and a half parts.
        full = self.agent.files / 'full'
        full.mkdir()
        subprocess.run(
            ['mount', '-t', 'tmpfs', '-o', 'size=2560k', 'none', full],
            check=True,
        )
        self.addCleanup(subprocess.run, ['umount', full], check=True)
        sent = self.folder / 'sent'
        sent.write_bytes(bytes(BIG))
        said = self.failed(
            1, 'file', 'put', self.web.uuid, sent, full / 'there'
        )
        self.assertIn('No space left on device', said)
        self.assertRegex(
            said, r'At least the first 2\d{6} bytes of it are in the guest'
        )

    def test_too_large_a_file_is_refused_before_anything_is_done(self):
        large = self.folder / 'large'
        with large.open('wb') as file:
            file.truncate((64 << 20) + 1)
        there = self.agent.files / 'there'
        said = self.failed(2, 'file', 'put', self.web.uuid, large, there)
        self.assertIn('[qga_operations]max_file_size', said)
        self.assertFalse(there.exists())
        large.rename(there)
        got = self.folder / 'got'
        self.failed(2, 'file', 'get', self.web.uuid, there, got)
        self.assertEqual([], list(self.folder.iterdir()))

    def test_a_path_that_cannot_be_opened_is_told_in_the_guests_words(self):
        for words in (
            ('put', self.web.uuid, '/etc/hostname', '/none/x'),
            ('get', self.web.uuid, '/none/x', self.folder / 'got'),
        ):
            said = self.failed(1, 'file', *words)
            self.assertIn('/none/x', said)
            self.assertIn('No such file or directory', said)
        said = self.failed(2, 'file', 'put', self.web.uuid, '/etc/fstab', 'x')
        self.assertIn('not absolute', said)

    def test_a_guest_that_is_not_here_or_has_no_channel_is_3(self):
        nobody = '00000000-0000-4000-8000-000000000000'
        self.assertIn(nobody, self.failed(3, 'guest', 'ping', nobody))
        for words in (
            ('guest', 'ping', self.none.uuid),
            ('guest', 'show', self.none.uuid),
            ('metrics', 'show', self.none.uuid),
            ('key', 'list', self.none.uuid),
        ):
            with self.subTest(words=words):
                said = self.failed(3, *words)
                self.assertIn('no guest-agent channel', said)

    def test_an_agent_that_hangs_is_3_within_the_timeout(self):
        self.agent.freeze()
        self.addCleanup(self.agent.unfreeze)
        said = self.failed(3, '--timeout', '2', 'guest', 'ping', self.web.uuid)
        self.assertIn('no guest agent answers', said)

    def test_a_blocked_command_is_told(self):
        agent = self.useFixture(
            qemu_ga.QemuGa(block_rpcs=['guest-file-open', 'guest-get-users'])
        )
        web = simulated_host.Simulated('instance-1', agent.socket)
        host = self.useFixture(simulated_host.SimulatedHost(web))
        self.cli = self.useFixture(cli_program.local(host.uri))
        said = self.failed(1, 'file', 'get', web.uuid, '/etc/fstab', '-')
        self.assertIn('guest-file-open', said)
        shown = json.loads(
            self.cli.out('guest', 'show', web.uuid, '-f', 'json')
        )
        self.assertEqual(['users'], list(shown['unavailable']))
        self.assertIn('host_name', shown)

    def test_without_libvirtd_it_is_4(self):
        self.cli = self.useFixture(
            cli_program.local('qemu+unix:///system?socket=/nonexistent')
        )
        for words in (('guest', 'list'), ('guest', 'ping', self.web.uuid)):
            with self.subTest(words=words):
                said = self.failed(4, *words)
                self.assertIn('[qga_agent]libvirt_uri', said)

    def test_a_wrong_option_is_2_and_named(self):
        for text, words in (
            ('[qga_monitor]\ncollectors = cpu, gpu\n', 'gpu'),
            ('[qga_monitor]\ninterval = often\n', 'interval'),
            ('[qga_agent]\nsync_timeout = 0\n', 'sync_timeout'),
            ('no option\n', 'nova-qga.conf'),
        ):
            with self.subTest(text=text):
                self.cli = self.useFixture(
                    cli_program.CliProgram('--local', configuration=text)
                )
                self.assertIn(words, self.failed(2, 'guest', 'list'))

    def test_a_configuration_file_that_is_not_there_is_2(self):
        said = self.failed(2, '--config-file', '/none.conf', 'guest', 'list')
        self.assertIn('/none.conf', said)

    def test_an_interrupt_ends_it_at_once_and_quietly(self):
        self.agent.freeze()
        self.addCleanup(self.agent.unfreeze)
        screen = self.cli.at_terminal('guest', 'ping', self.web.uuid)
        waiting = f'/proc/{screen.pid}/task'
        self.assertTrue(
            process.wait_until(lambda: len(os.listdir(waiting)) > 3, 60)
        )
        time.sleep(0.5)
        screen.type('\x03')
        self.assertEqual(130, screen.wait(30))
        self.assertEqual('^C', screen.text.strip())

    def test_a_reader_that_has_gone_is_141_and_quiet(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            done = subprocess.run(
                self.cli.argv('guest', 'list'),
                stdout=writer,
                stderr=subprocess.PIPE,
            )
        finally:
            os.close(writer)
        self.assertEqual(b'', done.stderr)
        self.assertEqual(128 + signal.SIGPIPE, done.returncode)

    def test_a_disk_that_is_full_here_leaves_nothing(self):
        full = self.folder / 'full'
        full.mkdir()
        subprocess.run(
            ['mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', full],
            check=True,
        )
        self.addCleanup(subprocess.run, ['umount', full], check=True)
        there = self.agent.files / 'there'
        there.write_bytes(bytes(BIG))
        said = self.failed(
            1, 'file', 'get', self.web.uuid, there, full / 'got'
        )
        self.assertIn('No space left on device', said)
        self.assertEqual([], list(full.iterdir()))

    def test_the_bar_of_a_long_put_is_gone_at_its_end(self):
        sent = self.folder / 'sent'
        sent.write_bytes(secrets.token_bytes(40 << 20))
        there = self.agent.files / 'there'
        screen = self.cli.at_terminal(
            'file', 'put', self.web.uuid, sent, there
        )
        screen.expect('/41.9 MB')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertTrue(screen.text.rstrip().endswith(f'{self.web.uuid}.'))
        self.assertEqual(_digest(sent), _digest(there))

    def test_debug_shows_where_and_still_ends_with_the_code(self):
        done = self.cli.run('--debug', 'guest', 'ping', self.none.uuid)
        self.assertEqual(3, done.returncode)
        self.assertIn(b'Traceback', done.stderr)


def _digest(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
