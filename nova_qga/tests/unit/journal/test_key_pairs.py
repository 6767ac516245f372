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

"""The keys of a host: kept, rotated, and not lost."""

import os
import pathlib
import threading
import time
import unittest

import fixtures

from nova_qga import errors
from nova_qga.journal import key_pairs


class KeyPairsTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file = self.folder / 'key_pairs.json'
        self.keys = key_pairs.KeyPairs(self.folder)

    def refuse(self, words='cannot use its keys'):
        """Everything that needs a key fails."""
        before = self.file.read_bytes() if self.file.is_file() else None
        for use in (
            self.keys.current,
            lambda: self.keys.find('a' * 32),
            lambda: self.keys.rotate(60),
        ):
            with self.assertRaisesRegex(
                errors.ServiceUnavailable, words
            ) as caught:
                use()
            self.assertNotIn('s3cret', str(caught.exception))
            self.assertTrue(caught.exception.__suppress_context__)
        if before is not None:
            self.assertEqual(before, self.file.read_bytes(), 'it is kept')

    def test_the_first_is_made_and_stays(self):
        pair = self.keys.current()
        self.assertEqual(pair, self.keys.current())
        self.assertEqual(pair, key_pairs.KeyPairs(self.folder).current())
        self.assertEqual(pair, self.keys.find(pair.key_id))

    def test_the_file_is_for_its_owner_alone_whatever_the_umask_is(self):
        self.addCleanup(os.umask, os.umask(0))
        self.keys.current()
        self.assertEqual(0o600, self.file.stat().st_mode & 0o7777)
        self.keys.rotate(60)
        self.assertEqual(0o600, self.file.stat().st_mode & 0o7777)
        self.assertEqual([self.file], list(self.folder.iterdir()))

    @unittest.skipIf(os.geteuid(), 'only root gives files away')
    def test_a_file_that_root_makes_belongs_to_whom_the_folder_does(self):
        os.chown(self.folder, 65534, 65533)
        self.keys.rotate(60)
        status = self.file.stat()
        self.assertEqual((65534, 65533), (status.st_uid, status.st_gid))

    def test_no_repr_holds_a_private_key(self):
        pair = self.keys.current()
        self.assertNotIn(repr(pair.private_key)[2:10], repr(pair))

    def test_another_process_that_rotates_is_noticed_at_once(self):
        old = self.keys.current()
        new = key_pairs.KeyPairs(self.folder).rotate(60)
        self.assertNotEqual(old.key_id, new.key_id)
        self.assertEqual(new, self.keys.current())
        self.assertEqual(
            old.private_key, self.keys.find(old.key_id).private_key
        )

    def test_an_old_key_is_accepted_for_its_own_time(self):
        first = self.keys.current()
        self.keys.rotate(3600)
        until = self.keys.find(first.key_id).accepted_until
        self.assertTrue(0 < until - time.time() <= 3600)
        self.keys.rotate(7200)
        self.assertEqual(until, self.keys.find(first.key_id).accepted_until)

    def test_a_key_whose_time_is_over_is_refused_and_deleted(self):
        first = self.keys.current()
        self.keys.rotate(0)
        self.assertNotIn(first.key_id, self.file.read_text())
        second = self.keys.current()
        self.keys.rotate(0.05)
        self.assertIn(second.key_id, self.file.read_text())
        while time.time() <= self.keys._read()[1].accepted_until:
            pass
        for gone in (first, second):
            with self.assertRaisesRegex(errors.UnknownKey, 'fetch'):
                self.keys.find(gone.key_id)
        self.assertNotIn(second.key_id, self.file.read_text())

    def test_an_unknown_key_is_refused(self):
        current = self.keys.current()
        for name in ('', 's3cret', current.key_id.upper()):
            with self.assertRaises(errors.UnknownKey) as caught:
                self.keys.find(name)
            self.assertNotIn('s3cret', str(caught.exception))

    def test_threads_that_come_first_together_make_one(self):
        found = []
        threads = [
            threading.Thread(
                target=lambda: found.append(
                    key_pairs.KeyPairs(self.folder).current().key_id
                )
            )
            for _ in range(8)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual({self.keys.current().key_id}, set(found))

    def test_a_broken_file_is_kept_and_said_to_be(self):
        whole = self.keys.current() and self.file.read_bytes()
        for broken in (
            b'',
            whole[:-20],
            b's3cret',
            b'[]',
            b'{"key_pairs": []}',
            b'{"key_pairs": {}}',
            b'{"key_pairs": ["s3cret"]}',
            b'\xff' + whole,
            whole.replace(b'null', b'1'),
            whole.replace(b'null', b'"s3cret"'),
            whole.replace(b'private_key": "', b'private_key": "AAAA'),
        ):
            self.file.write_bytes(broken)
            with self.subTest(broken=broken):
                self.refuse('is broken.*move it away')
        self.file.unlink()
        self.keys.current()

    def test_a_file_that_others_may_read_is_not_used(self):
        self.keys.current()
        for mode in (0o640, 0o604, 0o660):
            self.file.chmod(mode)
            self.refuse('others may read it')
        self.file.chmod(0o600)
        self.keys.current()

    def test_what_is_no_file_is_not_used(self):
        self.file.mkdir()
        self.refuse()
        self.file.rmdir()
        self.file.symlink_to('elsewhere')
        self.refuse()

    def test_a_folder_that_is_missing_is_not_made(self):
        self.keys = key_pairs.KeyPairs(self.folder / 'missing')
        for use in (self.keys.current, lambda: self.keys.rotate(60)):
            with self.assertRaisesRegex(
                errors.ServiceUnavailable, 'No such file'
            ):
                use()

    def test_what_a_crash_left_half_written_is_no_hindrance(self):
        left = self.folder / 'key_pairs.json.new'
        left.write_bytes(b'{')
        left.chmod(0o644)
        self.keys.current()
        self.assertEqual(0o600, self.file.stat().st_mode & 0o7777)
        self.assertFalse(left.exists())


class InMemoryTest(unittest.TestCase):
    def test_it_has_a_key_pair_of_its_own(self):
        keys = key_pairs.KeyPairs(None)
        old = keys.current()
        self.assertEqual(old, keys.find(old.key_id))
        self.assertNotEqual(old, key_pairs.KeyPairs(None).current())
        keys.rotate(60)
        self.assertEqual(old.key_id, keys.find(old.key_id).key_id)
        keys.rotate(0)
        self.assertEqual(keys.current(), keys.find(keys.current().key_id))
