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

"""What our channel makes of all that ``test_qemu.py`` shows.

Nothing that has an effect ever waits anywhere to be run later: what is told
to have failed is not run when an agent starts, another client leaves or a
guest goes on.
"""

import socket

from nova_qga import errors
from nova_qga.protocol import commands
from nova_qga.tests.fixtures import channels
from nova_qga.tests.fixtures import process
from nova_qga.tests.functional.transport import base
from nova_qga.transport import breaker

STALE = '$6$stale$' + 'n' * 86
FRESH = '$6$fresh$' + 'y' * 86
#: Seconds in which a sync would be answered, if anybody were there.
SOON = 2.0
NAME = commands.get_host_name()


class ChannelTest(base.DirectChannelTest):
    def setUp(self):
        super().setUp()
        self.channels = self.useFixture(channels.Channels())
        self.channel = self.channels.direct(
            self.vm.direct_socket, sync_timeout=SOON
        )
        # Pauses of a few seconds at most, for the test's sake.
        self.channel._breaker = breaker.Breaker(base=0.5, limit=2.0)

    def ask(self, single, **options):
        return self.channels.ask(self.channel, single, **options)

    def change(self, hashed, **options):
        """Ask for root's password to be set."""
        single = commands.set_user_password('root', hashed, crypted=True)
        return self.ask(single, **options)

    def assert_not_run(self, asked, error=errors.ChannelTimeout):
        self.assertIs(error, type(asked.error()), asked.outcomes)

    def assert_recovers(self):
        """It is served again, and nothing was left to be run before."""

        def served():
            asked = self.ask(NAME)
            asked.wait()
            return asked.outcomes[0][1] is None

        self.assertTrue(process.wait_until(served, base.PATIENCE))
        self.assertNotEqual(STALE, self.password())

    def assert_serves(self):
        self.assertEqual(
            [{'host-name': 'testguest'}], self.ask(NAME).replies()
        )


class NoAgentTest(ChannelTest):
    def test_a_password_is_not_set_once_an_agent_starts(self):
        self.stop_agent()
        self.assert_not_run(self.change(STALE))
        self.start_agent()
        self.assert_recovers()

    def test_nor_is_it_if_the_channel_had_been_in_use(self):
        self.assert_serves()
        self.stop_agent()
        self.assert_not_run(self.change(STALE))
        self.start_agent()
        self.assert_recovers()

    def test_nor_is_it_if_we_left_before(self):
        self.stop_agent()
        self.assert_not_run(self.change(STALE))
        self.channels.close(self.channel)
        self.channels.settle()
        self.start_agent()
        self.channel = self.channels.direct(self.vm.direct_socket)
        self.assert_recovers()


class SecondClientTest(ChannelTest):
    def test_nothing_of_ours_is_run_when_the_first_leaves(self):
        first = self.client()
        first.sync()
        self.assert_not_run(self.change(STALE))
        first.close()
        self.assert_recovers()

    def test_a_full_backlog_is_said_to_be_one(self):
        first = self.client()
        first.sync()
        others = [self.client() for _ in range(2)]
        self.assert_not_run(self.change(STALE), errors.ChannelBusy)
        for each in (first, *others):
            each.close()
        self.assert_recovers()


class RestartTest(ChannelTest):
    def test_a_new_agent_serves_on_the_same_connection(self):
        self.assert_serves()
        self.stop_agent('KILL')
        self.start_agent()
        self.assertEqual([{}], self.change(FRESH).replies())
        self.assertEqual(FRESH, self.password())
        self.assertEqual(1, len(self.channels.contacts))

    def test_a_password_is_unknown_if_its_agent_dies_over_it(self):
        # A chpasswd that takes long, and notes each of its runs.
        self.vm.inspect(
            'mv /usr/sbin/chpasswd /usr/sbin/chpasswd.real; '
            "printf '#!/bin/sh\necho $$ >> /tmp/runs\nexec sleep 600\n' "
            '> /usr/sbin/chpasswd; chmod 755 /usr/sbin/chpasswd; '
            ': > /tmp/runs'
        )
        self.addCleanup(
            self.vm.inspect,
            'mv /usr/sbin/chpasswd.real /usr/sbin/chpasswd; '
            'kill $(cat /tmp/runs)',
        )
        self.assert_serves()
        asked = self.change(STALE, seconds=10)
        self.assertTrue(process.wait_until(self.runs, base.PATIENCE))
        self.stop_agent('KILL')
        self.assert_not_run(asked, errors.OutcomeUnknown)
        self.start_agent()
        self.assert_recovers()
        self.assertEqual(1, self.runs())

    def runs(self):
        return len(self.vm.inspect('cat /tmp/runs').split())

    def test_a_fragment_of_a_dead_agents_is_no_answer(self):
        self.vm.inspect('dd if=/dev/zero of=/tmp/large bs=1M count=4')
        opened = self.ask(commands.open_file('/tmp/large', 'r')).replies()
        self.hang_agent()
        asked = self.ask(commands.read_file(opened[0]), seconds=SOON)
        self.assert_not_run(asked)
        self.stop_agent('KILL')
        self.start_agent()
        self.assert_recovers()

    def test_a_reset_leaves_nothing_to_be_run_by_the_next_boot(self):
        self.assert_serves()
        self.vm.reset()
        self.assert_not_run(self.change(STALE))
        self.vm.wait_for_agents()
        self.assert_recovers()


class HungAgentTest(ChannelTest):
    def test_it_comes_back_by_itself_and_the_agent_comes_to_rest(self):
        self.assert_serves()
        self.hang_agent()
        self.assert_not_run(self.ask(NAME, seconds=SOON))
        self.wake_agent()
        # Not asked again.
        self.assertTrue(
            process.wait_until(
                lambda: len(self.channels.contacts) > 1, base.PATIENCE
            )
        )

        def rests():
            before = self.ticks()
            self.vm.inspect('sleep 1')
            return self.ticks() - before < 20

        self.assertTrue(process.wait_until(rests, base.PATIENCE))
        self.assert_serves()

    def test_an_effect_is_not_run_when_the_agent_goes_on(self):
        self.assert_serves()
        self.hang_agent()
        self.assert_not_run(self.change(STALE))
        self.wake_agent()
        self.assert_recovers()

    def test_nor_when_somebody_else_drains_the_channel(self):
        self.hang_agent()
        self.assert_not_run(self.change(STALE))
        self.channels.close(self.channel)
        self.wake_agent()
        self.client().sync()
        self.assertNotEqual(STALE, self.password())


class PowerTest(ChannelTest):
    def test_a_paused_guest_runs_nothing_of_ours_when_it_goes_on(self):
        self.assert_serves()
        with self.paused():
            self.assert_not_run(self.change(STALE))
        self.assert_recovers()

    def test_the_end_of_qemu_closes_the_channel(self):
        self.assert_serves()
        self.hang_agent()
        asked = self.ask(NAME)
        self.channels.settle()
        self.quit()
        self.assert_not_run(asked, errors.ChannelClosed)
        self.assert_not_run(self.change(STALE), errors.ChannelClosed)

    def test_a_socket_of_a_guest_that_is_off_is_closed(self):
        self.quit()
        with socket.socket(socket.AF_UNIX) as client:
            self.assertTrue(
                process.wait_until(
                    lambda: client.connect_ex(str(self.vm.direct_socket)),
                    base.PATIENCE,
                )
            )
        self.assert_not_run(self.change(STALE), errors.ChannelClosed)
