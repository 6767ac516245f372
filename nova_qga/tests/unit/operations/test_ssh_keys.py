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
from nova_qga.journal import database
from nova_qga.journal import owned_keys
from nova_qga.operations import key_rotation
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


class OwnedTest(unittest.TestCase):
    def setUp(self):
        journal = database.Database(None)
        self.addCleanup(journal.close)
        self.owned = owned_keys.OwnedKeys(journal).account('uuid', 'bob')

    def add(self, guest, keys, user='bob', **more):
        return ssh_keys.add_ssh_keys(guest, user, keys, self.owned, **more)

    def remove(self, guest, keys):
        return ssh_keys.remove_ssh_keys(
            guest, 'bob', ssh_key.identities(*keys), self.owned
        )

    def list(self, guest, user='bob'):
        return ssh_keys.list_ssh_keys(guest, user, self.owned)['keys']

    def guest(self, *lines):
        """One with these lines in bob's file, and no file if none."""
        get = {'keys': list(lines)} if lines else NO_FILE
        return scripted_guest.ScriptedGuest({GET: get, ADD: {}, REMOVE: {}})


class SshKeysTest(OwnedTest):
    def test_keys_are_listed_as_they_stand_there(self):
        guest = self.guest(f'{A} a', f'restrict {B}')
        self.assertEqual([f'{A} a', f'restrict {B}'], self.list(guest, 'bob'))

    def test_what_is_no_key_is_not_shown_and_the_rest_is_printable(self):
        guest = self.guest('root:$6$x$y:1:', f'{A} \x1b[2J', '# x', '')
        self.assertEqual([f'{A} \\x1b[2J'], self.list(guest, 'bob'))

    def test_no_file_is_no_keys(self):
        self.assertEqual([], self.list(self.guest(), 'bob'))

    def test_an_unknown_account_is_asked_for(self):
        guest = self.guest()
        guest.replies[GET] = scripted_guest.refusal(
            "failed to lookup user 'bob'"
        )
        for call in (
            lambda: self.list(guest, 'bob'),
            lambda: self.add(guest, [A]),
            lambda: self.remove(guest, [A]),
        ):
            with self.assertRaisesRegex(
                errors.CommandError, 'is there an account "bob"'
            ):
                call()
        self.assertEqual({GET}, set(guest.names))

    def test_only_what_is_missing_is_added(self):
        guest = self.guest(f'restrict {A} other comment')
        result = self.add(guest, [f'{A} a', f'{B} b'])
        self.assertEqual({'added': 1, 'present': 1}, result)
        self.assertEqual(
            {'username': 'bob', 'keys': [f'{B} b'], 'reset': False},
            guest.executed[-1].arguments,
        )

    def test_where_nothing_is_missing_nothing_is_sent(self):
        guest = self.guest(A)
        result = self.add(guest, [f'{A} a', A])
        self.assertEqual({'added': 0, 'present': 1}, result)
        self.assertEqual([GET], guest.names)

    def test_to_replace_sends_all_and_says_what_was_new(self):
        guest = self.guest(A, C)
        result = self.add(guest, [A, B], replace=True)
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
        result = self.remove(guest, [f'{A} mine', C])
        self.assertEqual({'removed': 1, 'absent': 1}, result)
        self.assertEqual(
            {'username': 'bob', 'keys': [f'{A} other', f'restrict {A}']},
            guest.executed[1].arguments,
        )

    def test_where_nothing_is_to_remove_nothing_is_sent(self):
        for guest in (self.guest(B), self.guest()):
            result = self.remove(guest, [A])
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
            self.remove(guest, [A, B])
        self.assertEqual(1, caught.exception.done)

    def test_to_remove_and_not_see_what_is_left_is_a_failure(self):
        guest = self.guest()
        guest.replies[GET] = scripted_guest.in_turn(
            {'keys': [A]}, errors.ChannelTimeout('too late')
        )
        with self.assertRaisesRegex(errors.OperationFailed, 'too late'):
            self.remove(guest, [A])

    def test_a_lost_answer_is_not_asked_for_again(self):
        guest = self.guest(A)
        guest.replies[ADD] = guest.replies[REMOVE] = errors.OutcomeUnknown('')
        with self.assertRaises(errors.OutcomeUnknown):
            self.add(guest, [B])
        with self.assertRaises(errors.OutcomeUnknown):
            self.remove(guest, [A])
        self.assertEqual([GET, ADD, GET, REMOVE], guest.names)

    def test_one_bad_key_keeps_all_from_being_sent(self):
        guest = self.guest()
        for keys, words in (
            ([A, 'not a key'], 'key 2: '),
            ([], 'no key'),
            ([A] * 257, 'over 256 keys'),
            ([A + ' ' + 'x' * 8000] * 20, 'over 131072 characters'),
        ):
            with self.assertRaisesRegex(errors.InvalidRequest, words):
                self.add(guest, keys)
        with self.assertRaises(errors.InvalidRequest):
            self.add(guest, [A], user='bo:b')
        with self.assertRaises(errors.InvalidRequest):
            self.list(guest, 'bob\n')
        self.assertEqual([], guest.executed)

    def test_an_agent_that_is_too_old_is_told_before_anything_is_sent(self):
        for missing in (GET, ADD, REMOVE):
            guest = self.guest(A)
            del guest.replies[missing]
            with self.assertRaisesRegex(
                errors.CommandUnsupported, f'{missing} is unknown .* too old'
            ):
                if missing != REMOVE:
                    self.add(guest, [B])
                else:
                    self.remove(guest, [A])
            self.assertEqual([], guest.executed)

    def test_what_we_add_is_ours_and_what_was_there_is_not(self):
        guest = self.guest(A)
        self.add(guest, [A, B])
        self.assertEqual(ssh_key.identities(B), self.owned.keys())
        guest.replies[GET] = {'keys': [A, f'{B} b', C]}
        listed = ssh_keys.list_ssh_keys(guest, 'bob', self.owned)
        self.assertEqual([f'{B} b'], listed['owned'])

    def test_a_key_that_was_refused_is_not_ours_and_a_lost_one_may_be(self):
        guest = self.guest()
        guest.replies[ADD] = scripted_guest.refusal('no')
        with self.assertRaises(errors.CommandError):
            self.add(guest, [A])
        self.assertEqual(set(), self.owned.keys())
        guest.replies[ADD] = errors.ChannelBusy('nothing was run')
        with self.assertRaises(errors.ChannelBusy):
            self.add(guest, [A])
        self.assertEqual(set(), self.owned.keys())
        guest.replies[ADD] = errors.OutcomeUnknown('no answer')
        with self.assertRaises(errors.OutcomeUnknown):
            self.add(guest, [A])
        self.assertEqual(ssh_key.identities(A), self.owned.keys())

    def test_a_key_that_is_removed_or_replaced_is_ours_no_more(self):
        guest = self.guest()
        self.add(guest, [A, B])
        guest.replies[GET] = scripted_guest.in_turn(
            {'keys': [A, B]}, {'keys': [B]}, {'keys': [B]}
        )
        self.remove(guest, [A])
        self.assertEqual(ssh_key.identities(B), self.owned.keys())
        self.add(guest, [C], replace=True)
        self.assertEqual(ssh_key.identities(C), self.owned.keys())


class RotateTest(OwnedTest):
    def rotate(self, guest, keys):
        return key_rotation.rotate_ssh_keys(guest, 'bob', keys, self.owned)

    def test_ours_are_replaced_and_others_are_left_alone(self):
        self.owned.add(ssh_key.identities(A))
        guest = self.guest()
        guest.replies[GET] = scripted_guest.in_turn(
            {'keys': [A, C]},
            {'keys': [A, C, B]},
            {'keys': [A, C, B]},
            {'keys': [C, B]},
        )
        self.assertEqual(
            {'added': 1, 'present': 0, 'removed': 1, 'absent': 0},
            self.rotate(guest, [B]),
        )
        self.assertEqual([GET, ADD, GET, GET, REMOVE, GET], guest.names)
        self.assertEqual([A], guest.executed[4].arguments['keys'])
        self.assertEqual(ssh_key.identities(B), self.owned.keys())

    def test_old_ones_stay_where_the_new_ones_are_not_seen(self):
        self.owned.add(ssh_key.identities(A))
        guest = self.guest(A)
        with self.assertRaisesRegex(errors.OperationFailed, 'does not list'):
            self.rotate(guest, [B])
        self.assertNotIn(REMOVE, guest.names)

    def test_old_ones_stay_where_the_new_ones_are_refused(self):
        self.owned.add(ssh_key.identities(A))
        guest = self.guest(A)
        guest.replies[ADD] = scripted_guest.refusal('no')
        with self.assertRaises(errors.CommandError):
            self.rotate(guest, [B])
        self.assertNotIn(REMOVE, guest.names)
        self.assertEqual(ssh_key.identities(A), self.owned.keys())

    def test_to_rotate_again_changes_nothing(self):
        self.owned.add(ssh_key.identities(B))
        guest = self.guest(B, C)
        self.assertEqual(
            {'added': 0, 'present': 1, 'removed': 0, 'absent': 0},
            self.rotate(guest, [B]),
        )
        self.assertEqual({GET}, set(guest.names))

    def test_where_no_key_is_ours_nothing_is_sent(self):
        guest = self.guest(A)
        with self.assertRaisesRegex(errors.InvalidRequest, 'key add'):
            self.rotate(guest, [B])
        self.assertEqual([], guest.executed)
