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

"""Tests of freezing and thawing through a scripted agent."""

import unittest

from nova_qga import errors
from nova_qga.operations import freeze
from nova_qga.tests.fixtures import scripted_guest
from nova_qga.tests.fixtures import windows_guest

HOOK = scripted_guest.refusal('fsfreeze hook has failed with status 1')


class FreezeTest(unittest.TestCase):
    def guest(self, status='thawed', thaw=2, freeze=2):
        return scripted_guest.ScriptedGuest(
            {
                'guest-fsfreeze-status': status,
                'guest-fsfreeze-freeze': freeze,
                'guest-fsfreeze-freeze-list': freeze,
                'guest-fsfreeze-thaw': thaw,
            }
        )

    def test_all_or_some_filesystems_are_frozen(self):
        guest = self.guest()
        self.assertEqual(2, freeze.freeze(guest, None))
        self.assertEqual(2, freeze.freeze(guest, ['/', '/var']))
        self.assertEqual(
            ['guest-fsfreeze-freeze', 'guest-fsfreeze-freeze-list'],
            guest.names,
        )
        self.assertEqual(
            {'mountpoints': ['/', '/var']}, guest.executed[1].arguments
        )

    def test_an_agent_that_could_not_thaw_is_not_asked_to_freeze(self):
        for lacked in ('guest-fsfreeze-thaw', 'guest-fsfreeze-status'):
            guest = self.guest()
            del guest.replies[lacked]
            with self.assertRaises(errors.CommandUnsupported):
                freeze.check_agent(guest, None)
        old = self.guest()
        del old.replies['guest-fsfreeze-freeze-list']
        freeze.check_agent(old, None)
        with self.assertRaises(errors.CommandUnsupported):
            freeze.check_agent(old, ['/'])

    def test_mount_points_that_no_guest_has_are_refused(self):
        for wrong in ([], ['var'], [''], ['/a\0b'], ['/', 'x']):
            with self.subTest(wrong=wrong):
                with self.assertRaises(errors.InvalidRequest):
                    freeze.check(wrong)
        freeze.check(['/', 'D:\\'])
        freeze.check(None)

    def test_a_thaw_says_how_many_were_frozen(self):
        self.assertEqual(2, freeze.thaw(self.guest(), expected=2))
        self.assertEqual(0, freeze.thaw(self.guest(thaw=0)))
        self.assertEqual(0, freeze.thaw(self.guest(thaw=0), expected=0))

    def test_one_that_finds_nothing_frozen_came_too_late(self):
        with self.assertRaises(errors.OperationFailed) as caught:
            freeze.thaw(self.guest(thaw=0), expected=2)
        self.assertEqual('freeze_expired', caught.exception.reason)

    def test_a_refusal_leaves_it_frozen(self):
        with self.assertRaises(errors.CommandError):
            freeze.thaw(self.guest('frozen', HOOK), expected=2)

    def test_a_complaint_after_it_is_told(self):
        with self.assertRaises(errors.OperationFailed) as caught:
            freeze.thaw(self.guest('thawed', HOOK), expected=2)
        self.assertIsNone(caught.exception.reason)
        self.assertIn('hook has failed', str(caught.exception))


class WindowsTest(unittest.TestCase):
    def setUp(self):
        self.windows = windows_guest.WindowsGuest()
        self.guest = scripted_guest.ScriptedGuest(self.windows.replies)
        self.assertEqual(2, freeze.freeze(self.guest, None))

    def test_a_thaw_in_time_is_one(self):
        self.assertEqual(2, freeze.thaw(self.guest, expected=2))

    def test_one_after_ten_seconds_came_too_late(self):
        self.windows.late = True
        self.assertTrue(freeze.is_frozen(self.guest))
        with self.assertRaises(errors.OperationFailed) as caught:
            freeze.thaw(self.guest, expected=2)
        self.assertEqual('freeze_expired', caught.exception.reason)
        self.assertIn('10 s', str(caught.exception))
        self.assertFalse(freeze.is_frozen(self.guest))

    def test_so_does_one_that_does_not_know_of_the_freeze(self):
        self.windows.late = True
        with self.assertRaises(errors.OperationFailed) as caught:
            freeze.thaw(self.guest)
        self.assertEqual('freeze_expired', caught.exception.reason)
