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

"""Tests of who follows what guests use."""

import logging
import unittest

from nova_qga.agent import usage
from nova_qga.agent import usage_now
from nova_qga.collectors import base
from nova_qga.collectors import filesystems
from nova_qga import errors
from nova_qga.tests.fixtures import busy_guest
from nova_qga.tests.fixtures import made_samples

FIRST, SECOND = (f'00000000-0000-4000-8000-00000000000{n}' for n in (1, 2))


class FollowerTest(unittest.TestCase):
    def setUp(self):
        self.follower = usage.Follower()

    def note(self, uuid, *moments):
        guest = busy_guest.BusyGuest(uuid)
        for moment in moments:
            self.follower.note(guest.samples(moment))

    def test_each_guest_is_followed_by_itself(self):
        self.note(FIRST, 60, 120)
        self.note(SECOND, 60)
        known = self.follower.of([FIRST, SECOND, 'another'])
        self.assertEqual({FIRST, SECOND}, set(known))
        self.assertAlmostEqual(0.5, known[FIRST].cpu_time)
        self.assertIsNone(known[SECOND].cpu_time)

    def test_a_plugin_s_fault_ends_nobody_s_round(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.note(FIRST, 60)
        bad = made_samples.samples(
            base.Sample(filesystems.SIZE, '5', ('mountpoint', '/')),
            base.Sample(filesystems.USED, 1, ('mountpoint', '/')),
            uuid=FIRST,
        )
        self.follower.note(bad)
        self.assertEqual({}, self.follower.of([FIRST]))
        self.note(FIRST, 120)
        self.assertIn(FIRST, self.follower.of([FIRST]))

    def test_who_left_is_forgotten_after_a_while(self):
        self.note(FIRST, 60)
        self.note(SECOND, 60, 120, usage.FORGET)
        self.assertIn(FIRST, self.follower.of([FIRST]))
        self.note(SECOND, usage.FORGET + 61)
        self.assertEqual({SECOND}, set(self.follower.of([FIRST, SECOND])))


class Samples:
    """Samples as the poller takes them: the clock goes on with each."""

    def __init__(self, *unreachable):
        self.unreachable = unreachable
        self.taken = []

    def sample_now(self, uuid, timeout):
        self.taken.append(uuid)
        if uuid in self.unreachable:
            raise errors.GuestUnavailable('shutoff', 'it is off')
        return busy_guest.BusyGuest(uuid).samples(60 * len(self.taken))


class MeasurerTest(unittest.TestCase):
    def test_the_first_look_knows_rates_already(self):
        samples = Samples(SECOND)
        measurer = usage_now.Measurer(samples)
        known = measurer.of([FIRST, SECOND], 30)
        self.assertAlmostEqual(0.5, known[FIRST].cpu_time)
        self.assertEqual({FIRST}, set(known))
        self.assertEqual(sorted([FIRST, SECOND] * 2), sorted(samples.taken))
        measurer.of([FIRST, SECOND], 30)
        self.assertEqual(6, len(samples.taken))

    def test_without_time_nothing_is_asked(self):
        samples = Samples()
        self.assertEqual({}, usage_now.Measurer(samples).of([FIRST], 0))
        self.assertEqual([], samples.taken)

    def test_without_guests_nothing_is_known(self):
        self.assertEqual({}, usage_now.Measurer(Samples()).of([], 30))
