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

"""Commands that nova-qga knows nothing of."""

import unittest

from nova_qga import errors
from nova_qga.operations import guest_command
from nova_qga.protocol import guest_command as protocol_guest_command
from nova_qga.tests.fixtures import scripted_guest

NAME = 'guest-get-route'


class CheckTest(unittest.TestCase):
    def test_one_that_is_allowed_is_taken(self):
        guest_command.check(NAME, {NAME})

    def test_one_that_is_not_is_denied(self):
        with self.assertRaises(errors.Denied):
            guest_command.check(NAME, ())

    def test_one_of_ours_is_refused_though_it_be_allowed(self):
        for name, operation in (
            ('guest-exec', 'execute'),
            ('guest-set-user-password', 'set_password'),
            ('guest-fsfreeze-freeze', 'freeze'),
            ('guest-file-open', 'write_file'),
            ('guest-ssh-add-authorized-keys', 'add_ssh_keys'),
            ('guest-shutdown', 'shutdown'),
            ('guest-suspend-hybrid', 'suspend'),
            ('guest-sync', 'ping'),
        ):
            with self.subTest(name=name):
                with self.assertRaisesRegex(errors.InvalidRequest, operation):
                    guest_command.check(name, {name})

    def test_a_name_that_is_none_is_not_shown(self):
        for name in ('', 'guest-', 'guest-X', 'ls; rm', 'guest-a\n', 'guest'):
            with self.subTest(name=name):
                with self.assertRaises(errors.InvalidRequest) as caught:
                    guest_command.check(name, {name})
                self.assertNotIn('rm', str(caught.exception))


class RunTest(unittest.TestCase):
    def run_it(self, guest, **arguments):
        return guest_command.run_command(guest, name=NAME, arguments=arguments)

    def test_its_reply_comes_back(self):
        for reply in ({}, [], 7, None, True, [{'a': [1.5, 'b']}]):
            with self.subTest(reply=reply):
                guest = scripted_guest.ScriptedGuest({NAME: reply})
                self.assertEqual({'reply': reply}, self.run_it(guest, a=1))
                [sent] = guest.executed
                self.assertEqual({'a': 1}, sent.arguments)
                self.assertTrue(sent.has_effect)

    def test_every_text_in_it_is_escaped_and_cut(self):
        limit = protocol_guest_command.MAX_TEXT
        guest = scripted_guest.ScriptedGuest(
            {NAME: {'\x1b[2J': ['a\nb', 'x' * (limit + 1)]}}
        )
        [(key, (line, long))] = self.run_it(guest)['reply'].items()
        self.assertEqual('\\x1b[2J', key)
        self.assertEqual('a\\nb', line)
        self.assertEqual('x' * limit + '...', long)

    def test_one_that_the_agent_lacks_is_not_sent(self):
        guest = scripted_guest.ScriptedGuest(blocked=[NAME])
        with self.assertRaises(errors.CommandUnsupported):
            self.run_it(guest)
        self.assertEqual([], guest.names)

    def test_words_that_repeat_an_argument_are_left_out(self):
        guest = scripted_guest.ScriptedGuest(
            {NAME: scripted_guest.refusal("invalid value 'S3cr3t-word'")}
        )
        with self.assertRaises(errors.CommandError) as caught:
            self.run_it(guest, inner=[{'word': 'S3cr3t-word'}])
        self.assertNotIn('S3cr3t', str(caught.exception))
        self.assertIsNone(caught.exception.__cause__)
        with self.assertRaisesRegex(errors.CommandError, 'invalid value'):
            self.run_it(guest, word='va', other=7)

    def test_its_arguments_are_in_no_repr(self):
        guest = scripted_guest.ScriptedGuest({NAME: {}})
        self.run_it(guest, word='S3cr3t')
        self.assertNotIn('S3cr3t', repr(guest.executed))
