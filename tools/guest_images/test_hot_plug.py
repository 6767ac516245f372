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

"""A guest that has no direct channel, gets one, loses it, gets it again."""

import unittest

from guest_images import machine

SECOND = 'qemu-guest-agent-direct.service'


class HotPlugTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = machine.Machine('element', ports=(0,))
        cls.addClassCleanup(cls.guest.cleanUp)
        cls.guest.setUp()
        if not cls.guest.answers(0, machine.BOOT):
            raise machine.Failed('the first agent never answers')

    def assert_idle(self):
        """There is no port, so no second agent, and nothing amiss."""
        self.assertEqual('', self.guest.failed_units())
        self.assertEqual('loaded', self.guest.show(SECOND, 'LoadState'))
        self.assertEqual('inactive', self.guest.show(SECOND, 'ActiveState'))
        self.assertEqual('', self.guest.run('systemctl list-jobs --no-legend'))
        self.assertTrue(self.guest.answers(0))

    def test_the_second_agent_comes_and_goes_with_its_port(self):
        self.assert_idle()
        for _ in range(2):
            self.guest.plug(1)
            self.assertTrue(self.guest.answers(1))
            self.assertEqual('', self.guest.failed_units())
            self.guest.unplug(1)
            self.assertTrue(
                self.guest.becomes(
                    f'systemctl is-active {SECOND} || true', 'inactive'
                )
            )
            self.assert_idle()
