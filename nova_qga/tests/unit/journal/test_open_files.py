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


"""Tests of the memory of open files."""

import contextlib
import pathlib
import signal
import sqlite3
import subprocess
import sys
import threading
import unittest

import fixtures

from nova_qga.journal import database
from nova_qga.journal import open_files
from nova_qga.tests.fixtures import process

UUID = '5a30e6de-ad6a-4f40-91a4-4d5e2c0f2f7b'
OTHER = '7c1e2d3f-0b5a-4c8d-9e6f-a1b2c3d4e5f6'
DIRECT, STANDARD = 'org.qemu.guest_agent.1', 'org.qemu.guest_agent.0'
FILES = {'/proc/stat': 1000, '/proc/meminfo': 1001}
LONG = 60.0

# Notes a guest, and waits to be killed.
_SCRIPT = """
import pathlib, sys

from nova_qga.journal import database
from nova_qga.journal import open_files

files = open_files.OpenFiles(database.Database(pathlib.Path(sys.argv[1])))
files.note(sys.argv[2], sys.argv[3], 'boot-1', {'/proc/stat': 1000})
sys.stdin.readline()
"""


class OpenFilesTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.folder /= 'state'

    def open(self, most=open_files.MOST):
        self.journal = database.Database(self.folder)
        self.addCleanup(self.journal.close)
        opened = open_files.OpenFiles(self.journal, most)
        self.addCleanup(opened.stop, LONG)
        return opened

    def after_restart(self, opened):
        opened.stop(LONG)
        self.journal.close()
        return self.open().all()

    def test_what_is_open_is_known_after_a_restart(self):
        opened = self.open()
        self.assertEqual({}, opened.all())
        opened.note(UUID, DIRECT, 'boot-1', FILES)
        opened.note(UUID, STANDARD, 'boot-1', {'/proc/stat': 7})
        self.assertEqual(
            {
                (UUID, DIRECT): open_files.Remembered('boot-1', FILES),
                (UUID, STANDARD): open_files.Remembered(
                    'boot-1', {'/proc/stat': 7}
                ),
            },
            self.after_restart(opened),
        )

    def test_the_last_word_counts(self):
        opened = self.open()
        opened.note(UUID, DIRECT, 'boot-1', FILES)
        self.assertTrue(opened.flush(LONG))
        opened.note(UUID, DIRECT, 'boot-1', {'/proc/stat': 2})
        opened.note(UUID, DIRECT, 'boot-2', {'/proc/stat': 1})
        opened.note(OTHER, DIRECT, 'boot-1', FILES)
        opened.note(OTHER, DIRECT, 'boot-1', {})
        self.assertEqual(
            {(UUID, DIRECT): ('boot-2', {'/proc/stat': 1})},
            self.after_restart(opened),
        )

    def test_what_is_closed_is_forgotten(self):
        opened = self.open()
        opened.note(UUID, DIRECT, 'boot-1', FILES)
        opened.flush(LONG)
        opened.note(UUID, DIRECT, 'boot-1', {})
        self.assertEqual({}, self.after_restart(opened))

    def test_a_guest_that_has_gone_is_forgotten(self):
        opened = self.open()
        for uuid in (UUID, OTHER):
            for channel in (DIRECT, STANDARD):
                opened.note(uuid, channel, 'boot-1', FILES)
        opened.flush(LONG)
        opened.forget(UUID)
        self.assertEqual(
            {(OTHER, DIRECT), (OTHER, STANDARD)},
            set(self.after_restart(opened)),
        )

    def test_a_guest_that_goes_and_comes_at_once_is_known_anew(self):
        opened = self.open()
        opened.note(UUID, DIRECT, 'boot-1', FILES)
        opened.note(UUID, STANDARD, 'boot-1', FILES)
        opened.flush(LONG)
        opened.note(UUID, STANDARD, 'boot-1', FILES)
        opened.forget(UUID)
        opened.note(UUID, DIRECT, 'boot-2', FILES)
        self.assertEqual(
            {(UUID, DIRECT): ('boot-2', FILES)}, self.after_restart(opened)
        )

    def test_a_change_of_the_callers_handles_changes_no_entry(self):
        opened, handles = self.open(), dict(FILES)
        opened.note(UUID, DIRECT, 'boot-1', handles)
        handles.clear()
        self.assertEqual(
            {(UUID, DIRECT): ('boot-1', FILES)}, self.after_restart(opened)
        )

    def test_a_boot_that_is_no_text_costs_no_other_entry(self):
        opened = self.open()
        opened.note(UUID, DIRECT, '\ud800\0', FILES)
        opened.note(OTHER, DIRECT, 'boot-1', {'/proc/stat': 2**63 - 1})
        self.assertEqual(
            {
                (UUID, DIRECT): ('\ud800\0', FILES),
                (OTHER, DIRECT): ('boot-1', {'/proc/stat': 2**63 - 1}),
            },
            self.after_restart(opened),
        )

    def test_beyond_the_limit_the_oldest_are_forgotten(self):
        opened = self.open(most=2)
        for number in range(4):
            opened.note(str(number), DIRECT, 'boot-1', FILES)
            opened.flush(LONG)
        opened.note('2', DIRECT, 'boot-2', FILES)
        opened.flush(LONG)
        opened.note('4', DIRECT, 'boot-1', FILES)
        self.assertEqual(
            {('2', DIRECT), ('4', DIRECT)}, set(self.after_restart(opened))
        )

    def test_it_is_written_without_being_asked_to(self):
        opened = self.open()
        opened.note(UUID, DIRECT, 'boot-1', FILES)
        self.assertTrue(process.wait_until(lambda: opened.all(), LONG))

    def test_who_notes_waits_for_no_writer(self):
        opened = self.open()
        held, free = threading.Event(), threading.Event()

        def hold():
            with self.journal.transaction():
                held.set()
                free.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        self.addCleanup(holder.join)
        self.addCleanup(free.set)
        held.wait()
        opened.note(UUID, DIRECT, 'boot-1', FILES)
        self.assertFalse(opened.flush(0.0))
        opened.note(OTHER, DIRECT, 'boot-1', FILES)
        free.set()
        self.assertTrue(opened.flush(LONG))
        self.assertEqual(2, len(opened.all()))

    def test_what_comes_after_the_end_is_not_noted(self):
        opened = self.open()
        opened.note(UUID, DIRECT, 'boot-1', FILES)
        opened.stop(LONG)
        opened.note(UUID, DIRECT, 'boot-1', {})
        opened.forget(UUID)
        self.assertTrue(opened.flush(LONG))
        self.assertEqual({(UUID, DIRECT)}, set(opened.all()))

    def test_one_that_had_nothing_to_note_ends_at_once(self):
        opened = self.open()
        self.assertTrue(opened.flush(LONG))
        opened.stop(LONG)

    def test_a_journal_that_cannot_be_used_is_said_and_tried_again(self):
        self.folder.touch()
        opened = self.open()
        with self.assertLogs(open_files.__name__, 'WARNING') as said:
            self.assertEqual({}, opened.all())
            opened.note(UUID, DIRECT, 'boot-1', FILES)
            opened.note(OTHER, DIRECT, 'boot-1', FILES)
            self.assertFalse(opened.flush(LONG))
            # What is known by now is newer than what could not be written.
            opened.note(UUID, DIRECT, 'boot-2', FILES)
            opened.forget(OTHER)
            self.assertFalse(opened.flush(LONG))
        self.assertEqual(2, len(said.output), 'said once each')
        self.assertIn('state_path', said.output[1])
        self.folder.unlink()
        self.assertTrue(opened.flush(LONG))
        self.assertEqual(
            {(UUID, DIRECT): ('boot-2', FILES)}, self.after_restart(opened)
        )


class KilledTest(fixtures.TestWithFixtures, unittest.TestCase):
    def test_what_a_killed_process_has_noted_is_known_to_the_next(self):
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        killed = subprocess.Popen(
            [sys.executable, '-c', _SCRIPT, folder, UUID, DIRECT],
            stdin=subprocess.PIPE,
        )
        self.addCleanup(killed.wait)
        self.addCleanup(killed.kill)
        self.addCleanup(killed.stdin.close)
        self.assertTrue(process.wait_until(lambda: rows(folder), LONG))
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        journal = database.Database(folder)
        self.addCleanup(journal.close)
        self.assertEqual(
            {(UUID, DIRECT): ('boot-1', {'/proc/stat': 1000})},
            open_files.OpenFiles(journal).all(),
        )


def rows(folder):
    """What another process has written so far."""
    uri = f'file:{folder}/journal.db?mode=ro'
    with contextlib.suppress(sqlite3.OperationalError):
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as journal:
            return journal.execute('SELECT * FROM open_files').fetchall()
