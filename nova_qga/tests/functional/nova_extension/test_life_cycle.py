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


_NOVA = int(metadata.version('nova').split('.')[0])


class LifeCycleTest(unittest.TestCase):
    def check(self, eventlet):
        ended = nova_cloud.run(eventlet=eventlet)
        self.assertTrue(ended, 'no test was run')
        for test in ended:
            with self.subTest(test.name):
                self.assertIsNone(test.problem, test.problem)

    @unittest.skipIf(_NOVA < 34, 'before 34, this base of Nova wants eventlet')
    def test_channels_and_features_are_right_where_nova_uses_threads(self):
        self.check(eventlet=False)

    def test_channels_and_features_are_right_where_nova_uses_eventlet(self):
        self.check(eventlet=True)
