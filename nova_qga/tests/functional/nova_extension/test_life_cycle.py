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

"""Tests that a guest's channels outlive all that Nova does with it.

Nova's API, conductor, scheduler and compute services do it. The tests
themselves are in ``nova_qga.tests.fixtures.nova_life_cycle``.
"""

from importlib import metadata
import unittest

from nova_qga.tests.fixtures import nova_cloud


_MOST_TELLING = (
    'test_a_guest_keeps_its_channels_on_its_host',
    'test_a_guest_moves_live_to_and_from_a_host_without_it',
    'test_novas_own_features_work_without_the_image_property',
)


def modes():
    """Nova's concurrency modes: whether eventlet, and which tests; all if ().

    Nova 34 uses threads and is losing eventlet. The test base of those before
    it needs greenlets to find who has sent a notification.
    """
    if int(metadata.version('nova').split('.')[0]) < 34:
        return ((True, ()),)
    return ((False, ()), (True, _MOST_TELLING))


class LifeCycleTest(unittest.TestCase):
    def check(self, *names, eventlet):
        ended = nova_cloud.run(*names, eventlet=eventlet)
        for test in ended:
            with self.subTest(test.name):
                self.assertIsNone(test.problem, test.problem)
        found = {test.name for test in ended}
        self.assertTrue(found, 'no test was run')
        self.assertLessEqual(set(names), found)

    def test_channels_and_features_are_right(self):
        for eventlet, names in modes():
            with self.subTest(eventlet=eventlet):
                self.check(*names, eventlet=eventlet)
