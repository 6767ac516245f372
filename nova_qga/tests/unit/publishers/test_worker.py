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

"""Tests of the publishing thread."""

import threading
import unittest

import fixtures

from nova_qga.publishers import base
from nova_qga.publishers import worker
from nova_qga.tests.fixtures import made_samples


class Recorder(base.Publisher):
    """Remembers what it is given, and may be made to wait or to fail."""

    def __init__(self):
        super().__init__(base.Context('compute-1', None))
        self.published = []
        self.closed = threading.Event()
        self.busy = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.error = None

    def publish(self, samples):
        self.busy.set()
        self.go_on.wait(10)
        if self.error is not None:
            raise self.error
        self.published.append(samples.instance_uuid)

    def close(self):
        self.closed.set()


class WorkerTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.recorder = Recorder()

    def start(self, **limits):
        made = worker.Worker({'recorder': self.recorder}, **limits)
        made.start()
        self.addCleanup(made.stop, 10)
        return made

    def put(self, to, *uuids):
        for uuid in uuids:
            to.put_samples(made_samples.samples(uuid=uuid))

    def hold(self, to):
        """Keep the thread busy until :attr:`Recorder.go_on` is set."""
        self.recorder.go_on.clear()
        self.put(to, 'held')
        self.assertTrue(self.recorder.busy.wait(10))

    def test_samples_are_published_in_the_order_in_which_they_came(self):
        started = self.start()
        self.hold(started)
        self.put(started, 'a', 'b')
        self.recorder.go_on.set()
        self.finish(started)
        self.assertEqual(['held', 'a', 'b'], self.recorder.published)

    def finish(self, started):
        """Return when all that was put so far is published."""
        done = Recorder()
        with_both = {'recorder': self.recorder, 'done': done}
        started.use(with_both)
        self.put(started, 'last')
        self.assertTrue(done.busy.wait(10))
        self.recorder.published.remove('last')

    def test_where_too_much_comes_the_oldest_is_dropped_and_counted(self):
        started = self.start(max_samples=2)
        self.hold(started)
        with self.assertLogs(worker.__name__, 'WARNING') as logged:
            self.put(started, 'a', 'b', 'c', 'd')
        self.assertEqual(2, started.dropped)
        self.assertEqual(1, len(logged.records), 'one warning, not two')
        self.recorder.go_on.set()
        with self.assertNoLogs(worker.__name__, 'WARNING'):
            started.stop(10)

    def test_a_publisher_that_fails_costs_the_others_nothing(self):
        self.recorder.error = RuntimeError('no disk')
        other = Recorder()
        started = worker.Worker({'bad': self.recorder, 'good': other})
        started.start()
        with self.assertLogs(worker.__name__, 'ERROR') as logged:
            self.put(started, 'a', 'b')
            self.assertTrue(other.busy.wait(10))
            started.stop(10)
        self.assertIn('a', other.published)
        self.assertIn('publisher bad: no disk', logged.output[0])

    def test_other_publishers_take_over_and_the_old_are_closed(self):
        started = self.start()
        other = Recorder()
        started.use({'other': other})
        self.put(started, 'a')
        self.assertTrue(other.busy.wait(10))
        self.assertTrue(self.recorder.closed.wait(10))
        self.assertEqual([], self.recorder.published)

    def test_a_publisher_that_stays_is_not_closed(self):
        started = self.start()
        started.use({'renamed': self.recorder})
        self.put(started, 'a')
        self.assertTrue(self.recorder.busy.wait(10))
        self.assertFalse(self.recorder.closed.is_set())
