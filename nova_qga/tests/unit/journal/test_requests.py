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
import subprocess
import sys
import threading
import time
import unittest

import fixtures

from nova_qga import errors
from nova_qga.journal import database
from nova_qga.journal import outbox
from nova_qga.journal import requests

UUID = '5a30e6de-ad6a-4f40-91a4-4d5e2c0f2f7b'
LATER = time.time() + 3600

#: Begins a request and dies.
CRASH = """
import os, pathlib, sys
from nova_qga.journal import database, outbox, requests
journal = database.Database(pathlib.Path(sys.argv[1]))
requests.Requests(journal, outbox.Outbox(journal)).begin(
    requests.Record('r1', 'write_file', sys.argv[2]), 4e9
)
os._exit(1)
"""


EVENT = outbox.Event('info', 'instance.guest.write_file.end', {'n': 1})


def record(request_id='r1', **more):
    return requests.Record(request_id, 'write_file', UUID, **more)


class RequestsTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.folder /= 'made/by/the/journal'

    def open(self):
        self.database = database.Database(self.folder)
        self.addCleanup(self.database.close)
        self.outbox = outbox.Outbox(self.database)
        return requests.Requests(self.database, self.outbox)

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
        journal.finish(ended, EVENT)
        self.database.close()
        found = self.open().find('r1')
        self.assertLessEqual(found.began, found.ended)
        self.assertEqual(ended, found._replace(began=0.0, ended=None))
        self.assertEqual([(1, EVENT)], self.outbox.first(9))

    def test_what_ran_at_a_crash_is_found(self):
        done = subprocess.run(
            [sys.executable, '-c', CRASH, self.folder, UUID], check=False
        )
        self.assertEqual(1, done.returncode)
        journal = self.open()
        [found] = journal.unended()
        self.assertEqual(('r1', 'running'), (found.request_id, found.state))
        journal.finish(record(state='unknown'), EVENT)
        self.assertEqual([], journal.unended())

    def test_who_waits_is_woken_when_it_ends(self):
        journal = self.open()
        journal.begin(record(), LATER)
        seen = []
        waiter = threading.Thread(
            target=lambda: seen.append(journal.wait('r1', 30))
        )
        waiter.start()
        journal.finish(record(state='succeeded'), EVENT)
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
        self.execute('PRAGMA query_only = ON')
        with self.assertRaises(errors.ServiceUnavailable):
            journal.finish(record(state='succeeded'), EVENT)
        waiter.join(10)
        self.assertEqual(['succeeded'], [found.state for found in seen])
        self.execute('PRAGMA query_only = OFF')
        journal.write_rest()
        self.database.close()
        self.assertEqual('succeeded', self.open().find('r1').state)
        self.assertEqual([(1, EVENT)], self.outbox.first(9))

    def execute(self, *statement):
        with self.database.reading() as connection:
            connection.execute(*statement)

    def test_one_that_began_in_a_journal_that_was_moved_away_has_its_end(self):
        known = self.open()
        known.begin(record(), LATER)
        for file in self.folder.glob('journal.db*'):
            file.write_bytes(b'x' * 8192)
        with self.assertRaises(errors.ServiceUnavailable):
            known.finish(record(state='succeeded'), EVENT)
        for file in self.folder.glob('journal.db*'):
            file.unlink()
        self.assertFalse(known.begin(record(), LATER), 'it is known')
        self.assertEqual('succeeded', known.find('r1').state)
        self.assertEqual([EVENT], [each for _, each in self.outbox.first(9)])
        known.finish(record(state='failed'), EVENT)
        self.assertEqual('succeeded', known.find('r1').state)
        self.assertEqual(1, len(self.outbox))

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
            journal.finish(record(request_id, state='succeeded'), EVENT)
        self.execute(
            'UPDATE requests SET ended = ? WHERE request_id = ?',
            (ancient, 'ended'),
        )
        journal._begun = 0  # as at a start, and now and then
        journal.begin(record('new'), LATER)
        self.assertIsNone(journal.find('ended'))
        self.assertIsNotNone(journal.find('runs'))
        self.assertIsNotNone(journal.find('young'))

    def test_no_more_than_so_many_are_remembered(self):
        journal = self.open()
        journal.begin(record('unexpired'), LATER)
        journal.finish(record('unexpired', state='failed'), EVENT)
        for number in range(4):
            journal.begin(record(f'r{number}'), time.time() - 1)
            if number != 1:
                journal.finish(record(f'r{number}', state='failed'), EVENT)
        with fixtures.MonkeyPatch('nova_qga.journal.requests.MOST', 1):
            journal._begun = 0
            journal.begin(record('new'), LATER)
        left = {f'r{n}' for n in range(4) if journal.find(f'r{n}')}
        self.assertEqual({'r1', 'r3'}, left, 'what runs, and the youngest')
        self.assertIsNotNone(journal.find('unexpired'), 'it may come again')
