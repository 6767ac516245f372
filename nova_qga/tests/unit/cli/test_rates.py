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

"""How fast what is counted grows, from one look to the next."""

import unittest

from nova_qga.cli import rates
from nova_qga.tests.fixtures import told_samples

READ = 'guest.disk.read.bytes'
sample = told_samples.sample


def taken(*rounds):
    """The rates of the last round."""
    made = rates.Rates()
    for samples in rounds:
        found = made.take(samples)
    return found


class RatesTest(unittest.TestCase):
    def test_what_is_counted_grows_at_a_rate(self):
        first = [sample(READ, 100, 1), told_samples.gauge('load', 1, 1)]
        second = [sample(READ, 400, 3), told_samples.gauge('load', 9, 3)]
        self.assertEqual([None, None], taken(first))
        self.assertEqual([150.0, None], taken(first, second))

    def test_each_device_has_its_own(self):
        first = [sample(READ, 100, 1, device='vda')]
        second = [
            sample(READ, 7, 2, device='vdb'),
            sample(READ, 103, 2, device='vda'),
        ]
        self.assertEqual([None, 3.0], taken(first, second))

    def test_there_is_none_where_it_would_be_wrong(self):
        first = [sample(READ, 100, 3)]
        for what, second in (
            ('a counter that went back', [sample(READ, 99, 4)]),
            ('the same sample', [sample(READ, 100, 3)]),
            ('a clock that went back', [sample(READ, 200, 2)]),
            ('another source', [sample(READ, 200, 4, source='hypervisor')]),
            ('no time', [{**sample(READ, 200, 4), 'timestamp': None}]),
            ('nonsense', [{**sample(READ, 200, 4), 'timestamp': 'soon'}]),
        ):
            with self.subTest(what=what):
                self.assertEqual([None], taken(first, second))

    def test_another_boot_begins_anew(self):
        for first, second in (
            (told_samples.boot('a', 1), told_samples.boot('b', 2)),
            (told_samples.uptime(100, 1), told_samples.uptime(3, 2)),
        ):
            rounds = (
                [sample(READ, 100, 1), first],
                [sample(READ, 200, 2), second],
            )
            self.assertEqual([None, None], taken(*rounds))
            rounds = (
                [sample(READ, 100, 1), first],
                [sample(READ, 200, 2), first],
            )
            self.assertEqual([100.0, None], taken(*rounds))
