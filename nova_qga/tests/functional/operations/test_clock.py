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

"""The clock of a real guest."""

import time

from nova_qga.operations import clock
from nova_qga.tests.functional.operations import base

#: Seconds for which a guest stands still.
PAUSE = 4.0


class ClockTest(base.OperationTest):
    def test_it_is_read_and_compared_with_ours(self):
        found = clock.get_time(self.agent())
        inside = float(self.vm.inspect('date +%s'))
        self.assertAlmostEqual(inside, found['seconds'], delta=30)
        self.assertAlmostEqual(
            found['seconds'] - time.time(), found['ahead'], delta=30
        )

    def test_it_is_set_to_a_time_and_back_to_ours(self):
        wanted = 1_900_000_000.5
        found = clock.set_time(self.agent(), seconds=wanted)
        self.addCleanup(clock.set_time, self.agent(), seconds=None)
        self.assertAlmostEqual(wanted, found['seconds'], delta=60)
        inside = float(self.vm.inspect('date +%s'))
        self.assertAlmostEqual(wanted, inside, delta=60)
        found = clock.set_time(self.agent(), seconds=None)
        self.assertAlmostEqual(time.time(), found['seconds'], delta=60)

    def test_after_a_resume_it_is_set_to_ours(self):
        before = clock.set_time(self.agent(), seconds=None)['ahead']
        self.vm.suspend()
        try:
            # What has to go by is time itself.
            time.sleep(PAUSE)
        finally:
            self.vm.resume()
        stood = clock.get_time(self.agent())['ahead']
        self.assertLess(stood, before - PAUSE / 2)
        found = clock.set_time(self.agent(), seconds=None)['ahead']
        self.assertGreater(found, stood + PAUSE / 2)


class DirectTest(ClockTest):
    number = 1
