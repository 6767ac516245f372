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

"""Power: what is sent, and what is made of silence."""

from typing import NamedTuple
import unittest

from nova_qga import errors
from nova_qga.operations import power
from nova_qga.tests.fixtures import scripted_guest

SILENCE = errors.OutcomeUnknown('no answer came')


class Seen(NamedTuple):
    state: str
    boots: int = 3


RUNNING = Seen('running')
AWAY = errors.ServiceUnavailable('libvirt is away')


class Looks:
    """What the host sees, look by look; the last one stays.

    :ivar left: seconds that are left; none once all was seen
    """

    def __init__(self, *seen):
        self.seen = list(seen)
        self.looks = 0

    def look(self):
        now = self.seen[min(self.looks, len(self.seen) - 1)]
        self.looks += 1
        if isinstance(now, Exception):
            raise now
        return now

    def left(self):
        return 0.001 if self.looks < len(self.seen) else 0.0


class PowerTest(unittest.TestCase):
    def guest(self, reply=SILENCE, **more):
        names = [
            'guest-shutdown',
            *(f'guest-suspend-{mode}' for mode in power.SUSPENDS),
        ]
        return scripted_guest.ScriptedGuest(
            dict.fromkeys(names, reply), **more
        )

    def ask(self, operation, mode, *seen, guest=None):
        looks = Looks(*seen)
        return operation(
            guest or self.guest(), mode=mode, look=looks.look, left=looks.left
        )


class ShutdownTest(PowerTest):
    def test_silence_and_a_guest_that_is_off_then_is_success(self):
        done = self.ask(
            power.shutdown, 'powerdown', RUNNING, RUNNING, Seen('shutoff')
        )
        self.assertEqual({'state': 'shutoff'}, done)

    def test_so_is_an_answer_that_should_not_come(self):
        done = self.ask(
            power.shutdown,
            'powerdown',
            RUNNING,
            Seen('shutoff'),
            guest=self.guest({}),
        )
        self.assertEqual({'state': 'shutoff'}, done)

    def test_a_guest_that_was_reset_has_booted_again(self):
        done = self.ask(
            power.shutdown, 'reboot', RUNNING, RUNNING, Seen('running', 4)
        )
        self.assertEqual({'state': 'running'}, done)

    def test_one_that_is_as_before_is_unknown_in_the_end(self):
        for mode in power.SHUTDOWNS:
            with self.subTest(mode=mode):
                with self.assertRaisesRegex(
                    errors.OutcomeUnknown, f'{mode}.*state is running'
                ):
                    self.ask(power.shutdown, mode, RUNNING)

    def test_one_that_is_off_has_not_booted_again(self):
        with self.assertRaisesRegex(errors.OutcomeUnknown, 'is shutoff'):
            self.ask(power.shutdown, 'reboot', RUNNING, Seen('shutoff'))

    def test_a_look_that_fails_after_it_was_told_is_taken_again(self):
        done = self.ask(
            power.shutdown, 'powerdown', RUNNING, AWAY, Seen('shutoff')
        )
        self.assertEqual({'state': 'shutoff'}, done)
        with self.assertRaisesRegex(errors.OutcomeUnknown, 'is away'):
            self.ask(power.shutdown, 'powerdown', RUNNING, AWAY)

    def test_one_that_cannot_be_watched_is_told_nothing(self):
        guest = self.guest()
        with self.assertRaises(errors.ServiceUnavailable):
            self.ask(power.shutdown, 'powerdown', AWAY, guest=guest)
        self.assertEqual([], guest.names)

    def test_one_that_left_the_host_is_unknown(self):
        gone = errors.GuestNotFound('no such guest')
        with self.assertRaisesRegex(errors.OutcomeUnknown, 'left this host'):
            self.ask(power.shutdown, 'powerdown', RUNNING, gone)

    def test_a_refusal_is_a_failure(self):
        guest = self.guest(scripted_guest.refusal('no shutdown here'))
        with self.assertRaisesRegex(errors.CommandError, 'no shutdown here'):
            self.ask(power.shutdown, 'powerdown', RUNNING, guest=guest)

    def test_what_was_not_sent_is_a_failure(self):
        guest = self.guest(errors.ChannelTimeout('busy'))
        with self.assertRaises(errors.ChannelTimeout):
            self.ask(power.shutdown, 'powerdown', RUNNING, guest=guest)

    def test_a_blocked_command_is_not_sent(self):
        guest = scripted_guest.ScriptedGuest(blocked=['guest-shutdown'])
        with self.assertRaises(errors.CommandUnsupported):
            self.ask(power.shutdown, 'powerdown', RUNNING, guest=guest)
        self.assertEqual([], guest.names)

    def test_the_mode_is_sent(self):
        guest = self.guest()
        self.ask(
            power.shutdown,
            'reboot',
            RUNNING,
            Seen('running', 4),
            guest=guest,
        )
        [sent] = guest.executed
        self.assertEqual({'mode': 'reboot'}, sent.arguments)
        self.assertTrue(sent.has_effect)


class SuspendTest(PowerTest):
    def test_a_guest_that_sleeps_is_success(self):
        for mode in power.SUSPENDS:
            with self.subTest(mode=mode):
                guest = self.guest()
                done = self.ask(
                    power.suspend,
                    mode,
                    RUNNING,
                    Seen('pmsuspended'),
                    guest=guest,
                )
                self.assertEqual({'state': 'pmsuspended'}, done)
                self.assertEqual([f'guest-suspend-{mode}'], guest.names)

    def test_one_that_is_suspended_to_disk_is_off(self):
        done = self.ask(power.suspend, 'disk', RUNNING, Seen('shutoff'))
        self.assertEqual({'state': 'shutoff'}, done)
        with self.assertRaises(errors.OutcomeUnknown):
            self.ask(power.suspend, 'ram', RUNNING, Seen('shutoff'))

    def test_one_that_runs_on_is_unknown(self):
        with self.assertRaisesRegex(errors.OutcomeUnknown, 'suspend'):
            self.ask(power.suspend, 'ram', RUNNING)
