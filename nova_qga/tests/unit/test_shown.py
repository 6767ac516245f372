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

"""What differs each time is no difference; all else is."""

import unittest

from nova_qga.tests.fixtures import shown

UP = (
    'up{resource="4d3a5445-267d-4c45-85c8-8e2ece2b99d4"} => 1 '
    '@[1795541637.094]'
)


class ShownTest(unittest.TestCase):
    def test_what_differs_each_time(self):
        for one, other in (
            (UP, UP.replace('4d3a5445', '3a70803b').replace('094', '2')),
            ('| guest.load |  0.5 | 1 |', '| guest.load | 12.25 | 1 |'),
            ('| vcpus | 2 |', '| vcpus | 16 |'),
            ('+------+---+', '+----+'),
            ('0.05 | \u2801\u2802', 'nothing of it'),
            (
                '2026-11-24T17:34:24.470000+00:00',
                '2027-01-02T00:00:00.5+00:00',
            ),
        ):
            with self.subTest(shown=one):
                self.assertEqual([], shown.missing([one, '...'], other))

    def test_what_must_not(self):
        for one, other in (
            (UP, UP.replace('=> 1', '=> 0')),
            ('source="guest"', 'source="hypervisor"'),
            ('| guest.load |', '| guest.swap |'),
        ):
            with self.subTest(shown=one):
                self.assertEqual([one], shown.missing([one], other))
