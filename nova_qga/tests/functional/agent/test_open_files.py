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

"""Files that the agent keeps open in a real guest, whatever ends the agent."""

from nova_qga.tests.fixtures import process
from nova_qga.tests.functional.agent import base

KILLS = 4


class OpenFilesTest(base.MonitoringTest):
    """Over the standard channel alone."""

    #: Of the agent in the guest that is asked.
    number = 0

    def sampled(self):
        """Wait until the guest tells of itself anew."""
        self.next(base.of_guest, self.known())

    def noted(self):
        """Wait until the journal knows what is open."""
        self.assertTrue(
            process.wait_until(lambda: self.program.open_files(), 30)
        )

    def test_after_a_kill_they_are_used_on(self):
        self.monitor()
        self.sampled()
        before = self.open_files(self.number)
        self.assertLess(1, before)
        for _ in range(KILLS):
            self.noted()
            self.program.kill()
            self.program.start()
            self.sampled()
        self.assertEqual(before, self.open_files(self.number))

    def test_after_a_kill_and_a_new_agent_in_the_guest_they_are_opened(self):
        self.monitor()
        self.sampled()
        before = self.open_files(self.number)
        self.noted()
        self.program.kill()
        self.stop_agents()
        self.start_agents()
        self.assertEqual(0, self.open_files(self.number))
        self.program.start()
        self.sampled()
        self.assertEqual(before, self.open_files(self.number))

    def test_after_a_boot_no_old_handle_is_used(self):
        self.monitor()
        self.sampled()
        before = self.open_files(self.number)
        self.noted()
        self.program.kill()
        self.vm.destroy()
        self.vm.boot()
        self.before = {}
        self.program.start()
        self.sampled()
        self.assertEqual(before, self.open_files(self.number))

    def test_when_it_stops_it_closes_them_or_has_them_noted(self):
        self.monitor()
        self.sampled()
        before = self.open_files(self.number)
        self.assertEqual(0, self.program.stop()[0])
        if not self.program.open_files():
            self.wait_for_open_files(self.number, 0)
        self.program.start()
        self.sampled()
        self.assertEqual(before, self.open_files(self.number))


class DirectChannelTest(OpenFilesTest):
    direct = base.DIRECT
    number = 1
