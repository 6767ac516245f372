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

"""Tests of the journal of requests."""

import pathlib
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import unittest

import fixtures

from nova_qga import errors
from nova_qga.journal import requests

UUID = '5a30e6de-ad6a-4f40-91a4-4d5e2c0f2f7b'
LATER = time.time() + 3600

#: Begins a request and dies.
CRASH = """
import os, pathlib, sys
from nova_qga.journal import requests
journal = requests.Journal(pathlib.Path(sys.argv[1]))
journal.begin(requests.Record('r1', 'write_file', sys.argv[2]), 4e9)
os._exit(1)
"""


def record(request_id='r1', **more):
    return requests.Record(request_id, 'write_file', UUID, **more)


class JournalTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.folder /= 'made/by/the/journal'

    def open(self):
        journal = requests.Journal(self.folder)
        self.addCleanup(journal.close)
        return journal

    def test_a_request_is_begun_once(self):
        journal = self.open()
        self.assertIsNone(journal.find('r1'))
        self.assertTrue(journal.begin(record(), LATER))
        self.assertFalse(journal.begin(record(), LATER))
        self.assertEqual('running', journal.find('r1').state)

    def test_how_it_ended_is_known_after_a_restart(self):
        journal = self.open()
        journal.begin(record(), LATER)
        ended = record(
            state='failed',
            channel='direct',
            error={'code': 'c', 'reason': None, 'message': 'm', 'done': 7},
            counts={'bytes_written': 7},
        )
        journal.finish(ended)
        journal.close()
        self.assertEqual(ended, self.open().find('r1'))

    def test_what_ran_at_a_crash_is_unknown_afterwards(self):
        done = subprocess.run(
            [sys.executable, '-c', CRASH, self.folder, UUID], check=False
        )
        self.assertEqual(1, done.returncode)
        journal = self.open()
        [found] = journal.interrupted
        self.assertEqual('unknown', found.state)
        self.assertEqual('outcome_unknown', found.error['code'])
        self.assertEqual(found, journal.find('r1'))
        journal.close()
        self.assertEqual([], self.open().interrupted)

    def test_only_its_owner_can_read_it(self):
        journal = self.open()
        journal.begin(record(), LATER)
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
            requests.Journal(self.folder)

    def test_who_waits_is_woken_when_it_ends(self):
        journal = self.open()
        journal.begin(record(), LATER)
        seen = []
        waiter = threading.Thread(
            target=lambda: seen.append(journal.wait('r1', 30))
        )
        waiter.start()
        journal.finish(record(state='succeeded'))
        waiter.join(30)
        self.assertEqual(['succeeded'], [found.state for found in seen])

    def test_who_waits_is_woken_also_where_it_cannot_be_noted(self):
        journal = self.open()
        journal.begin(record(), LATER)
        seen = []
        waiter = threading.Thread(
            target=lambda: seen.append(journal.wait('r1', 30))
        )
        waiter.start()
        journal._database.execute('PRAGMA query_only = ON')
        with self.assertRaises(errors.ServiceUnavailable):
            journal.finish(record(state='succeeded'))
        waiter.join(10)
        self.assertEqual(['succeeded'], [found.state for found in seen])
        journal._database.execute('PRAGMA query_only = OFF')
        journal.begin(record('r2'), LATER)
        journal.close()
        self.assertEqual('succeeded', self.open().find('r1').state)

    def test_who_waits_in_vain_learns_that_it_still_runs(self):
        journal = self.open()
        journal.begin(record(), LATER)
        self.assertEqual('running', journal.wait('r1', 0.01).state)

    def test_threads_that_begin_one_request_together_begin_it_once(self):
        journal = self.open()
        begun = []

        def begin():
            begun.append(journal.begin(record(), LATER))

        threads = [threading.Thread(target=begin) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(1, begun.count(True))

    def test_what_is_long_over_is_forgotten_and_what_runs_is_not(self):
        journal = self.open()
        ancient = time.time() - requests.KEPT - 1
        for request_id in ('ended', 'runs', 'young'):
            journal.begin(record(request_id), ancient)
        for request_id in ('ended', 'young'):
            journal.finish(record(request_id, state='succeeded'))
        journal._database.execute(
            'UPDATE requests SET ended = ? WHERE request_id = ?',
            (ancient, 'ended'),
        )
        journal._begun = 0  # as at a start, and now and then
        journal.begin(record('new'), LATER)
        self.assertIsNone(journal.find('ended'))
        self.assertIsNotNone(journal.find('runs'))
        self.assertIsNotNone(journal.find('young'))

    def test_a_folder_that_cannot_be_made_is_named(self):
        blocked = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (blocked / 'file').touch()
        with self.assertRaisesRegex(
            errors.ConfigurationError, 'state_path.*Make the folder writable'
        ):
            requests.Journal(blocked / 'file' / 'state')

    def test_a_broken_journal_is_not_run_without(self):
        self.folder.mkdir(parents=True)
        (self.folder / 'journal.db').write_text('no database' * 1000)
        with self.assertRaisesRegex(errors.ConfigurationError, 'broken'):
            requests.Journal(self.folder)

    def test_the_journal_of_a_newer_version_is_left_alone(self):
        self.open().close()
        with sqlite3.connect(self.folder / 'journal.db') as database:
            database.execute('PRAGMA user_version = 99')
        with self.assertRaisesRegex(errors.ConfigurationError, 'newer'):
            requests.Journal(self.folder)

    def test_a_journal_that_cannot_be_written_says_so(self):
        journal = self.open()
        journal.close()
        for use in (
            lambda: journal.begin(record(), LATER),
            lambda: journal.find('r1'),
            lambda: journal.finish(record(state='failed')),
        ):
            with self.assertRaises(errors.ServiceUnavailable):
                use()


class InMemoryTest(unittest.TestCase):
    def test_it_needs_no_folder(self):
        journal = requests.Journal(None)
        self.assertTrue(journal.begin(record(), LATER))
        self.assertFalse(journal.begin(record(), LATER))
        journal.close()
