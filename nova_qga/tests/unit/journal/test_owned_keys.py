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


"""Tests of the keys that are ours."""

import pathlib
import unittest

import fixtures

from nova_qga import errors
from nova_qga.journal import database
from nova_qga.journal import owned_keys

A, B = ('ssh-ed25519', 'AAAA'), ('ssh-ed25519', 'BBBB')


class OwnedKeysTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def account(self, uuid='u', name='n'):
        self.journal = database.Database(self.folder)
        self.addCleanup(self.journal.close)
        return owned_keys.OwnedKeys(self.journal).account(uuid, name)

    def test_they_are_known_after_a_restart(self):
        account = self.account()
        account.add([A, B])
        account.add([A])
        account.forget([B])
        account.forget([B])
        self.journal.close()
        self.assertEqual({A}, self.account().keys())

    def test_each_account_of_each_guest_has_its_own(self):
        self.account().add([A])
        self.journal.close()
        for uuid, name in (('u', 'm'), ('v', 'n')):
            self.assertEqual(set(), self.account(uuid, name).keys())
            self.journal.close()

    def test_a_journal_that_cannot_be_used_is_said(self):
        account = self.account()
        self.journal.close()
        for use in (account.keys, lambda: account.add([A])):
            with self.assertRaises(errors.ServiceUnavailable):
                use()
