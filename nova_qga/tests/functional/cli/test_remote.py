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

"""nova-qga --host: through RabbitMQ and a real nova-qga-agent."""

import json
import secrets
import signal

import fixtures
from passlib import hash as password_hash

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import rabbitmq
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host

BIG = 2 * 1024 * 1024 + 321


class RemoteTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.folder = self.useFixture(process.ShortFolder()).path
        self.ga = self.useFixture(qemu_ga.QemuGa())
        self.web = simulated_host.Simulated('instance-1', self.ga.socket)
        host = self.useFixture(simulated_host.SimulatedHost(self.web))
        self.name = f'compute-{secrets.token_hex(4)}'
        self.url = shared.broker().url
        self.agent = self.useFixture(
            agent_program.AgentProgram(host.uri, self.url, host=self.name)
        )
        self.cli = self.useFixture(cli_program.remote(self.name, self.url))

    def failed(self, code, *words, **more):
        done = self.cli.run(*words, **more)
        self.assertEqual(code, done.returncode, done)
        self.assertNotIn(b'Traceback', done.stderr)
        return done.stderr.decode()

    def test_list_ping_show_and_metrics_are_answered(self):
        rows = json.loads(self.cli.out('guest', 'list', '-f', 'json'))
        self.assertEqual([self.web.uuid], [row['UUID'] for row in rows])
        for words in (
            ('guest', 'ping'),
            ('guest', 'show'),
            ('metrics', 'show'),
        ):
            with self.subTest(words=words):
                said = self.cli.out(*words, self.web.uuid, '-f', 'json')
                self.assertTrue(json.loads(said))

    def test_a_folder_of_configuration_may_be_named(self):
        folder = self.folder / 'conf.d'
        folder.mkdir()
        (folder / 'x.conf').write_text(
            f'[DEFAULT]\ntransport_url = {self.url}\n'
        )
        self.cli = self.useFixture(
            cli_program.CliProgram(
                f'--host={self.name}', f'--config-dir={folder}'
            )
        )
        self.cli.out('guest', 'list')

    def test_a_wrong_password_of_the_broker_is_4_and_not_shown(self):
        url = self.url.replace('guest:guest', 'guest:hunter2')
        self.cli = self.useFixture(cli_program.remote(self.name, url))
        said = self.failed(4, 'guest', 'list')
        self.assertIn('user and password', said)
        self.assertNotIn('hunter2', said)

    def test_the_broker_is_taken_leave_of(self):
        broker = self.useFixture(rabbitmq.RabbitMQ())
        self.cli = self.useFixture(cli_program.remote('nobody', broker.url))
        self.failed(4, 'guest', 'list')
        broker.stop()
        self.assertNotIn('closed TCP connection', broker.logged())

    def test_a_file_goes_there_and_comes_back(self):
        sent, got = self.folder / 'sent', self.folder / 'got'
        sent.write_bytes(secrets.token_bytes(BIG))
        there = self.ga.files / 'there'
        self.cli.out('file', 'put', self.web.uuid, sent, there, '--verify')
        self.assertEqual(sent.read_bytes(), there.read_bytes())
        self.cli.out('file', 'get', self.web.uuid, there, got)
        self.assertEqual(sent.read_bytes(), got.read_bytes())

    def test_a_guest_that_is_not_there_is_3(self):
        nobody = '00000000-0000-4000-8000-000000000000'
        self.assertIn(nobody, self.failed(3, 'guest', 'ping', nobody))

    def test_a_host_without_an_agent_is_4_at_once(self):
        self.cli = self.useFixture(cli_program.remote('nobody', self.url))
        said = self.failed(4, 'guest', 'list', timeout=30)
        self.assertIn('nova-qga-agent on nobody', said)

    def test_without_a_broker_it_is_4_and_its_password_is_not_shown(self):
        self.cli = self.useFixture(
            cli_program.remote(
                'compute', 'rabbit://guest:hunter2@127.0.0.1:1/'
            )
        )
        said = self.failed(4, 'guest', 'list')
        self.assertIn('127.0.0.1:1', said)
        self.assertNotIn('hunter2', said)

    def test_a_broker_that_cannot_be_is_2_and_its_password_is_not_shown(self):
        for url in (
            'nothing://guest:hunter2@127.0.0.1/',
            'rabbit://guest:hunter2@127.0.0.1:port/',
            'rabbit://',
        ):
            with self.subTest(url=url):
                self.cli = self.useFixture(cli_program.remote('c', url))
                said = self.failed(2, 'guest', 'list')
                self.assertIn('transport_url', said)
                self.assertNotIn('hunter2', said)

    def test_an_agent_that_hangs_is_4_to_a_question(self):
        self.agent.signal(signal.SIGSTOP)
        self.addCleanup(self.agent.signal, signal.SIGCONT)
        said = self.failed(4, '--timeout', '2', 'guest', 'list')
        self.assertIn('did not answer', said)

    def test_an_agent_that_hangs_is_5_to_a_change(self):
        self.agent.signal(signal.SIGSTOP)
        self.addCleanup(self.agent.signal, signal.SIGCONT)
        said = self.failed(
            5,
            *('--timeout', '2', 'file', 'put', self.web.uuid),
            *('-', self.ga.files / 'there'),
            stdin=b'late',
        )
        self.assertIn('may have been', said)
        self.agent.signal(signal.SIGCONT)
        self.cli.out('guest', 'list')
        # It had expired when its turn came.
        self.assertFalse((self.ga.files / 'there').exists())

    def test_an_interrupt_ends_it_at_once_and_quietly(self):
        self.agent.signal(signal.SIGSTOP)
        self.addCleanup(self.agent.signal, signal.SIGCONT)
        screen = self.cli.at_terminal('-v', '-v', 'guest', 'list')
        # Its queue for answers is there, so it has sent the question.
        screen.expect('CALL msg_id')
        screen.type('\x03')
        self.assertEqual(130, screen.wait(10))
        self.assertNotIn('Traceback', screen.text)


class GuestTest(fixtures.TestWithFixtures):
    def test_local_gets_through_beside_an_agent_that_holds_the_channel(self):
        vm = shared.guest()
        name = f'compute-{secrets.token_hex(4)}'
        url = shared.broker().url
        self.useFixture(
            agent_program.AgentProgram(vm.host.uri, url, host=name)
        )
        remote = self.useFixture(cli_program.remote(name, url))
        local = self.useFixture(cli_program.local(vm.host.uri))
        for cli, channel in ((remote, 'direct'), (local, 'standard')):
            answer = json.loads(
                cli.out('guest', 'ping', vm.uuid, '-f', 'json')
            )
            self.assertEqual(channel, answer['channel'])

    def test_a_password_travels_as_a_hash_and_is_logged_nowhere(self):
        vm = shared.guest()
        name = f'compute-{secrets.token_hex(4)}'
        url = shared.broker().url
        agent = self.useFixture(
            agent_program.AgentProgram(
                vm.host.uri,
                url,
                '[DEFAULT]\ndebug = True\n',
                host=name,
            )
        )
        cli = self.useFixture(cli_program.remote(name, url))
        log = agent.folder / 'cli.log'
        done = cli.run(
            *('-v', '-v', '--debug', f'--log-file={log}'),
            *('password', 'set', vm.uuid, '--user', 'ubuntu', '--stdin'),
            stdin=b'hunter2 by message\n',
        )
        self.assertEqual(0, done.returncode, done)
        entry = vm.inspect('grep ^ubuntu: /etc/shadow').split(':')[1]
        self.assertTrue(
            password_hash.sha512_crypt.verify('hunter2 by message', entry)
        )
        said = done.stdout + done.stderr + log.read_bytes()
        for words in (b'hunter2', entry.encode()):
            self.assertNotIn(words, said)
            self.assertNotIn(words.decode(), agent.logged())
