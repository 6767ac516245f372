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

"""Who is due when: each guest once a period, whatever the ticks."""

import math
import unittest
import uuid

import hypothesis
from hypothesis import strategies

from nova_qga.agent import schedule

TICKS = strategies.lists(
    strategies.floats(0.01, 20.0), min_size=1, max_size=40
)


def scheduled(count, interval):
    made = schedule.Schedule(interval)
    guests = [str(uuid.UUID(int=number)) for number in range(count)]
    for guest in guests:
        made.add(guest)
    return made, guests


class ScheduleTest(unittest.TestCase):
    @hypothesis.given(strategies.floats(0.0, 1e6), TICKS)
    def test_ticks_of_a_whole_period_wake_each_guest_once(self, start, ticks):
        made, guests = scheduled(50, sum(ticks) * 1.001)
        woken = []
        now = start
        for tick in ticks:
            woken += made.due(now, now + tick)
            now += tick
        woken += made.due(now, start + made.interval * 0.9999999)
        self.assertEqual(len(set(woken)), len(woken))
        # At most those at the very end of the period are left for later.
        self.assertGreaterEqual(len(woken), len(guests) - 1)

    @hypothesis.given(
        start=strategies.floats(0.0, 1e9),
        interval=strategies.floats(0.5, 3600.0),
        ticks=strategies.lists(
            strategies.floats(0.001, 0.999), min_size=1, max_size=60
        ),
    )
    def test_over_many_periods_none_is_ahead_of_another(
        self, start, interval, ticks
    ):
        made, guests = scheduled(30, interval)
        woken = dict.fromkeys(guests, 0)
        now = start
        for part in ticks:
            until = now + part * interval
            for guest in made.due(now, until):
                woken[guest] += 1
            now = until
        self.assertLessEqual(max(woken.values()) - min(woken.values()), 1)

    @hypothesis.given(
        start=strategies.floats(0.0, 1e9),
        interval=strategies.floats(0.5, 3600.0),
    )
    def test_a_tick_of_all_but_a_whole_period_wakes_all(self, start, interval):
        made, guests = scheduled(30, interval)
        late = math.nextafter(start + interval, 0.0)
        self.assertGreaterEqual(
            len(list(made.due(start, late))), len(guests) - 1
        )

    def test_who_missed_periods_is_due_once(self):
        made, guests = scheduled(20, 60.0)
        self.assertEqual(set(guests), set(made.due(10.0, 300.0)))
        self.assertEqual(20, len(list(made.due(10.0, 300.0))))

    def test_a_guest_that_left_is_never_due(self):
        made, guests = scheduled(20, 60.0)
        made.remove(guests[3])
        made.remove('never there')
        due = list(made.due(0.0, 60.0))
        self.assertNotIn(guests[3], due)
        self.assertEqual(19, len(due))

    def test_a_guest_that_is_added_twice_is_due_once(self):
        made, guests = scheduled(5, 60.0)
        made.add(guests[0])
        self.assertEqual(5, len(list(made.due(0.0, 60.0))))

    def test_guests_are_spread_over_the_period(self):
        made, _ = scheduled(1000, 60.0)
        tenths = [
            len(list(made.due(start, start + 6.0)))
            for start in range(0, 60, 6)
        ]
        self.assertGreater(min(tenths), 60)
        self.assertLess(max(tenths), 140)

    def test_a_tick_wakes_a_group_and_stays_within_bounds(self):
        for count in (0, 1, 100, 1000, 5000, 100_000):
            made, _ = scheduled(0, 60.0)
            made._due = [(0.0, '')] * count
            self.assertGreaterEqual(made.tick, schedule.SHORTEST)
            self.assertLessEqual(made.tick, schedule.LONGEST)
        made._due = [(0.0, '')] * 5000
        self.assertAlmostEqual(schedule.GROUP, made.tick / 60.0 * 5000)

    def test_a_place_depends_on_the_uuid_alone(self):
        guest = 'd9737ec2-16f8-409e-9d70-dba7d45962af'
        self.assertEqual(schedule.place(guest), schedule.place(guest))
        self.assertNotEqual(schedule.place(guest), schedule.place(guest[::-1]))
