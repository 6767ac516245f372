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

"""Tests of when a guest is asked for what changes slowly."""

import unittest

from nova_qga.agent import seldom


class SeldomTest(unittest.TestCase):
    def rounds(self, *answered, interval=300.0):
        """Take a round a minute; tell in which it was asked for.

        :param answered: whether each was, with it and without it
        """
        turns = seldom.Seldom()
        asked = []
        for number, (with_it, without) in enumerate(answered):
            now = number * 60.0
            due = turns.due(now)
            told = with_it if due else without
            note = turns.told if told else turns.failed
            note(now, interval, due)
            asked.append(due)
        return asked

    def test_it_comes_first_and_then_in_its_time(self):
        self.assertEqual(
            [True, False, False, False, False, True],
            self.rounds(*[(True, True)] * 6),
        )

    def test_it_waits_for_an_agent_that_answers_and_no_longer(self):
        away, here = (False, False), (True, True)
        self.assertEqual(
            [True, False, False, True, False],
            self.rounds(away, away, here, here, here),
        )

    def test_what_is_never_managed_is_tried_in_its_time_alone(self):
        asked = self.rounds(*[(False, True)] * 13)
        self.assertEqual(
            [0, 2, 7, 12], [at for at, due in enumerate(asked) if due]
        )

    def test_another_agent_has_its_turn_after_its_first_answer(self):
        turns = seldom.Seldom()
        turns.told(0.0, 300.0, True)
        # It ended just when it was asked for this.
        turns.failed(300.0, 300.0, True)
        turns.renew()
        self.assertFalse(turns.due(360.0))
        turns.told(360.0, 300.0, False)
        self.assertTrue(turns.due(420.0))
