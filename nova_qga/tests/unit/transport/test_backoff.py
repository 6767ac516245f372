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
from nova_qga.transport import backoff


class BackoffTest(unittest.TestCase):
    def test_the_first_failure_says_since_when_and_the_last_one_why(self):
        pauses = backoff.Backoff()
        pauses.failed(10.0, errors.ChannelTimeout('no answer'))
        pauses.failed(20.0, errors.ChannelBusy('others wait'))
        self.assertEqual(
            (10.0, 20.0, 'channel_busy', 'others wait'), pauses.fault
        )

    def test_an_answer_ends_it(self):
        pauses = backoff.Backoff()
        pauses.failed(10.0, errors.ChannelTimeout('no answer'))
        self.assertTrue(pauses.waits(10.0))
        pauses.succeeded()
        self.assertIsNone(pauses.fault)
        self.assertFalse(pauses.waits(10.0))
        pauses.failed(30.0, errors.ChannelTimeout('no answer'))
        self.assertEqual(30.0, pauses.fault.since)

    def test_pauses_grow_to_their_limit(self):
        pauses = backoff.Backoff(base=1.0, limit=8.0)
        error = errors.ChannelTimeout('no answer')
        for expected in (1, 2, 4, 8, 8):
            pause = pauses.failed(0.0, error)
            self.assertTrue(0.75 * expected <= pause <= 1.25 * expected)
