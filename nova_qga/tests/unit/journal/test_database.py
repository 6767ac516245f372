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

"""Tests of the journal's file."""

import pathlib
import sqlite3
import stat
import unittest

import fixtures

from nova_qga import errors
from nova_qga.journal import database
from nova_qga.journal import outbox
from nova_qga.journal import requests

RECORD = requests.Record('r1', 'ping', '5a30e6de-ad6a-4f40-91a4-4d5e2c0f2f7b')
EVENT = outbox.Event('info', 'instance.guest.ping.end', {'n': 1})


class DatabaseTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.folder /= 'made/by/the/journal'

    def open(self):
        opened = database.Database(self.folder)
        self.addCleanup(opened.close)
        return opened

    def use(self, opened):
        """Write and read, as a request does."""
        events = outbox.Outbox(opened)
        journal = requests.Requests(opened, events)
        journal.begin(RECORD, 4e9)
        journal.finish(RECORD._replace(state='succeeded'), EVENT)
        return journal.find('r1').state

    def assert_refused(self, opened, words):
        events = outbox.Outbox(opened)
        journal = requests.Requests(opened, events)
        for use in (
            lambda: journal.begin(RECORD, 4e9),
            lambda: journal.find('r1'),
            lambda: journal.finish(RECORD, EVENT),
            lambda: events.add(EVENT),
            lambda: events.first(1),
        ):
            with self.assertRaisesRegex(errors.ServiceUnavailable, words):
                use()

    def test_only_its_owner_can_read_it(self):
        self.use(self.open())
        self.assertEqual(0o700, stat.S_IMODE(self.folder.stat().st_mode))
        files = sorted(self.folder.iterdir())
        self.assertLessEqual(
            {'journal.db', 'journal.db-wal'}, {file.name for file in files}
        )
        for file in files:
            with self.subTest(file=file.name):
                self.assertEqual(0o600, stat.S_IMODE(file.stat().st_mode))

    def test_a_file_that_others_could_read_is_closed_to_them(self):
        self.folder.mkdir(parents=True)
        file = self.folder / 'journal.db'
        file.touch(0o644)
        self.open()
        self.assertEqual(0o600, stat.S_IMODE(file.stat().st_mode))

    def test_a_second_agent_is_kept_out(self):
        self.open()
        with self.assertRaisesRegex(
            errors.ConfigurationError, 'another nova-qga-agent'
        ):
            database.Database(self.folder)

    def test_a_folder_that_cannot_be_made_is_named_at_each_use(self):
        self.folder.parent.mkdir(parents=True)
        self.folder.touch()
        opened = self.open()
        self.assertIn(str(self.folder), opened.problem)
        self.assert_refused(opened, 'state_path.*full or read-only')

    def test_it_is_used_as_soon_as_it_can_be(self):
        self.folder.parent.mkdir(parents=True)
        self.folder.touch()
        opened = self.open()
        self.assert_refused(opened, 'state_path')
        self.folder.unlink()
        self.assertEqual('succeeded', self.use(opened))
        self.assertIsNone(opened.problem)

    def test_a_broken_file_is_not_run_with_and_not_thrown_away(self):
        self.folder.mkdir(parents=True)
        (self.folder / 'journal.db').write_text('no database' * 1000)
        self.assert_refused(self.open(), 'Move a broken journal.db away')
        kept = (self.folder / 'journal.db').read_text()
        self.assertEqual('no database' * 1000, kept)

    def test_a_disk_that_is_full_costs_no_half_of_a_change(self):
        opened = self.open()
        events = outbox.Outbox(opened)
        journal = requests.Requests(opened, events)
        journal.begin(RECORD, 4e9)
        with opened.reading() as connection:
            [pages] = connection.execute('PRAGMA page_count').fetchone()
            connection.execute(f'PRAGMA max_page_count = {pages}')
        large = EVENT._replace(payload={'text': 'x' * 100_000})
        with self.assertRaisesRegex(errors.ServiceUnavailable, 'full'):
            journal.finish(RECORD._replace(state='succeeded'), large)
        self.assertEqual([], events.first(9))
        self.assertEqual('succeeded', journal.find('r1').state)
        self.assertEqual([], journal.unended(), 'it is known to have ended')
        with opened.reading() as connection:
            connection.execute('PRAGMA max_page_count = 100000')
        journal.write_rest()
        self.assertEqual([(1, large)], events.first(9))
        self.assertEqual([], journal.unended())

    def test_the_file_of_a_newer_version_is_left_alone(self):
        self.open().close()
        with sqlite3.connect(self.folder / 'journal.db') as connection:
            connection.execute('PRAGMA user_version = 99')
        with self.assertRaisesRegex(errors.ConfigurationError, 'newer'):
            database.Database(self.folder)

    def test_the_file_of_the_first_version_is_taken_over(self):
        self.folder.mkdir(parents=True)
        with sqlite3.connect(self.folder / 'journal.db') as connection:
            connection.execute(
                'CREATE TABLE requests (request_id TEXT PRIMARY KEY, '
                'operation TEXT NOT NULL, instance_uuid TEXT NOT NULL, '
                'state TEXT NOT NULL, channel TEXT, error TEXT, counts TEXT, '
                'began REAL NOT NULL, ended REAL, expires REAL NOT NULL) '
                'WITHOUT ROWID'
            )
            connection.execute(
                "INSERT INTO requests VALUES ('r0', 'ping', 'u', 'running', "
                'NULL, NULL, NULL, 1, NULL, 2)'
            )
            connection.execute('PRAGMA user_version = 1')
        opened = self.open()
        journal = requests.Requests(opened, outbox.Outbox(opened))
        [left] = journal.unended()
        self.assertEqual(requests.Owner(), left.owner)
        self.assertEqual('succeeded', self.use(opened))

    def test_one_that_is_closed_says_so(self):
        opened = self.open()
        opened.close()
        self.assert_refused(opened, 'closed')


class InMemoryTest(unittest.TestCase):
    def test_it_needs_no_folder(self):
        opened = database.Database(None)
        journal = requests.Requests(opened, outbox.Outbox(opened))
        self.assertTrue(journal.begin(RECORD, 4e9))
        self.assertFalse(journal.begin(RECORD, 4e9))
        opened.close()
