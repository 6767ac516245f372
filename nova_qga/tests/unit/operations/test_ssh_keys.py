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

"""Keys of an account: added, removed, replaced, others left alone."""

import unittest

from nova_qga import errors
from nova_qga.operations import ssh_keys
from nova_qga.tests.fixtures import scripted_guest
from nova_qga.tests.fixtures import ssh_key

GET = 'guest-ssh-get-authorized-keys'
ADD = 'guest-ssh-add-authorized-keys'
REMOVE = 'guest-ssh-remove-authorized-keys'
A, B, C = (ssh_key.make_ed25519() for _ in range(3))
NO_FILE = scripted_guest.refusal(
    "failed to read '/home/bob/.ssh/authorized_keys': Failed to open file: "
    'No such file or directory'
)


class SshKeysTest(unittest.TestCase):
    def guest(self, *lines):
        """One with these lines in bob's file, and no file if none."""
        get = {'keys': list(lines)} if lines else NO_FILE
        return scripted_guest.ScriptedGuest({GET: get, ADD: {}, REMOVE: {}})

    def test_keys_are_listed_as_they_stand_there(self):
        guest = self.guest(f'{A} a', f'restrict {B}')
        self.assertEqual(
            [f'{A} a', f'restrict {B}'], ssh_keys.list_ssh_keys(guest, 'bob')
        )

    def test_what_is_no_key_is_not_shown_and_the_rest_is_printable(self):
        guest = self.guest('root:$6$x$y:1:', f'{A} \x1b[2J', '# x', '')
        self.assertEqual(
            [f'{A} \\x1b[2J'], ssh_keys.list_ssh_keys(guest, 'bob')
        )

    def test_no_file_is_no_keys(self):
        self.assertEqual([], ssh_keys.list_ssh_keys(self.guest(), 'bob'))

    def test_an_unknown_account_is_asked_for(self):
        guest = self.guest()
        guest.replies[GET] = scripted_guest.refusal(
            "failed to lookup user 'bob'"
        )
        for call in (
            lambda: ssh_keys.list_ssh_keys(guest, 'bob'),
            lambda: ssh_keys.add_ssh_keys(guest, 'bob', [A]),
            lambda: ssh_keys.remove_ssh_keys(guest, 'bob', [A]),
        ):
            with self.assertRaisesRegex(
                errors.CommandError, 'is there an account "bob"'
            ):
                call()
        self.assertEqual({GET}, set(guest.names))

    def test_only_what_is_missing_is_added(self):
        guest = self.guest(f'restrict {A} other comment')
        result = ssh_keys.add_ssh_keys(guest, 'bob', [f'{A} a', f'{B} b'])
        self.assertEqual({'added': 1, 'present': 1}, result)
        self.assertEqual(
            {'username': 'bob', 'keys': [f'{B} b'], 'reset': False},
            guest.executed[-1].arguments,
        )

    def test_where_nothing_is_missing_nothing_is_sent(self):
        guest = self.guest(A)
        result = ssh_keys.add_ssh_keys(guest, 'bob', [f'{A} a', A])
        self.assertEqual({'added': 0, 'present': 1}, result)
        self.assertEqual([GET], guest.names)

    def test_to_replace_sends_all_and_says_what_was_new(self):
        guest = self.guest(A, C)
        result = ssh_keys.add_ssh_keys(guest, 'bob', [A, B], replace=True)
        self.assertEqual({'added': 1, 'present': 1}, result)
        self.assertEqual(
            {'username': 'bob', 'keys': [A, B], 'reset': True},
            guest.executed[-1].arguments,
        )

    def test_a_key_is_removed_as_its_line_stands_there(self):
        guest = self.guest()
        guest.replies[GET] = scripted_guest.in_turn(
            {'keys': [f'{A} other', f'restrict {A}', B]}, {'keys': [B]}
        )
        result = ssh_keys.remove_ssh_keys(guest, 'bob', [f'{A} mine', C])
        self.assertEqual({'removed': 1, 'absent': 1}, result)
        self.assertEqual(
            {'username': 'bob', 'keys': [f'{A} other', f'restrict {A}']},
            guest.executed[1].arguments,
        )

    def test_where_nothing_is_to_remove_nothing_is_sent(self):
        for guest in (self.guest(B), self.guest()):
            result = ssh_keys.remove_ssh_keys(guest, 'bob', [A])
            self.assertEqual({'removed': 0, 'absent': 1}, result)
            self.assertEqual([GET], guest.names)

    def test_a_key_that_is_still_there_is_a_failure(self):
        guest = self.guest()
        guest.replies[GET] = scripted_guest.in_turn(
            {'keys': [A, B]}, {'keys': [A]}
        )
        with self.assertRaisesRegex(
            errors.OperationFailed, '1 of 2 keys still'
        ) as caught:
            ssh_keys.remove_ssh_keys(guest, 'bob', [A, B])
        self.assertEqual(1, caught.exception.done)

    def test_to_remove_and_not_see_what_is_left_is_a_failure(self):
        guest = self.guest()
        guest.replies[GET] = scripted_guest.in_turn(
            {'keys': [A]}, errors.ChannelTimeout('too late')
        )
        with self.assertRaisesRegex(errors.OperationFailed, 'too late'):
            ssh_keys.remove_ssh_keys(guest, 'bob', [A])

    def test_a_lost_answer_is_not_asked_for_again(self):
        guest = self.guest(A)
        guest.replies[ADD] = guest.replies[REMOVE] = errors.OutcomeUnknown('')
        with self.assertRaises(errors.OutcomeUnknown):
            ssh_keys.add_ssh_keys(guest, 'bob', [B])
        with self.assertRaises(errors.OutcomeUnknown):
            ssh_keys.remove_ssh_keys(guest, 'bob', [A])
        self.assertEqual([GET, ADD, GET, REMOVE], guest.names)

    def test_one_bad_key_keeps_all_from_being_sent(self):
        guest = self.guest()
        for call in (ssh_keys.add_ssh_keys, ssh_keys.remove_ssh_keys):
            for keys, words in (
                ([A, 'not a key'], 'key 2: '),
                ([], 'no key'),
                ([A] * 257, 'over 256 keys'),
                ([A + ' ' + 'x' * 8000] * 20, 'over 131072 characters'),
            ):
                with self.assertRaisesRegex(errors.InvalidRequest, words):
                    call(guest, 'bob', keys)
            with self.assertRaises(errors.InvalidRequest):
                call(guest, 'bo:b', [A])
        with self.assertRaises(errors.InvalidRequest):
            ssh_keys.list_ssh_keys(guest, 'bob\n')
        self.assertEqual([], guest.executed)

    def test_an_agent_that_is_too_old_is_told_before_anything_is_sent(self):
        for missing in (GET, ADD, REMOVE):
            guest = self.guest(A)
            del guest.replies[missing]
            with self.assertRaisesRegex(
                errors.CommandUnsupported, f'{missing} is unknown .* too old'
            ):
                if missing != REMOVE:
                    ssh_keys.add_ssh_keys(guest, 'bob', [B])
                else:
                    ssh_keys.remove_ssh_keys(guest, 'bob', [A])
            self.assertEqual([], guest.executed)
