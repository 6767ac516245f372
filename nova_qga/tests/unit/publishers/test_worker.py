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

"""Tests of the thread that publishes."""

import unittest

import fixtures

from nova_qga import errors
from nova_qga.publishers import worker
from nova_qga.tests.fixtures import made_samples
from nova_qga.tests.fixtures import recording_publisher

DOMAIN = 'instance-00000001'
AWAY = errors.ServiceUnavailable('the broker is away')


class WorkerTest(fixtures.TestWithFixtures, unittest.TestCase):
    def start(self, size=1, wait=0.0, pause=0.001):
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_qga.publishers.worker.FIRST_PAUSE', pause
            )
        )
        self.recorder = recording_publisher.Recorder(size=size, wait=wait)
        self.worker = worker.Worker('recorder', self.recorder)
        self.worker.start()
        self.addCleanup(self.worker.join)
        self.addCleanup(self.worker.end, 10)
        self.addCleanup(self.recorder.go_on.set)

    def put(self, *uuids):
        for uuid in uuids:
            self.worker.put(made_samples.samples(uuid=uuid))

    def hold(self):
        """Keep the thread busy until :attr:`Recorder.go_on` is set."""
        self.recorder.stuck.add(DOMAIN)
        self.put('held')
        self.recorder.wait_until_tried()

    def end(self, timeout=10):
        self.worker.end(timeout)
        self.worker.join()

    def test_samples_are_published_in_the_order_in_which_they_came(self):
        self.start()
        self.hold()
        self.put('a', 'b')
        self.recorder.go_on.set()
        self.recorder.wait_until_published('b')
        self.assertEqual([['held'], ['a'], ['b']], self.recorder.batches)

    def test_a_batch_is_published_when_it_is_full(self):
        self.start(size=3, wait=3600)
        self.put('a', 'b', 'c', 'd')
        self.recorder.wait_until_published('a', 'b', 'c')
        self.assertEqual([['a', 'b', 'c']], self.recorder.batches)
        self.assertEqual(1, self.worker.waiting)

    def test_one_that_does_not_fill_is_published_after_a_while(self):
        self.start(size=1000, wait=0.01)
        self.put('a', 'b')
        self.recorder.wait_until_published('a', 'b')

    def test_where_nothing_is_batched_nothing_waits_for_a_batch(self):
        self.start(size=1, wait=3600)
        self.put('a', 'b')
        self.recorder.wait_until_published('a', 'b')
        self.assertEqual([['a'], ['b']], self.recorder.batches)

    def test_what_waits_is_published_at_the_end(self):
        self.start(size=2, wait=3600)
        self.put('a', 'b', 'c')
        self.end()
        self.assertEqual([['a', 'b'], ['c']], self.recorder.batches)

    def test_what_there_is_no_time_for_at_the_end_is_dropped(self):
        self.start()
        self.hold()
        self.put('a', 'b')
        self.worker.end(0.0)
        self.recorder.go_on.set()
        self.worker.join()
        self.assertEqual(['held'], self.recorder.published)
        self.assertEqual(2, self.worker.counts().dropped)

    def test_the_oldest_is_dropped_counted_and_said_once(self):
        self.start()
        self.hold()
        self.put('a', 'b', 'c')
        with self.assertLogs(worker.__name__, 'WARNING') as logged:
            self.worker.drop_oldest()
            self.worker.drop_oldest()
        self.assertEqual(1, len(logged.records))
        self.assertIn('publisher recorder: samples come', logged.output[0])
        self.recorder.go_on.set()
        self.end()
        self.assertEqual(['held', 'c'], self.recorder.published)
        self.assertEqual(2, self.worker.counts().dropped)

    def test_a_failure_costs_its_batch_and_no_other(self):
        self.start()
        self.recorder.error = RuntimeError('no disk')
        with self.assertLogs(worker.__name__, 'ERROR') as logged:
            self.put('a')
            self.recorder.wait_until_tried()
            self.end()
        self.assertIn('publisher recorder: no disk', logged.output[0])
        self.assertIn('Traceback', logged.output[0])
        counts = self.worker.counts()
        self.assertEqual((0, 1), (counts.published, counts.dropped))
        self.assertEqual(1, counts.failures)

    def test_one_that_was_meant_is_said_without_a_traceback(self):
        self.start()
        self.recorder.error = errors.OperationFailed('401 Unauthorized')
        with self.assertLogs(worker.__name__, 'ERROR') as logged:
            self.put('a')
            self.recorder.wait_until_tried()
            self.end()
        self.assertNotIn('Traceback', logged.output[0])

    def test_while_nothing_is_taken_samples_wait_in_their_order(self):
        self.start(size=2, wait=3600, pause=0.2)
        self.recorder.error = AWAY
        with self.assertLogs(worker.__name__, 'WARNING') as logged:
            self.put('a', 'b')
            self.recorder.wait_until_tried(1)
            self.put('c', 'd')
            self.recorder.error = None
            self.recorder.wait_until_published('a', 'b', 'c', 'd')
        self.assertEqual([['a', 'b'], ['c', 'd']], self.recorder.batches)
        self.assertIn('recorder: the broker is away', logged.output[0])
        self.end()
        counts = self.worker.counts()
        self.assertEqual((4, 0), (counts.published, counts.dropped))
        self.assertLessEqual(1, counts.failures)

    def test_a_batch_that_is_never_taken_makes_way_for_the_next(self):
        self.start()
        self.recorder.error = AWAY
        with self.assertLogs(worker.__name__, 'WARNING'):
            self.put('a', 'b')
            self.recorder.wait_until_tried(worker.ATTEMPTS + 1)
        self.recorder.error = None
        self.recorder.wait_until_published('b')
        self.assertEqual(['b'], self.recorder.published)
        self.assertEqual(1, self.worker.counts().dropped)

    def test_it_ends_at_once_while_nothing_is_taken(self):
        self.start(pause=3600)
        self.recorder.error = AWAY
        with self.assertLogs(worker.__name__, 'WARNING'):
            self.put('a')
            self.recorder.wait_until_tried()
            self.end(3600)
        self.assertEqual(1, self.worker.counts().dropped)
