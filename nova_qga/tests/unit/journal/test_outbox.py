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

"""Tests of the outbox."""

import unittest

from nova_qga.journal import database
from nova_qga.journal import outbox


def event(number):
    return outbox.Event('info', 'instance.guest.ping.end', {'n': number})


class OutboxTest(unittest.TestCase):
    def setUp(self):
        opened = database.Database(None)
        self.addCleanup(opened.close)
        self.outbox = outbox.Outbox(opened, kept=3)

    def numbers(self):
        return [kept.payload['n'] for _, kept in self.outbox.first(99)]

    def test_what_was_put_in_first_comes_out_first(self):
        for number in range(3):
            self.outbox.add(event(number))
        self.assertEqual([0, 1, 2], self.numbers())
        self.assertEqual(1, len(self.outbox.first(1)))

    def test_what_was_sent_is_taken_out(self):
        for number in range(3):
            self.outbox.add(event(number))
        self.outbox.take_out(n for n, _ in self.outbox.first(2))
        self.assertEqual([2], self.numbers())
        self.assertEqual(1, len(self.outbox))

    def test_a_number_is_never_used_again(self):
        """Else what came later could be taken out instead of what was sent."""
        self.outbox.add(event(0))
        sent = [number for number, _ in self.outbox.first(9)]
        self.outbox.take_out(sent)
        self.outbox.add(event(1))
        self.outbox.take_out(sent)
        self.assertEqual([1], self.numbers())

    def test_beyond_the_limit_the_oldest_is_dropped_and_counted(self):
        self.assertEqual(0, self.outbox.prune())
        for number in range(5):
            self.outbox.add(event(number))
        self.assertEqual(2, self.outbox.prune())
        self.assertEqual([2, 3, 4], self.numbers())
        self.assertEqual(2, self.outbox.dropped)
