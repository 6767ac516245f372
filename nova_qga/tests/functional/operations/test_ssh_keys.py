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

"""Keys as the guest's own authorized_keys has them afterwards."""

from nova_qga import errors
from nova_qga.journal import database
from nova_qga.journal import owned_keys
from nova_qga.operations import key_rotation
from nova_qga.operations import ssh_keys
from nova_qga.tests.fixtures import ssh_key
from nova_qga.tests.functional.operations import base

USER = 'ubuntu'
FOLDER = '/home/ubuntu/.ssh'
FILE = f'{FOLDER}/authorized_keys'
A, B, C = ssh_key.make_ed25519(), ssh_key.make_rsa(), ssh_key.make_ecdsa()


class SshKeysTest(base.OperationTest):
    def setUp(self):
        super().setUp()
        self.vm.inspect(f'rm -rf {FOLDER}')
        self.addCleanup(self.vm.inspect, f'rm -rf {FOLDER}')
        journal = database.Database(None)
        self.addCleanup(journal.close)
        self.owned = owned_keys.OwnedKeys(journal).account('uuid', USER)

    def add(self, *keys, **options):
        return ssh_keys.add_ssh_keys(
            self.agent(), USER, keys, self.owned, **options
        )

    def remove(self, *keys):
        return ssh_keys.remove_ssh_keys(
            self.agent(), USER, ssh_key.identities(*keys), self.owned
        )

    def list(self):
        # In the order that the agent pleases.
        listed = ssh_keys.list_ssh_keys(self.agent(), USER, self.owned)
        return {*listed['keys']}

    def write(self, text):
        self.vm.inspect(
            f'mkdir -p {FOLDER}\n'
            f"cat > {FILE} <<'THE_END'\n{text}THE_END\n"
            f'chown -R {USER} {FOLDER}'
        )

    def lines(self):
        return self.vm.inspect(f'cat {FILE}').splitlines()

    def test_an_account_without_a_file_gets_one_of_its_own(self):
        self.assertEqual(set(), self.list())
        self.assertEqual(
            {'added': 2, 'present': 0}, self.add(f'{A} a comment', B)
        )
        self.assertEqual([f'{A} a comment', B], self.lines())
        self.assertEqual({f'{A} a comment', B}, self.list())
        self.assertEqual(
            f'600 {USER} {USER} {FILE}\n700 {USER} {USER} {FOLDER}\n',
            self.vm.inspect(f"stat -c '%a %U %G %n' {FILE} {FOLDER}"),
        )

    def test_root_gets_keys_too(self):
        self.addCleanup(self.vm.inspect, 'rm -rf /root/.ssh')
        ssh_keys.add_ssh_keys(self.agent(), 'root', [A], self.owned)
        self.assertEqual(
            A, self.vm.inspect('cat /root/.ssh/authorized_keys').strip()
        )

    def test_what_stands_there_is_left_alone(self):
        others = f'# by hand\n\nrestrict,command="x y" {B} b\nnot a key\n'
        self.write(others)
        self.assertEqual(
            {'added': 1, 'present': 1}, self.add(f'{A} a', f'{B} my own')
        )
        # The agent moves an empty line, which says nothing.
        self.assertEqual(
            [*filter(None, others.splitlines()), f'{A} a'],
            [*filter(None, self.lines())],
        )
        self.assertEqual(
            {f'restrict,command="x y" {B} b', f'{A} a'}, self.list()
        )
        self.assertEqual({'removed': 1, 'absent': 0}, self.remove(A))
        self.assertEqual(
            [*filter(None, others.splitlines())],
            [*filter(None, self.lines())],
        )

    def test_to_add_again_changes_nothing(self):
        self.add(f'{A} a')
        self.assertEqual({'added': 0, 'present': 1}, self.add(f'{A} other'))
        self.assertEqual([f'{A} a'], self.lines())

    def test_to_replace_leaves_these_keys_alone(self):
        self.write(f'# by hand\n{A} a\n{B} b\n')
        self.assertEqual(
            {'added': 1, 'present': 1}, self.add(B, f'{C} c', replace=True)
        )
        self.assertEqual([B, f'{C} c'], [*filter(None, self.lines())])

    def test_a_key_is_removed_whatever_its_comment_and_options_are(self):
        self.write(f'{A} one\nrestrict {A} two\n{B} b\n{A}\n')
        self.assertEqual(
            {'removed': 1, 'absent': 1}, self.remove(f'{A} mine', C)
        )
        self.assertEqual([f'{B} b'], [*filter(None, self.lines())])

    def test_to_remove_from_an_account_without_a_file_makes_none(self):
        self.assertEqual({'removed': 0, 'absent': 1}, self.remove(A))
        self.vm.inspect(f'test ! -e {FOLDER}')

    def test_ours_are_rotated_and_others_left_alone(self):
        self.write(f'{C} by hand\n')
        self.add(A)
        self.assertEqual(
            {'added': 1, 'present': 0, 'removed': 1, 'absent': 0},
            key_rotation.rotate_ssh_keys(self.agent(), USER, [B], self.owned),
        )
        self.assertEqual({f'{C} by hand', B}, self.list())

    def test_a_line_that_the_agent_cannot_remove_is_told_of(self):
        self.write(f'{A} \n{B}\n')
        with self.assertRaisesRegex(
            errors.OperationFailed, '1 of 2 keys still stand'
        ) as caught:
            self.remove(A, B)
        self.assertEqual(1, caught.exception.done)
        self.assertEqual([f'{A} '], [*filter(None, self.lines())])

    def test_an_unknown_account_is_refused(self):
        agent = self.agent()
        for call in (
            lambda: ssh_keys.add_ssh_keys(agent, 'nobody', [A], self.owned),
            lambda: ssh_keys.remove_ssh_keys(
                agent, 'nobody', ssh_key.identities(A), self.owned
            ),
            lambda: ssh_keys.list_ssh_keys(agent, 'nobody', self.owned),
        ):
            with self.assertRaisesRegex(
                errors.CommandError, 'is there an account "nobody"'
            ):
                call()

    def test_a_bad_key_keeps_all_of_them_out(self):
        self.add(A)
        for bad in ('not a key', '', f'{C}\n{C}', f'restrict {C}'):
            with self.assertRaisesRegex(errors.InvalidRequest, 'key 2: '):
                self.add(B, bad)
        self.assertEqual([A], self.lines())

    def test_a_file_that_is_not_of_keys_is_not_shown(self):
        self.vm.inspect(
            f'mkdir {FOLDER}; ln -s /etc/shadow {FILE}; test -s {FILE}'
        )
        self.assertEqual(set(), self.list())

    def test_a_blocked_command_says_where_to_unblock_it(self):
        self.reached.restart_agent('-b guest-ssh-add-authorized-keys')
        with self.assertRaisesRegex(
            errors.CommandUnsupported, 'blocked .* /etc/sysconfig/qemu-ga'
        ):
            self.add(A)
        self.assertEqual(set(), self.list())
        self.vm.inspect(f'test ! -e {FOLDER}')


class SshKeysDirectTest(SshKeysTest):
    number = 1
