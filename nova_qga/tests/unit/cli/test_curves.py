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

"""The values of one metric over time."""

import unittest

from nova_qga.cli import curves
from nova_qga.cli import outcome
from nova_qga.tests.fixtures import told_samples

READ = 'guest.disk.read.bytes'


class CurvesTest(unittest.TestCase):
    def drawn(self, metric, turns=3, **labels):
        made = curves.Curves(metric, labels)
        for turn in range(1, turns + 1):
            made.take(told_samples.busy_disks(turn))
        return made

    def values(self, drawn):
        return {
            label: [point.value for point in points]
            for label, points in drawn.curves.items()
        }

    def test_what_is_counted_is_drawn_as_rates(self):
        drawn = self.drawn(READ)
        self.assertEqual(
            {
                'device=vda': [None, 500.0, 500.0],
                'device=vdb': [None, 0.0, 0.0],
            },
            self.values(drawn),
        )
        self.assertEqual(('B', True), (drawn.unit, drawn.counted))

    def test_other_values_are_drawn_as_they_are(self):
        drawn = self.drawn('guest.load.1m')
        self.assertEqual({'': [0.5, 1.0, 1.5]}, self.values(drawn))
        self.assertFalse(drawn.counted)

    def test_labels_choose(self):
        drawn = self.drawn(READ, device='vdb')
        self.assertEqual({'device=vdb'}, set(drawn.curves))

    def test_a_sample_that_was_seen_is_no_new_point(self):
        drawn = self.drawn('guest.load.1m')
        drawn.take(told_samples.busy_disks(3))
        self.assertEqual({'': [0.5, 1.0, 1.5]}, self.values(drawn))

    def test_no_more_points_are_kept_than_fit(self):
        drawn = curves.Curves('guest.load.1m', {})
        for turn in range(curves.MOST + 10):
            moment = told_samples.MOMENT.format(turn / 100)
            drawn.take(
                told_samples.result(
                    {
                        **told_samples.gauge('guest.load.1m', turn, 0),
                        'timestamp': moment,
                    }
                )
            )
        [points] = drawn.curves.values()
        self.assertLessEqual(len(points), curves.MOST)

    def test_a_metric_that_is_not_there_is_refused_with_near_ones(self):
        for metric, near in (
            ('guest.disk.read.byte', READ),
            ('load', 'guest.load.1m'),
            ('zzz', 'metrics show'),
        ):
            with self.subTest(metric=metric):
                with self.assertRaises(outcome.Failure) as raised:
                    curves.Curves(metric, {}).check(told_samples.busy_disks(1))
                self.assertIn(near, str(raised.exception))
                self.assertEqual(2, raised.exception.exit_code)

    def test_labels_that_are_not_there_are_refused_with_those_that_are(self):
        with self.assertRaises(outcome.Failure) as raised:
            curves.Curves(READ, {'device': 'sda'}).check(
                told_samples.busy_disks(1)
            )
        self.assertIn('device=vda; device=vdb', str(raised.exception))

    def test_a_curve_has_gaps_where_nothing_is_known(self):
        points = [
            curves.Point(float(moment), value)
            for moment, value in enumerate([None, 1, 2, None, None, 3])
        ]
        self.assertEqual(
            [[(1.0, 1), (2.0, 2)], [(5.0, 3)]], curves.segments(points)
        )
        self.assertEqual([], curves.segments([curves.Point(0.0, None)]))
