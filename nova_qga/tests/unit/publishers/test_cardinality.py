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

"""Tests of how many different labels a guest may have."""

import unittest

from nova_qga.collectors import agent
from nova_qga.collectors import base
from nova_qga.collectors import sample_set
from nova_qga.publishers import cardinality
from nova_qga.tests.fixtures import made_samples

HOUR = 3600.0


class CardinalityTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.labels = cardinality.Cardinality(3)

    def admit(self, *devices, now=0.0, uuid='a'):
        """Devices that are left, and how many were left out."""
        samples = made_samples.samples(
            base.Sample(made_samples.MEMORY, 1),
            *(
                base.Sample(made_samples.READ, 1, ('device', each))
                for each in devices
            ),
            uuid=uuid,
        )
        left, count = self.labels.admit(samples, now)
        [memory, *others] = left.samples
        self.assertEqual(made_samples.MEMORY, memory.metric)
        return [each.labels[1] for each in others], count

    def test_those_that_came_first_stay_whatever_comes_later(self):
        self.assertEqual((['x', 'y'], 0), self.admit('x', 'y'))
        self.assertEqual((['z'], 2), self.admit('z', 'u', 'v'))
        self.assertEqual((['x', 'z'], 1), self.admit('w', 'x', 'z'))

    def test_each_guest_has_its_own(self):
        self.admit('x', 'y', 'z')
        self.assertEqual((['u'], 0), self.admit('u', uuid='b'))

    def test_all_metrics_of_a_device_count_as_one(self):
        self.assertEqual((['x'] * 9, 0), self.admit(*'x' * 9))

    def test_a_guest_cannot_hide_what_the_host_knows_of_it(self):
        self.admit('x', 'y', 'z')
        samples = made_samples.samples(uuid='a')
        host = made_samples.part(
            base.Sample(made_samples.CPU, 1, ('mode', 'vcpu')),
            # It is the host that says this, in the guest's words.
            base.Sample(agent.INFO, 1, ('version', '99.0')),
            source=sample_set.HYPERVISOR,
        )
        left, count = self.labels.admit(samples._replace(parts=(host,)), 0.0)
        self.assertEqual(
            [made_samples.CPU], [each.metric for each in left.samples]
        )
        self.assertEqual(1, count)

    def test_after_a_day_there_may_be_others(self):
        self.admit('x', 'y', 'z')
        self.assertEqual(([], 1), self.admit('u', now=23 * HOUR))
        self.assertEqual((['u'], 0), self.admit('u', now=24.5 * HOUR))

    def test_a_guest_that_was_away_for_a_while_has_no_more(self):
        self.admit('x', 'y', 'z')
        for hour in range(20):
            self.admit('x', now=hour * HOUR, uuid='b')
        self.assertEqual(([], 1), self.admit('u', now=20 * HOUR))

    def test_guests_that_are_gone_are_forgotten(self):
        for number in range(10):
            self.admit('x', uuid=str(number))
        self.admit('x', now=25 * HOUR)
        self.assertEqual(['a'], list(self.labels._known))

    def test_another_number_knows_what_was(self):
        self.admit('x', 'y', 'z')
        self.labels = self.labels.with_most(4)
        self.assertEqual((['u'], 1), self.admit('u', 'v'))
