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

"""nova-qga --local on a real guest, and what then stands in the guest."""

import fixtures
from passlib import hash as password_hash

from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import ssh_key

KEYS = '/home/ubuntu/.ssh/authorized_keys'


class GuestTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.vm = shared.guest()
        self.cli = self.useFixture(cli_program.local(self.vm.host.uri))
        self.of_ubuntu = (self.vm.uuid, '--user', 'ubuntu')

    def in_shadow(self, user):
        [line] = self.vm.inspect(f'grep ^{user}: /etc/shadow').splitlines()
        return line.split(':')[1]

    def test_a_password_from_standard_input_is_set(self):
        password = 'correct horse $6$ "bättery"'
        said = self.cli.out(
            *('password', 'set', *self.of_ubuntu, '--stdin'),
            stdin=f'{password}\n'.encode(),
        )
        self.assertNotIn('horse', said)
        hashed = self.in_shadow('ubuntu')
        self.assertTrue(hashed.startswith('$6$'))
        self.assertTrue(password_hash.sha512_crypt.verify(password, hashed))

    def test_a_password_that_is_typed_is_set_and_not_shown(self):
        screen = self.cli.at_terminal('password', 'set', *self.of_ubuntu)
        for prompt in ('New password of ubuntu: ', 'Again: '):
            screen.expect(prompt)
            screen.type('typed-by-hand\n')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertNotIn('typed-by-hand', screen.screen)
        self.assertTrue(
            password_hash.sha512_crypt.verify(
                'typed-by-hand', self.in_shadow('ubuntu')
            )
        )

    def test_clear_leaves_the_hashing_to_the_guest(self):
        self.cli.out(
            *('password', 'set', *self.of_ubuntu, '--stdin', '--clear'),
            stdin=b'in the clear',
        )
        hashed = self.in_shadow('ubuntu')
        self.assertTrue(hashed.startswith('$'), hashed)

    def test_an_account_that_is_not_there_is_1_and_the_password_not_shown(
        self,
    ):
        done = self.cli.run(
            *('password', 'set', self.vm.uuid, '--user', 'nobody-here'),
            *('--stdin', '-v', '-v'),
            stdin=b'hunter2hunter2',
        )
        self.assertEqual(1, done.returncode, done)
        self.assertIn(b'nobody-here', done.stderr)
        self.assertNotIn(b'hunter2', done.stdout + done.stderr)

    def test_keys_come_and_go_and_others_stay(self):
        theirs, one, two = (ssh_key.make_ed25519() for _ in range(3))
        self.vm.inspect(
            'mkdir -p -m 700 /home/ubuntu/.ssh && '
            f'echo "{theirs} theirs" > {KEYS} && chmod 600 {KEYS} && '
            'chown -R ubuntu:ubuntu /home/ubuntu/.ssh'
        )
        said = self.cli.out(
            *('key', 'add', *self.of_ubuntu),
            stdin=f'# ours\n{one} one\n\n{two} two\n'.encode(),
        )
        self.assertIn('2 keys added', said)
        self.assertEqual(
            {f'{theirs} theirs', f'{one} one', f'{two} two'}, self.keys()
        )
        self.assertEqual(
            'ubuntu ubuntu 600',
            self.vm.inspect(f"stat -c '%U %G %a' {KEYS}").strip(),
        )
        listed = self.cli.out(
            *('key', 'list', *self.of_ubuntu, '--long'),
            *('-f', 'value', '-c', 'Key'),
        )
        self.assertEqual(self.keys(), set(listed.splitlines()))
        said = self.cli.out(
            *('key', 'remove', *self.of_ubuntu), stdin=one.encode()
        )
        self.assertIn('1 key removed', said)
        self.assertEqual({f'{theirs} theirs', f'{two} two'}, self.keys())
        self.cli.out(
            *('key', 'add', *self.of_ubuntu, '--replace'),
            stdin=f'{one} one'.encode(),
        )
        self.assertEqual({f'{one} one'}, self.keys())

    def test_the_list_says_which_channels_are_open(self):
        listed = self.cli.out(
            *('guest', 'list', '-f', 'value', '-c', 'UUID', '-c', 'Channel'),
        )
        self.assertIn(f'{self.vm.uuid} direct,standard', listed)

    def test_a_guest_with_one_agent_is_reached_over_the_standard_channel(
        self,
    ):
        self.vm.stop_agent(1)
        self.addCleanup(self.vm.wait_for_agents)
        self.addCleanup(self.vm.start_agent, 1)
        self.vm.wait_for_ports(guest_vm.STANDARD)
        channel = self.cli.out(
            *('guest', 'ping', self.vm.uuid, '-f', 'value', '-c', 'channel')
        )
        self.assertEqual('standard\n', channel)

    def keys(self):
        # Agents leave empty lines between those that were there and others.
        lines = self.vm.inspect(f'cat {KEYS}').splitlines()
        return {line for line in lines if line}
