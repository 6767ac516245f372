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

"""Passwords: what is sent, what is refused, what is never shown."""

import unittest

from nova_qga import errors
from nova_qga.operations import password
from nova_qga.tests.fixtures import scripted_guest

COMMAND = 'guest-set-user-password'
HASH = '$6$rounds=5000$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817'


class SetPasswordTest(unittest.TestCase):
    def setUp(self):
        self.guest = scripted_guest.ScriptedGuest({COMMAND: {}})

    def set(self, secret='s3cret', username='root', crypted=False):
        password.set_password(
            self.guest, username=username, password=secret, crypted=crypted
        )

    def test_it_travels_in_base64_and_never_in_a_repr(self):
        self.set('s3cret')
        [command] = self.guest.executed
        self.assertEqual(
            {'username': 'root', 'password': 'czNjcmV0', 'crypted': False},
            command.arguments,
        )
        self.assertNotIn('czNjcmV0', repr(command))

    def test_a_hash_is_sent_as_one(self):
        self.set(HASH, crypted=True)
        [command] = self.guest.executed
        self.assertIs(True, command.arguments['crypted'])

    def test_colons_blanks_and_any_letters_are_fine_in_clear_text(self):
        self.set(' pa:ss wörd☃ \\ ')
        self.assertEqual([COMMAND], self.guest.names)

    def test_what_no_guest_takes_is_not_sent_and_not_shown(self):
        for secret, crypted in (
            ('', False),
            ('s3cret\nroot:other', False),
            ('s3cret\0', False),
            ('s3cret\r', False),
            ('s3cret' * 100, False),
            ('s3cret\udc80', False),
            ('s3cret', True),
            ('', True),
            ('*', True),
            (f'{HASH}:s3cret', True),
            (f'{HASH}\n', True),
            (f'{HASH}s3cret ☃', True),
        ):
            with self.subTest(secret=secret, crypted=crypted):
                with self.assertRaises(errors.InvalidRequest) as caught:
                    self.set(secret, crypted=crypted)
                self.assertNotIn('s3cret', str(caught.exception))
        self.assertEqual([], self.guest.executed)

    def test_a_name_that_no_account_has_is_not_sent(self):
        for name in ('', 'bo:b', 'bob\n', 'bob\0', '\x1b[2J', 'b' * 257):
            with self.subTest(name=name):
                with self.assertRaises(errors.InvalidRequest) as caught:
                    self.set(username=name)
                self.assertTrue(str(caught.exception).isprintable())
        self.assertEqual([], self.guest.executed)

    def test_a_windows_domain_is_part_of_a_name(self):
        self.set(username='CORP\\Administrator')
        [command] = self.guest.executed
        self.assertEqual('CORP\\Administrator', command.arguments['username'])

    def test_a_refusal_keeps_its_words_and_asks_for_the_account(self):
        self.guest.replies[COMMAND] = scripted_guest.refusal('child failed')
        with self.assertRaises(errors.CommandError) as caught:
            self.set(username='nobody')
        self.assertEqual(
            'the guest agent says: child failed '
            '(is there an account "nobody" in the guest?)',
            str(caught.exception),
        )

    def test_a_refusal_that_repeats_the_password_is_not_repeated(self):
        for secret, words in (
            ('s3cret', 'chpasswd: bad line root:s3cret'),
            ('s3cret', 'chpasswd: bad data czNjcmV0'),
            ('s3\\cret', 'chpasswd: bad line root:s3\\cret'),
            ('s3cret' * 50, 'x' * 200 + 's3cret' * 50),
        ):
            with self.subTest(words=words):
                self.guest.replies[COMMAND] = scripted_guest.refusal(words)
                with self.assertRaises(errors.CommandError) as caught:
                    self.set(secret)
                shown = f'{caught.exception} {caught.exception!r}'
                self.assertNotIn('cret', shown)
                self.assertNotIn('czNj', shown)

    def test_a_blocked_command_is_not_sent(self):
        guest = scripted_guest.ScriptedGuest(blocked=[COMMAND])
        with self.assertRaisesRegex(
            errors.CommandUnsupported, 'blocked by the configuration'
        ):
            password.set_password(
                guest, username='root', password='x', crypted=False
            )
        self.assertEqual([], guest.executed)

    def test_a_lost_answer_is_not_asked_for_again(self):
        self.guest.replies[COMMAND] = errors.OutcomeUnknown('no answer')
        with self.assertRaises(errors.OutcomeUnknown):
            self.set()
        self.assertEqual([COMMAND], self.guest.names)
