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
"""What would change this machine, asked of an agent in a real guest.

Frozen filesystems, passwords, keys and power, over the direct channel; what
the agent did is looked at from inside the guest, with no agent.
"""

import base64
import unittest

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import wire

FREEZE = command.Command('guest-fsfreeze-freeze', int)
THAW = command.Command('guest-fsfreeze-thaw', int)
#: All that an agent does while filesystems are frozen.
ENABLED_WHILE_FROZEN = {
    'guest-ping',
    'guest-info',
    'guest-sync',
    'guest-sync-delimited',
    'guest-fsfreeze-status',
    'guest-fsfreeze-thaw',
}
KEY = (
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE+vaXEeVvNvqVV0m1mUqYcTyQCFJ0AQsQxG'
    'Jr7T1o3c test@example'
)


class _GuestTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.vm = shared.guest()
        self.client = self.connect()

    def connect(self):
        return self.enterContext(wire.Client(self.vm.direct_socket))

    def refusal(self, asked, kind=errors.CommandError):
        with self.assertRaises(kind) as caught:
            self.client.run(asked)
        # One line for a log, whatever a program in the guest has printed.
        self.assertTrue(str(caught.exception).isprintable())
        return caught.exception

    def assert_refused(self, asked, text):
        refused = self.refusal(asked)
        self.assertEqual('GenericError', refused.error_class)
        self.assertIn(text, refused.description)
        return refused


class FreezeTest(_GuestTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.thaw_by_any_client)
        self.assertEqual(1, self.client.run(FREEZE))

    def thaw_by_any_client(self):
        self.client.wire.close()
        with self.connect() as client:
            client.run(THAW)

    def test_most_commands_are_refused_while_frozen(self):
        self.assertEqual('frozen', self.client.run(commands.freeze_status()))
        for asked in (commands.open_file('/etc/hosts', 'r'), FREEZE):
            with self.subTest(asked.name):
                refused = self.refusal(asked, errors.CommandUnsupported)
                self.assertEqual('CommandNotFound', refused.error_class)
                self.assertIn('has been disabled', refused.description)

    def test_guest_info_shows_six_commands_while_frozen(self):
        listed = self.client.run(commands.info()).commands
        self.assertEqual(
            ENABLED_WHILE_FROZEN, {name for name in listed if listed[name]}
        )
        self.client.run(THAW)
        listed = self.client.run(commands.info()).commands
        self.assertGreater(sum(listed.values()), 30)

    def test_a_batch_goes_on_behind_what_is_refused(self):
        refused, status = self.client.sync(
            commands.get_filesystems(), commands.freeze_status()
        )
        self.assertIsInstance(refused, errors.CommandUnsupported)
        self.assertEqual('frozen', status)

    def test_it_stays_frozen_over_a_crash_of_the_agent(self):
        self.client.wire.close()
        self.vm.stop_agent(1, 'KILL')
        self.vm.wait_for_ports(guest_vm.STANDARD)
        self.vm.start_agent(1)
        self.vm.wait_for_agents()
        self.client = self.connect()
        self.assertEqual('frozen', self.client.run(commands.freeze_status()))
        self.assertEqual(1, self.client.run(THAW))
        self.assertEqual('thawed', self.client.run(commands.freeze_status()))
        self.assertEqual(0, self.client.run(THAW))
        # Its handles start anew, and are not those of before.
        self.assertGreaterEqual(
            self.client.run(commands.open_file('/etc/hosts', 'r')), 1000
        )


class KeyTest(_GuestTest):
    def setUp(self):
        super().setUp()
        self.vm.inspect('rm -rf /home/ubuntu/.ssh')
        self.addCleanup(self.vm.inspect, 'rm -rf /home/ubuntu/.ssh')

    def authorized(self):
        return self.vm.inspect(
            'cat /home/ubuntu/.ssh/authorized_keys'
        ).splitlines()

    def test_a_key_is_added_read_and_removed(self):
        self.client.run(commands.add_authorized_keys('ubuntu', [KEY]))
        self.assertEqual([KEY], self.authorized())
        self.assertEqual(
            (KEY,), self.client.run(commands.get_authorized_keys('ubuntu'))
        )
        self.client.run(commands.remove_authorized_keys('ubuntu', [KEY]))
        self.assertEqual([], self.authorized())

    def test_a_key_of_two_lines_or_a_comment_is_refused(self):
        for key in (f'{KEY}\n{KEY}', '# x', f'{KEY}\n'):
            with self.subTest(key=key):
                self.assert_refused(
                    commands.add_authorized_keys('ubuntu', [key]),
                    'invalid OpenSSH public key',
                )

    def test_what_is_no_key_is_taken(self):
        """Why keys are checked on the host."""
        for key in ('not a key', ''):
            self.client.run(commands.add_authorized_keys('ubuntu', [key]))
        self.assertEqual('not a key', self.authorized()[0])

    def test_an_account_without_the_file_is_an_error(self):
        refused = self.assert_refused(
            commands.get_authorized_keys('ubuntu'), 'failed to read'
        )
        self.assertIn('No such file or directory', refused.description)


class PasswordTest(_GuestTest):
    def setUp(self):
        super().setUp()
        before = self.vm.inspect('cat /etc/shadow')
        self.addCleanup(
            lambda: self.assertEqual(
                before, self.vm.inspect('cat /etc/shadow')
            )
        )

    def password(self, username, password):
        return commands.set_user_password(username, password, crypted=False)

    def test_an_account_must_be_there(self):
        refused = self.assert_refused(
            self.password('nobody-here', 's3cret'), 'child process has failed'
        )
        self.assertNotIn('s3cret', str(refused))

    def test_a_colon_in_a_user_name_is_refused(self):
        self.assert_refused(
            self.password('bo:b', 's3cret'),
            'forbidden characters in username',
        )

    def test_a_line_break_in_a_password_is_refused(self):
        refused = self.assert_refused(
            self.password('ubuntu', 's3cret\ntoor'),
            'forbidden characters in raw password',
        )
        self.assertNotIn('s3cret', str(refused))

    def test_bad_base64_is_refused(self):
        arguments = {'username': 'ubuntu', 'password': '*!', 'crypted': False}
        self.assert_refused(
            command.Command('guest-set-user-password', dict, arguments),
            'Base64',
        )


class PowerTest(_GuestTest):
    def test_a_way_to_shut_down_is_one_of_three(self):
        self.assert_refused(
            command.Command('guest-shutdown', dict, {'mode': 'explode'}),
            'mode is invalid (valid values are: halt|powerdown|reboot',
        )
        self.assertEqual('here\n', self.vm.inspect('echo here'))


class LeftReplyTest(_GuestTest):
    def test_a_client_that_leaves_amid_a_reply_does_not_spoil_the_next(self):
        handle = self.client.run(commands.open_file('/dev/zero', 'r'))
        whole = commands.read_file(handle, 3 << 20)
        cut = command.Command(
            whole.name, whole.read, whole.arguments, False, 1 << 16
        )
        with self.assertRaises(errors.MessageTooLarge):
            self.client.run(cut)
        self.client.wire.close()
        # What is left of four megabytes comes first, and is passed over.
        self.client = self.connect()
        chunk = self.client.run(commands.read_file(handle, 10))
        self.assertEqual(bytes(10), chunk.data)
        self.client.run(commands.close_file(handle))

    def test_content_comes_as_it_is_in_the_guest(self):
        told = self.vm.inspect('base64 /etc/passwd')
        handle = self.client.run(commands.open_file('/etc/passwd', 'r'))
        chunk = self.client.run(commands.read_file(handle))
        self.client.run(commands.close_file(handle))
        self.assertEqual(base64.b64decode(told), chunk.data)
