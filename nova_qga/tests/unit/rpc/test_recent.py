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


"""Tests of the results that are kept for who asks again."""

import unittest

from nova_qga.rpc import outcome
from nova_qga.rpc import recent


def ended(request_id, reply):
    return outcome.Outcome(
        request_id,
        'run_command',
        None,
        'compute-1',
        outcome.SUCCEEDED,
        result={'reply': reply},
    )


class RecentTest(unittest.TestCase):
    def setUp(self):
        self.recent = recent.Recent()

    def test_a_result_is_found_as_it_was(self):
        kept = ended('r1', [{'a': 1}, None, 'x'])
        self.recent.keep(kept)
        self.assertEqual(kept, self.recent.find('r1'))
        self.assertIsNone(self.recent.find('r2'))

    def test_nor_does_what_is_nested_take_all_memory(self):
        part = recent.MOST_CHARACTERS // 4
        for number in range(6):
            self.recent.keep(ended(f'r{number}', [['x' * part]]))
        found = [self.recent.find(f'r{number}') for number in range(6)]
        self.assertEqual(
            [None, None, None], [each and each.state for each in found[:3]]
        )
        self.assertEqual([[['x' * part]]] * 3, self.replies(found[3:]))

    def replies(self, found):
        return [each.result['reply'] for each in found]

    def test_the_oldest_goes_first(self):
        for number in range(recent.MOST + 1):
            self.recent.keep(ended(f'r{number}', number))
        self.assertIsNone(self.recent.find('r0'))
        self.assertEqual(1, self.recent.find('r1').result['reply'])

    def test_what_cannot_be_sent_is_not_kept(self):
        self.recent.keep(ended('r1', {1, 2}))
        self.assertIsNone(self.recent.find('r1'))
