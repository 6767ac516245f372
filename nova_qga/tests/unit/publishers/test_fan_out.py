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

"""Tests of many publishers at once, each with threads of its own."""

import unittest

import fixtures

from nova_qga.publishers import fan_out
from nova_qga.publishers import outlet
from nova_qga.publishers import worker
from nova_qga.tests.fixtures import made_samples
from nova_qga.tests.fixtures import recording_publisher


class OutletTest(unittest.TestCase):
    def open(self, most=100, **more):
        self.recorder = recording_publisher.Recorder(**more)
        self.outlet = outlet.Outlet('recorder', self.recorder, most)
        self.addCleanup(self.close)
        self.addCleanup(self.recorder.go_on.set)

    def close(self):
        self.outlet.close(10).join(30)

    def put(self, domain, *uuids):
        for uuid in uuids:
            self.outlet.put(made_samples.samples(uuid=uuid, domain=domain))

    def test_one_way_that_hangs_holds_up_no_other(self):
        self.open()
        self.recorder.stuck.add('bad')
        self.put('bad', 'a', 'b')
        self.recorder.wait_until_tried()
        self.put('good', 'c', 'd')
        self.recorder.wait_until_published('c', 'd')
        self.assertEqual(['c', 'd'], self.recorder.published)

    def test_the_longest_queue_gives_way_where_too_much_waits(self):
        self.open(most=4, size=100, wait=3600)
        with self.assertLogs(worker.__name__, 'WARNING') as logged:
            self.put('few', 'a')
            self.put('many', *'bcdefg')
        self.assertIn('recorder to many', logged.output[0])
        self.close()
        self.assertEqual([*'aefg'], sorted(self.recorder.published))
        self.assertEqual(3, self.outlet.counts().dropped)

    def test_what_goes_nowhere_is_not_counted(self):
        self.open()
        self.put(None, 'a')
        self.close()
        self.assertEqual(worker.Counts(), self.outlet.counts())

    def test_a_fault_in_the_choice_of_a_way_is_the_publisher_s_alone(self):
        self.open()
        with self.assertLogs(worker.__name__, 'ERROR') as logged:
            for _ in range(3):
                self.put(recording_publisher.NOWHERE, 'a')
        self.assertEqual(1, len(logged.records))
        self.assertEqual(3, self.outlet.counts().dropped)

    def test_it_is_closed_after_what_waits(self):
        self.open(size=100, wait=3600)
        self.put('x', 'a')
        self.close()
        self.assertEqual(['a'], self.recorder.published)
        self.assertTrue(self.recorder.closed.is_set())
        self.put('x', 'b')
        self.assertEqual(['a'], self.recorder.published)

    def test_one_that_hangs_is_not_closed_under_its_thread(self):
        self.open()
        self.recorder.stuck.add('bad')
        self.put('bad', 'a')
        self.recorder.wait_until_tried()
        closing = self.outlet.close(0.0)
        closing.join(0.01)
        self.assertFalse(self.recorder.closed.is_set())
        self.recorder.go_on.set()
        closing.join(30)
        self.assertTrue(self.recorder.closed.is_set())


class FanOutTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.first = recording_publisher.Recorder()
        self.second = recording_publisher.Recorder()
        self.publishing = fan_out.FanOut()
        self.addCleanup(self.publishing.stop, 10)
        self.addCleanup(self.first.go_on.set)

    def put(self, *uuids):
        for uuid in uuids:
            self.publishing.put(made_samples.samples(uuid=uuid))

    def counted(self):
        return {
            (sample.metric, sample.labels[1]): sample.value
            for sample in self.publishing.internals()
        }

    def test_each_publisher_gets_all_and_waits_for_no_other(self):
        self.publishing.use({'first': self.first, 'second': self.second})
        self.first.stuck.add('instance-00000001')
        self.put('a', 'b')
        self.second.wait_until_published('a', 'b')
        self.assertEqual([], self.first.published)
        self.first.go_on.set()
        self.first.wait_until_published('a', 'b')

    def test_other_publishers_take_over_and_the_old_are_closed(self):
        self.publishing.use({'first': self.first})
        self.publishing.use({'second': self.second})
        self.put('a')
        self.second.wait_until_published('a')
        self.assertTrue(self.first.closed.wait(30))
        self.assertEqual([], self.first.published)
        self.assertEqual({'second': self.second}, self.publishing.publishers)

    def test_one_that_stays_goes_on_with_what_it_has(self):
        self.first.batch_size, self.first.batch_wait = 2, 3600
        self.publishing.use({'first': self.first})
        self.put('a')
        self.publishing.use({'second': self.second, 'first': self.first})
        self.assertFalse(self.first.closed.is_set())
        self.put('b')
        self.first.wait_until_published('a', 'b')
        self.assertEqual([['a', 'b']], self.first.batches)

    def test_a_stop_publishes_what_waits_and_waits_for_nobody_who_hangs(self):
        self.second.batch_size, self.second.batch_wait = 9, 3600
        self.publishing.use({'first': self.first, 'second': self.second})
        self.first.stuck.add('instance-00000001')
        self.put('a')
        self.first.wait_until_tried()
        self.publishing.stop(0.2)
        self.second.wait_until_published('a')
        self.assertEqual([], self.first.published)

    def test_it_says_what_became_of_samples(self):
        self.publishing.use({'first': self.first, 'second': self.second})
        self.second.error = RuntimeError('no disk')
        with self.assertLogs(worker.__name__, 'ERROR'):
            self.put('a', 'b')
            self.first.wait_until_published('a', 'b')
            self.second.wait_until_tried(2)
            self.publishing.stop(10)
        found = self.counted()
        self.assertEqual(2, found[fan_out.PUBLISHED, 'first'])
        self.assertEqual(0, found[fan_out.DROPPED, 'first'])
        self.assertEqual(2, found[fan_out.DROPPED, 'second'])
        self.assertEqual(2, found[fan_out.FAILURES, 'second'])
        self.assertEqual(0, found[fan_out.QUEUE, 'second'])
        self.assertGreaterEqual(found[fan_out.TIME, 'first'], 0)
