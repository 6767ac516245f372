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

"""How long and why a guest has not answered."""

import unittest

from nova_qga import errors
from nova_qga.transport import breaker


class BreakerTest(unittest.TestCase):
    def test_the_first_failure_says_since_when_and_the_last_one_why(self):
        pauses = breaker.Breaker()
        pauses.failed(10.0, errors.ChannelTimeout('no answer'))
        pauses.failed(20.0, errors.ChannelBusy('others wait'))
        self.assertEqual(
            (10.0, 20.0, 'channel_busy', 'others wait'), pauses.fault
        )

    def test_an_answer_ends_it(self):
        pauses = breaker.Breaker()
        pauses.failed(10.0, errors.ChannelTimeout('no answer'))
        self.assertTrue(pauses.waits(10.0))
        pauses.succeeded()
        self.assertIsNone(pauses.fault)
        self.assertFalse(pauses.waits(10.0))
        pauses.failed(30.0, errors.ChannelTimeout('no answer'))
        self.assertEqual(30.0, pauses.fault.since)

    def test_pauses_grow_to_their_limit(self):
        pauses = breaker.Breaker(base=1.0, limit=8.0)
        error = errors.ChannelTimeout('no answer')
        for expected in (1, 2, 4, 8, 8):
            pause = pauses.failed(0.0, error)
            self.assertTrue(0.75 * expected <= pause <= 1.25 * expected)

    def test_it_is_closed_open_and_half_open(self):
        pauses = breaker.Breaker(base=1.0)
        self.assertIs(breaker.State.CLOSED, pauses.state(0.0))
        pause = pauses.failed(10.0, errors.ChannelTimeout('no answer'))
        self.assertIs(breaker.State.OPEN, pauses.state(10.0))
        self.assertIs(breaker.State.HALF_OPEN, pauses.state(10.0 + pause))
        pauses.succeeded()
        self.assertIs(breaker.State.CLOSED, pauses.state(10.0))

    def test_news_of_the_guest_end_a_long_pause(self):
        pauses = breaker.Breaker(base=1.0, limit=60.0)
        for _ in range(8):
            pauses.failed(10.0, errors.ChannelTimeout('no answer'))
        self.assertTrue(pauses.waits(30.0))
        self.assertEqual(0.0, pauses.rearm(30.0))
        self.assertIs(breaker.State.HALF_OPEN, pauses.state(30.0))
        self.assertIsNotNone(pauses.fault)
        again = pauses.failed(31.0, errors.ChannelTimeout('no answer'))
        self.assertLessEqual(again, 1.25)

    def test_a_storm_of_news_makes_no_storm_of_attempts(self):
        pauses = breaker.Breaker(base=1.0)
        pauses.failed(10.0, errors.ChannelTimeout('no answer'))
        for moment in (10.1, 10.2, 10.3):
            wait = pauses.rearm(moment)
            self.assertAlmostEqual(min(11.0, pauses._until), moment + wait)
            self.assertTrue(pauses.waits(moment))

    def test_news_of_a_guest_that_answers_change_nothing(self):
        pauses = breaker.Breaker()
        self.assertEqual(0.0, pauses.rearm(5.0))
        self.assertFalse(pauses.waits(5.0))
