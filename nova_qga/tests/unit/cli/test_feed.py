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

"""Hosts that are asked again and again, each at its own pace."""

import queue
import threading
import unittest

from nova_qga.cli import feed
from nova_qga import errors


class FeedTest(unittest.TestCase):
    def setUp(self):
        self.news = queue.SimpleQueue()
        self.go_on = threading.Event()
        self.addCleanup(self.go_on.set)

    def feed(self, question, *names, interval=0.01, count=None):
        made = feed.Feed(
            names, question, interval, lambda: self.news.put(None), count
        )
        made.start()
        return made

    def wait(self, until):
        while not until():
            self.news.get(timeout=30)

    def test_hosts_are_asked_so_often(self):
        asked = []

        def question(name):
            asked.append(name)
            return {'name': name}

        made = self.feed(question, 'c1', 'c2', count=3)
        made.wait()
        self.assertTrue(made.over)
        self.assertEqual(['c1'] * 3 + ['c2'] * 3, sorted(asked))
        told = made.told()
        self.assertEqual({'name': 'c2'}, told['c2'].result)
        self.assertEqual(3, told['c2'].asked)
        self.assertIsNone(told['c2'].error)

    def test_one_that_hangs_holds_up_no_other(self):
        def question(name):
            if name == 'c1':
                self.go_on.wait(60)
            return {}

        made = self.feed(question, 'c1', 'c2')
        self.wait(lambda: made.told()['c2'].asked > 3)
        told = made.told()
        self.assertIsNone(told['c1'].result)
        self.assertGreater(told['c1'].waiting, 0)
        self.assertFalse(made.over)

    def test_one_that_fails_is_said_and_asked_again(self):
        failures = [errors.ServiceUnavailable('start \x1b[31m it')]

        def question(name):
            if failures:
                raise failures.pop()
            return {'name': name}

        made = self.feed(question, 'c1', interval=0.2)
        self.wait(lambda: made.told()['c1'].error)
        self.assertEqual('start \\x1b[31m it', made.told()['c1'].error)
        self.wait(lambda: made.told()['c1'].result)
        self.assertIsNone(made.told()['c1'].error)

    def test_all_are_asked_at_once_where_that_is_wanted(self):
        made = self.feed(lambda name: {}, 'c1', interval=3600)
        self.wait(lambda: made.told()['c1'].asked == 1)
        made.ask_again()
        self.wait(lambda: made.told()['c1'].asked == 2)

    def test_a_fault_of_ours_is_not_hidden(self):
        def question(name):
            raise ZeroDivisionError

        made = self.feed(question, 'c1', count=1)
        made.wait()
        with self.assertRaises(ZeroDivisionError):
            made.told()
