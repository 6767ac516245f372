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

"""A real guest that shuts down, boots again, sleeps and wakes up.

It is a guest of the test's own: each ends as another guest than it began.
"""

import time
import unittest

import fixtures
import libvirt

from nova_qga import errors
from nova_qga.operations import power
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import reached_guest
from nova_qga.tests.fixtures import shared

#: Seconds for a guest to do what it was told; a loaded machine needs many.
LONG = 120.0
#: Seconds for one that will not be seen to do it.
SHORT = 6.0


class PowerBase(fixtures.TestWithFixtures, unittest.TestCase):
    number = 0

    def setUp(self):
        super().setUp()
        self.vm = self.useFixture(
            guest_vm.GuestVM(shared.host(), name='instance-0000000f')
        )
        self.reached = self.useFixture(
            reached_guest.ReachedGuest(self.vm, self.number)
        )

    def look(self):
        return self.reached.host.find(self.vm.uuid)

    def ask(self, operation, mode, seconds=LONG):
        agent = self.reached.agent()
        end = time.monotonic() + seconds
        return operation(
            agent,
            mode=mode,
            look=self.look,
            left=lambda: end - time.monotonic(),
        )

    def state(self):
        with self.vm.domain() as domain:
            return domain.state()[0]


class PowerTest(PowerBase):
    def test_it_is_off_when_it_is_said_to_be(self):
        done = self.ask(power.shutdown, 'powerdown')
        self.assertEqual({'state': 'shutoff'}, done)
        self.assertEqual(libvirt.VIR_DOMAIN_SHUTOFF, self.state())
        self.assertIn('shutdown -h -P', self.vm.console())
        with self.assertRaises(errors.GuestUnavailable):
            self.ask(power.shutdown, 'powerdown')

    def test_it_boots_again(self):
        boot = 'cat /proc/sys/kernel/random/boot_id'
        before = self.vm.inspect(boot)
        done = self.ask(power.shutdown, 'reboot')
        self.assertEqual({'state': 'running'}, done)
        self.vm.wait_for_agents()
        self.assertNotEqual(before, self.vm.inspect(boot))

    def test_a_refusal_is_a_failure(self):
        self.vm.inspect('rm /sbin/shutdown')
        with self.assertRaises(errors.CommandError):
            self.ask(power.shutdown, 'powerdown')
        self.assertEqual(libvirt.VIR_DOMAIN_RUNNING, self.state())

    def test_it_sleeps_and_wakes_up(self):
        boots = self.look().boots
        done = self.ask(power.suspend, 'ram')
        self.assertEqual({'state': 'pmsuspended'}, done)
        self.assertEqual(libvirt.VIR_DOMAIN_PMSUSPENDED, self.state())
        with self.assertRaises(errors.GuestUnavailable) as caught:
            self.ask(power.suspend, 'ram')
        self.assertEqual('pmsuspended', caught.exception.reason)
        with self.vm.domain() as domain:
            domain.pMWakeup()
        self.assertTrue(
            process.wait_until(
                lambda: self.state() == libvirt.VIR_DOMAIN_RUNNING, LONG
            )
        )
        self.vm.wait_for_agents()
        self.assertEqual(boots, self.look().boots)


class DirectTest(PowerTest):
    number = 1

    def test_one_that_cannot_be_suspended_so_has_failed(self):
        # It has no swap to put its memory into. Over the standard channel
        # libvirt loses sight of the agent meanwhile, and of its answer.
        with self.assertRaises(errors.CommandError):
            self.ask(power.suspend, 'disk')
        self.assertEqual(libvirt.VIR_DOMAIN_RUNNING, self.state())


class UnseenTest(PowerBase):
    """What ends in nothing that its host could see."""

    def test_one_that_halts_is_not_known_to(self):
        with self.assertRaisesRegex(
            errors.OutcomeUnknown, 'state is running.*console'
        ):
            self.ask(power.shutdown, 'halt', SHORT)
        self.assertIn('shutdown -h -H', self.vm.console())

    def test_one_whose_agent_ends_has_not_booted_again(self):
        # As one whose services have ended and that hangs then.
        self.vm.inspect(
            'mv /sbin/shutdown /sbin/shutdown.away; '
            "printf '#!/bin/sh\\nkill $(cat /run/qemu-ga-*.pid)\\n' "
            '> /sbin/shutdown; chmod 755 /sbin/shutdown'
        )
        with self.assertRaises(errors.OutcomeUnknown):
            self.ask(power.shutdown, 'reboot', SHORT)
