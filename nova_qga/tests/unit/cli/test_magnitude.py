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

"""Numbers for people: three digits and a prefix."""

import unittest

from nova_qga.cli import magnitude


class MagnitudeTest(unittest.TestCase):
    def test_bytes_go_in_steps_of_1024(self):
        for number, shown in (
            (None, '-'),
            (0, '0'),
            (0.25, '0.25'),
            (999, '999'),
            (1000, '0.98K'),
            (1024, '1.00K'),
            (1536 << 10, '1.50M'),
            (10 << 30, '10.0G'),
            (999.4 * 1024, '999K'),
            (999.6 * 1024, '0.98M'),
            (1 << 64, '16.0E'),
        ):
            with self.subTest(number=number):
                self.assertEqual(shown, magnitude.of_bytes(number))

    def test_numbers_go_in_steps_of_1000(self):
        for number, shown in (
            (None, '-'),
            (-1500, '-1.50K'),
            (9.996, '10.0'),
            (99.96, '100'),
            (1000, '1.00K'),
        ):
            with self.subTest(number=number):
                self.assertEqual(shown, magnitude.of_number(number))

    def test_none_is_wider_than_five_characters(self):
        number = 0.001
        while number < 1e21:
            for show in (magnitude.of_bytes, magnitude.of_number):
                self.assertLessEqual(len(show(number)), 5, number)
            number *= 1.003

    def test_shares_are_percents(self):
        for share, shown in (
            (None, '-'),
            (0, '0.0'),
            (0.1234, '12.3'),
            (0.9996, '100'),
            (1, '100'),
        ):
            self.assertEqual(shown, magnitude.percent(share))

    def test_times_take_their_largest_unit(self):
        for number, shown in (
            (None, '-'),
            (0.4, '0s'),
            (99, '99s'),
            (120, '2m'),
            (7200, '2h'),
            (259200, '3d'),
        ):
            self.assertEqual(shown, magnitude.seconds(number))
