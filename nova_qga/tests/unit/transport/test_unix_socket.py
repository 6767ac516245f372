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

"""A direct channel: whose turn it is, what a failure ends, when it is back."""

import os
import socket
import threading
import time

import fixtures

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import replies
from nova_qga.tests.fixtures import channels
from nova_qga.tests.fixtures import hostile_guest as hostile
from nova_qga.tests.fixtures import process
from nova_qga.transport import breaker
from nova_qga.transport import loop

EFFECT = command.Command('guest-set-something', replies.read_nothing)
GONE = errors.ChannelClosed('the guest is gone')


def reading(name):
    return command.Command(f'guest-get-{name}', dict, {}, False)


class ChannelTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.channels = self.useFixture(channels.Channels())

    def meet(self, behaviour, sync_timeout=channels.PATIENCE):
        self.guest = self.useFixture(hostile.HostileGuest(behaviour))
        return self.channels.direct(self.guest.path, sync_timeout=sync_timeout)

    def wait_until(self, ready):
        self.assertTrue(process.wait_until(ready, channels.PATIENCE))

    def ask(self, channel, *names, **options):
        return self.channels.ask(
            channel, *[reading(name) for name in names], **options
        )


class QueueTest(ChannelTest):
    def test_urgent_ones_come_first_and_each_kind_in_order(self):
        channel = self.meet(hostile.slow)
        asked = [self.ask(channel, 'first', urgent=False)]
        # The first sync of the connection is answered, the second waits.
        self.wait_until(lambda: len(self.guest.requests) > 1)
        for name, urgent in (
            ('routine-1', False),
            ('urgent-1', True),
            ('routine-2', False),
            ('urgent-2', True),
        ):
            asked.append(self.ask(channel, name, urgent=urgent))
        self.channels.settle()
        self.guest.go.set()
        for each in asked:
            each.replies()
        self.assertEqual(
            [
                'guest-get-first',
                'guest-get-urgent-1',
                'guest-get-urgent-2',
                'guest-get-routine-1',
                'guest-get-routine-2',
            ],
            self.guest.names(),
        )
        self.assertEqual(1, self.guest.clients)

    def test_who_waits_is_told_when_its_own_time_is_up(self):
        channel = self.meet(hostile.slow)
        first = self.ask(channel, 'first')
        self.wait_until(lambda: len(self.guest.requests) > 1)
        second = self.channels.ask(channel, EFFECT, seconds=0.2)
        # Nothing of it was sent, so this is known.
        self.assertIs(errors.ChannelTimeout, type(second.error()))
        self.assertFalse(first.ended)
        self.guest.go.set()
        self.assertEqual([{}], first.replies())
        self.assertNotIn(EFFECT.name, self.guest.names())

    def test_an_urgent_one_behind_one_that_hangs_gets_its_turn(self):
        channel = self.meet(hostile.first(hostile.only_sync, hostile.good))
        hung = self.ask(channel, 'hung', seconds=1.0, urgent=False)
        self.wait_until(self.guest.names)
        routine = self.ask(channel, 'routine', urgent=False)
        urgent = self.channels.ask(channel, EFFECT)
        self.assertIs(errors.ChannelTimeout, type(hung.error()))
        self.assertIs(errors.ChannelTimeout, type(routine.error()))
        self.assertEqual([{}], urgent.replies())
        self.assertEqual([EFFECT.name], self.guest.names(client=1))
        self.assertEqual([], self.guest.offences)

    def test_a_guest_that_failed_is_left_alone_by_routine_requests(self):
        channel = self.meet(hostile.first(hostile.hang_up, hostile.good))
        # Longer than the test takes.
        channel._breaker = breaker.Breaker(base=1000.0)
        self.assertIs(
            errors.ChannelClosed, type(self.ask(channel, 'a').error())
        )
        left_alone = self.ask(channel, 'b', urgent=False).error()
        self.assertEqual('backoff', left_alone.reason)
        self.assertTrue(channel.failing)
        self.assertEqual([{}], self.ask(channel, 'c').replies())
        self.assertFalse(channel.failing)
        self.assertEqual([{}], self.ask(channel, 'd', urgent=False).replies())

    def test_a_sync_alone_waits_no_longer_than_a_sync_may_take(self):
        channel = self.meet(hostile.slow, sync_timeout=0.5)
        asked = self.ask(channel)
        self.assertIs(errors.ChannelTimeout, type(asked.error()))

    def test_a_fault_of_who_is_told_costs_nobody_else(self):
        channel = self.meet(hostile.only_sync)

        def fault(_, __):
            raise ValueError('a fault')

        faulty = self.ask(channel, 'a', seconds=0.3)
        told, faulty.request.done = faulty.request.done, fault
        others = [
            self.ask(channel, 'b', urgent=False),
            self.ask(self.meet(hostile.only_sync), 'c', seconds=0.3),
        ]
        for each in others:
            self.assertIs(errors.ChannelTimeout, type(each.error()))
        told(None, None)  # for the check that each is told once


class LateTest(ChannelTest):
    def setUp(self):
        # No sweep comes to help.
        self.useFixture(fixtures.MonkeyPatch(f'{loop.__name__}.SWEEP', 3600))
        super().setUp()

    def test_no_effect_is_sent_once_its_time_is_up(self):
        channel = self.meet(hostile.slow)
        deadline = time.monotonic() + 0.3
        asked = self.channels.ask(channel, EFFECT, seconds=0.3)
        self.wait_until(lambda: len(self.guest.requests) > 1)
        self.wait_until(lambda: time.monotonic() > deadline)
        self.guest.go.set()
        self.assertIs(errors.ChannelTimeout, type(asked.error()))
        self.assertEqual([{}], self.ask(channel, 'next').replies())
        self.assertEqual(['guest-get-next'], self.guest.names())


class CloseTest(ChannelTest):
    def test_whoever_waits_is_told_why(self):
        channel = self.meet(hostile.slow)
        asked = [self.ask(channel, name) for name in 'abc']
        self.wait_until(lambda: len(self.guest.requests) > 1)
        self.channels.loop.call(channel.close, GONE)
        self.assertEqual([GONE] * 3, [each.error() for each in asked])

    def test_an_effect_that_was_sent_is_unknown(self):
        channel = self.meet(hostile.only_sync)
        asked = self.channels.ask(channel, EFFECT)
        self.wait_until(lambda: EFFECT.name in self.guest.names())
        self.channels.loop.call(channel.close, GONE)
        self.assertIs(errors.OutcomeUnknown, type(asked.error()))

    def test_it_does_not_open_again(self):
        # The path may be another guest's by then, and only one is served.
        channel = self.meet(hostile.good)
        self.ask(channel, 'a').replies()
        self.channels.loop.call(channel.close, GONE)
        for urgent in (True, False):
            again = self.ask(channel, 'b', urgent=urgent)
            self.assertIs(GONE, again.error())
        other = self.channels.direct(self.guest.path)
        self.assertEqual([{}], self.ask(other, 'c').replies())
        self.assertEqual(2, self.guest.clients)

    def test_nor_does_it_come_back_by_itself(self):
        channel = self.meet(hostile.silent, sync_timeout=0.1)
        channel._breaker = breaker.Breaker(base=0.2)
        self.ask(channel, 'a').error()
        self.channels.loop.call(channel.close, GONE)
        self.guest.behave(hostile.good)
        later = threading.Event()
        self.channels.loop.call(
            self.channels.loop.asyncio.call_later, 0.5, later.set
        )
        later.wait()
        self.assertEqual([], self.channels.contacts)
        self.assertEqual(1, self.guest.clients)


class ContactTest(ChannelTest):
    def test_one_connection_serves_many_requests(self):
        channel = self.meet(hostile.good)
        self.assertFalse(channel.contacted)
        for urgent in (True, False, True):
            self.ask(channel, 'a', 'b', urgent=urgent).replies()
            self.channels.ask(channel, EFFECT).replies()
        self.assertTrue(channel.contacted)
        self.assertEqual(1, self.guest.clients)
        self.assertEqual([str(self.guest.path)], self.channels.contacts)

    def test_each_new_connection_is_a_new_contact(self):
        channel = self.meet(hostile.end_in_mid_line)
        for _ in range(3):
            self.ask(channel, 'a').error()
            self.assertFalse(channel.contacted)
        self.assertEqual(3, len(self.channels.contacts))

    def test_it_comes_back_unasked_to_fetch_a_late_answer(self):
        channel = self.meet(hostile.late)
        channel._breaker = breaker.Breaker(base=0.2)
        self.ask(channel, 'a', seconds=0.5).error()
        self.guest.behave(hostile.good)
        self.guest.go.set()
        self.wait_until(lambda: len(self.channels.contacts) == 2)
        self.assertEqual(b'', self.guest.left_over)
        self.assertEqual(['guest-get-a'], self.guest.names())

    def test_news_of_the_guest_bring_it_back_at_once(self):
        channel = self.meet(hostile.silent, sync_timeout=0.1)
        channel._breaker = breaker.Breaker(base=0.2, limit=1000.0)
        channel._breaker._failures = 16
        self.ask(channel, 'a').error()
        self.assertIs(breaker.State.OPEN, channel.state)
        self.guest.behave(hostile.good)
        self.channels.loop.call(channel.retry)
        self.wait_until(lambda: len(self.channels.contacts) == 1)
        self.assertIs(breaker.State.CLOSED, channel.state)

    def test_it_comes_back_unasked_once_there_is_a_socket(self):
        folder = self.useFixture(process.ShortFolder()).path
        channel = self.channels.direct(folder / 'direct')
        channel._breaker = breaker.Breaker(base=0.2)
        asked = self.ask(channel, 'a')
        self.assertIs(errors.ChannelClosed, type(asked.error()))
        guest = self.useFixture(hostile.HostileGuest(hostile.good))
        os.rename(guest.path, folder / 'direct')
        self.wait_until(lambda: channel.contacted)
        self.assertFalse(channel.failing)
        self.assertEqual([], guest.names())


class PathTest(ChannelTest):
    def assert_closed(self, path):
        asked = self.ask(self.channels.direct(path), 'a')
        self.assertIs(errors.ChannelClosed, type(asked.error()))
        return str(asked.error())

    def test_what_is_no_socket_is_not_connected_to(self):
        guest = self.useFixture(hostile.HostileGuest(hostile.good))
        folder = guest.path.parent
        (folder / 'file').write_text('')
        (folder / 'folder').mkdir()
        (folder / 'link').symlink_to(guest.path)
        for name in ('file', 'folder', 'link'):
            self.assertIn('not a socket', self.assert_closed(folder / name))
        self.assertEqual(0, guest.clients)

    def test_what_is_not_there_is_closed(self):
        folder = self.useFixture(process.ShortFolder()).path
        self.assertIn('No such file', self.assert_closed(folder / 'none'))
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(folder / 'nobody'))
        self.assertIn('refused', self.assert_closed(folder / 'nobody'))
        self.assert_closed('')

    def test_a_path_that_no_socket_can_have_is_said_to_be_too_long(self):
        path = '/tmp/' + 'é' * 52
        self.assertIn('over 107 bytes', self.assert_closed(path))

    def test_a_full_backlog_is_told_from_success(self):
        channel = self.meet(hostile.absent)
        channel._breaker = breaker.Breaker(base=0.2)
        others = []
        with self.assertRaises(BlockingIOError):
            for _ in range(10):
                other = socket.socket(socket.AF_UNIX)
                self.addCleanup(other.close)
                other.setblocking(False)
                other.connect(str(self.guest.path))
                others.append(other)
        asked = self.ask(channel, 'a')
        self.assertIs(errors.ChannelBusy, type(asked.error()))
        for other in others:
            other.close()
        self.guest.behave(hostile.good)
        # Not asked again: it comes back by itself.
        self.wait_until(lambda: channel.contacted)
