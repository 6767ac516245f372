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


"""Tests of the threads that do what was accepted."""

import threading
import unittest

from nova_qga import errors
from nova_qga.rpc import workers

PATIENCE = 30


class WorkersTest(unittest.TestCase):
    def setUp(self):
        self.go_on = threading.Event()
        self.addCleanup(self.go_on.set)
        self.began = threading.Semaphore(0)
        self.done = []

    def job(self, name):
        def run():
            self.began.release()
            self.go_on.wait(PATIENCE)
            self.done.append(name)

        return run

    def begun(self):
        self.assertTrue(self.began.acquire(timeout=PATIENCE))

    def submit(self, pool, uuid, name, size=0):
        pool.submit(uuid, self.job(name), size)

    def test_a_guest_that_hangs_leaves_workers_to_the_others(self):
        pool = workers.Workers(3, 2)
        for name in ('a1', 'a2', 'a3', 'a4'):
            self.submit(pool, 'a', name)
        self.begun()
        self.begun()
        self.assertTrue(pool.would_wait('a'))
        self.submit(pool, 'b', 'b1')
        self.begun()
        self.assertFalse(self.began.acquire(blocking=False))
        self.go_on.set()
        for _ in range(2):
            self.begun()
        pool.stop(PATIENCE)
        self.assertEqual(['a1', 'a2', 'a3', 'a4', 'b1'], sorted(self.done))

    def test_jobs_of_one_guest_begin_in_their_order(self):
        pool = workers.Workers(1, 1)
        self.go_on.set()
        for number in range(20):
            self.submit(pool, 'a', number)
        for _ in range(20):
            self.begun()
        pool.stop(PATIENCE)
        self.assertEqual(list(range(20)), self.done)

    def test_guests_take_turns(self):
        pool = workers.Workers(1, 1)
        self.submit(pool, 'x', 'x')
        self.begun()
        for name in ('a1', 'a2', 'b1', 'b2'):
            self.submit(pool, name[0], name)
        self.go_on.set()
        for _ in range(4):
            self.begun()
        pool.stop(PATIENCE)
        self.assertEqual(['x', 'a1', 'b1', 'a2', 'b2'], self.done)

    def test_a_stop_begins_nothing_more_and_waits_for_what_runs(self):
        pool = workers.Workers(1, 1)
        self.submit(pool, 'a', 'a1')
        self.begun()
        self.submit(pool, 'a', 'a2')
        pool.stop(0.01)
        self.assertEqual([], self.done)
        self.go_on.set()
        pool.stop(PATIENCE)
        self.assertEqual(['a1'], self.done)

    def test_a_job_that_fails_frees_its_worker(self):
        def fail():
            raise ZeroDivisionError

        pool = workers.Workers(1, 1)
        self.go_on.set()
        with self.assertLogs('nova_qga.rpc.workers', 'ERROR'):
            pool.submit('a', fail, 0)
            self.submit(pool, 'b', 'b1')
            self.begun()

    def test_too_many_bytes_leave_no_room(self):
        pool = workers.Workers(1, 1)
        self.submit(pool, 'a', 'a1')
        self.begun()
        pool.check_room('b')
        self.submit(pool, 'a', 'a2', size=workers.MOST_BYTES)
        with self.assertRaisesRegex(errors.ServiceUnavailable, '1 requests'):
            pool.check_room('b')
        self.go_on.set()
        self.begun()
        pool.check_room('b')

    def test_one_guest_leaves_room_to_the_others(self):
        pool = workers.Workers(1, 1)
        self.submit(pool, 'x', 'x')
        self.begun()
        for number in range(workers.MOST // workers.SHARE):
            pool.check_room('a')
            self.submit(pool, 'a', number)
        self.submit(pool, 'b', 'b1', size=workers.MOST_BYTES // workers.SHARE)
        for uuid in ('a', 'b'):
            with self.assertRaisesRegex(
                errors.ServiceUnavailable, 'this guest'
            ):
                pool.check_room(uuid)
        pool.check_room('c')

    def test_what_comes_after_a_stop_waits(self):
        pool = workers.Workers(1, 1)
        self.assertFalse(pool.would_wait('a'))
        pool.stop(0.0)
        self.assertTrue(pool.would_wait('a'))
