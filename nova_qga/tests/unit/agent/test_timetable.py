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

"""Guests with different periods."""

import unittest

from nova_qga.agent import schedule
from nova_qga.agent import timetable

A, B = 'a' * 8, 'b' * 8


class TimetableTest(unittest.TestCase):
    def setUp(self):
        self.table = timetable.Timetable()

    def due(self, since, until):
        return sorted(self.table.due(since, until))

    def test_nobody_is_due_in_an_empty_one(self):
        self.assertEqual([], self.due(0.0, 1000.0))
        self.assertEqual(schedule.LONGEST, self.table.tick)

    def test_each_is_due_once_in_a_period_of_its_own(self):
        self.table.put(A, 10.0)
        self.table.put(B, 60.0)
        found = [self.due(n * 10.0, n * 10.0 + 10.0) for n in range(12)]
        self.assertEqual(12, sum(A in each for each in found))
        self.assertEqual(2, sum(B in each for each in found))

    def test_a_guest_has_one_period_at_a_time(self):
        self.table.put(A, 10.0)
        self.table.put(A, 60.0)
        self.assertEqual(60.0, self.table.interval(A))
        found = [self.due(n * 10.0, n * 10.0 + 10.0) for n in range(12)]
        self.assertEqual(2, sum(map(len, found)))

    def test_none_takes_it_out(self):
        self.table.put(A, 10.0)
        self.table.put(A, None)
        self.table.put(B, None)
        self.assertEqual([], self.due(0.0, 60.0))
        self.assertIsNone(self.table.interval(A))
        self.assertEqual(0, len(self.table))

    def test_it_wakes_as_often_as_the_shortest_period_wants(self):
        self.table.put(A, 3600.0)
        self.assertEqual(schedule.LONGEST, self.table.tick)
        self.table.put(B, 0.25)
        self.assertEqual(0.25, self.table.tick)
