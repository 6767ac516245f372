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

"""The standard channel: whose turn it is, and what is whose fault.

libvirt is played by the test: it answers, hangs and fails as it is told.
"""

from concurrent import futures
import threading
import time

import fixtures

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import replies
from nova_qga.tests.fixtures import channels
from nova_qga.transport import breaker
from nova_qga.transport import standard

EFFECT = command.Command('guest-set-something', replies.read_nothing)
GONE = errors.ChannelClosed('the guest is gone')


def reading(name):
    return command.Command(f'guest-get-{name}', dict, {}, False)


class Agents(fixtures.Fixture):
    """What a channel needs of LibvirtAgents, one thread of each kind.

    :ivar asked: names of the commands, in order
    :ivar failures: uuid -> what to raise
    :ivar hung: uuids whose guests answer after ``go`` only
    """

    def _setUp(self):
        self.asked = []
        self.failures = {}
        self.hung = set()
        self.go = threading.Event()
        self.urgent = futures.ThreadPoolExecutor(1)
        self.routine = futures.ThreadPoolExecutor(1)
        self.failing = futures.ThreadPoolExecutor(1)
        for threads in (self.urgent, self.routine, self.failing):
            self.addCleanup(threads.shutdown)
        self.addCleanup(self.go.set)

    def ask(self, uuid, batch, deadline):
        self.asked += [each.name for each in batch.commands]
        if uuid in self.hung:
            self.go.wait()
        if uuid in self.failures:
            raise self.failures[uuid]
        return [{} for _ in batch.commands]


class StandardTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.agents = self.useFixture(Agents())
        self.channels = self.useFixture(channels.Channels())
        self.contacts = []

    def channel(self, uuid):
        return self.channels.add(
            standard.Channel(
                uuid,
                self.channels.loop,
                self.agents,
                lambda: self.contacts.append(uuid),
            )
        )

    def ask(self, channel, *names, **options):
        return self.channels.ask(
            channel, *[reading(name) for name in names], **options
        )

    def hang(self, uuid, **options):
        """A channel whose guest has begun with a command that hangs."""
        self.agents.hung.add(uuid)
        channel = self.channel(uuid)
        asked = self.ask(channel, 'hung', **options)
        while not self.agents.asked:
            time.sleep(0.01)
        return channel, asked


class OutcomeTest(StandardTest):
    def test_replies_are_passed_on(self):
        channel = self.channel('a')
        self.assertEqual([{}, {}], self.ask(channel, 'x', 'y').replies())
        self.assertEqual([], self.ask(channel).replies())
        self.assertTrue(channel.contacted)
        self.assertFalse(channel.failing)
        self.assertEqual(['a'], self.contacts)

    def test_failures_are_passed_on_and_the_guest_is_left_alone(self):
        channel = self.channel('a')
        failure = errors.ChannelTimeout('no answer')
        self.agents.failures['a'] = failure
        self.assertIs(failure, self.ask(channel, 'x').error())
        self.assertTrue(channel.failing)
        left_alone = self.ask(channel, 'y', urgent=False).error()
        self.assertEqual('backoff', left_alone.reason)
        del self.agents.failures['a']
        self.assertEqual([{}], self.ask(channel, 'z').replies())
        self.assertEqual([{}], self.ask(channel, 'z', urgent=False).replies())
        self.assertEqual(4 - 1, len(self.agents.asked))

    def test_news_of_the_guest_end_the_pause(self):
        channel = self.channel('a')
        channel._breaker = breaker.Breaker(base=0.01, limit=1000.0)
        channel._breaker._failures = 16
        self.agents.failures['a'] = errors.ChannelTimeout('no answer')
        self.ask(channel, 'x').error()
        del self.agents.failures['a']
        left_alone = self.ask(channel, 'y', urgent=False).error()
        self.assertEqual('backoff', left_alone.reason)
        channel.retry()
        until = channel._breaker.fault.last + 0.02
        while time.monotonic() < until:
            time.sleep(0.01)
        self.assertIs(breaker.State.HALF_OPEN, channel.state)
        self.assertEqual([{}], self.ask(channel, 'z', urgent=False).replies())

    def test_each_contact_after_a_failure_is_a_new_one(self):
        channel = self.channel('a')
        for _ in range(2):
            self.ask(channel, 'x').replies()
            self.agents.failures['a'] = GONE
            self.ask(channel, 'x').error()
            del self.agents.failures['a']
        self.assertEqual(['a', 'a'], self.contacts)

    def test_a_fault_of_ours_ends_a_request_too(self):
        channel = self.channel('a')
        self.agents.failures['a'] = ValueError('a fault')
        self.assertIs(errors.QgaError, type(self.ask(channel, 'x').error()))
        unknown = self.channels.ask(channel, EFFECT).error()
        self.assertIs(errors.OutcomeUnknown, type(unknown))
        del self.agents.failures['a']
        self.assertEqual([{}], self.ask(channel, 'z').replies())


class TurnTest(StandardTest):
    def test_one_request_at_a_time_the_urgent_ones_first(self):
        channel, hung = self.hang('a')
        asked = [
            self.ask(channel, name, urgent=name.startswith('urgent'))
            for name in ('routine-1', 'urgent-1', 'routine-2', 'urgent-2')
        ]
        self.channels.settle()
        self.assertEqual(['guest-get-hung'], self.agents.asked)
        self.agents.go.set()
        for each in (hung, *asked):
            each.replies()
        self.assertEqual(
            [
                'guest-get-hung',
                'guest-get-urgent-1',
                'guest-get-urgent-2',
                'guest-get-routine-1',
                'guest-get-routine-2',
            ],
            self.agents.asked,
        )

    def test_who_waits_is_told_when_its_own_time_is_up(self):
        channel, hung = self.hang('a')
        effect = self.channels.ask(channel, EFFECT, seconds=0.2)
        self.assertIs(errors.ChannelTimeout, type(effect.error()))
        self.assertFalse(hung.ended)
        self.agents.go.set()
        hung.replies()
        self.assertNotIn(EFFECT.name, self.agents.asked)

    def test_a_hung_guest_is_no_fault_of_its_neighbours(self):
        _, hung = self.hang('a', urgent=False)
        healthy = self.channel('b')
        waits = self.ask(healthy, 'x', urgent=False, seconds=0.2)
        # There is no thread for it, and it is told so in time.
        self.assertIs(errors.ChannelTimeout, type(waits.error()))
        self.assertFalse(healthy.failing)
        self.assertNotIn('guest-get-x', self.agents.asked)
        # What somebody waits for has threads of its own.
        self.assertEqual([{}], self.ask(healthy, 'y').replies())
        self.agents.go.set()
        hung.replies()
        self.assertEqual([{}], self.ask(healthy, 'z', urgent=False).replies())


class CloseTest(StandardTest):
    def test_who_waits_is_told_why(self):
        channel, hung = self.hang('a')
        waiting = self.ask(channel, 'x')
        other = self.channel('b')
        no_thread = self.ask(other, 'y')
        self.channels.settle()
        for each in (channel, other):
            self.channels.loop.call(each.close, GONE)
        self.assertIs(GONE, waiting.error())
        self.assertIs(GONE, no_thread.error())
        # What libvirt has begun with ends by itself.
        self.assertFalse(hung.ended)
        self.agents.go.set()
        hung.replies()
        self.assertEqual(['guest-get-hung'], self.agents.asked)

    def test_nothing_is_asked_any_more(self):
        channel = self.channel('a')
        self.channels.loop.call(channel.close, GONE)
        for urgent in (True, False):
            self.assertIs(GONE, self.ask(channel, 'x', urgent=urgent).error())
        self.assertEqual([], self.agents.asked)

    def test_nor_is_anything_when_we_stop(self):
        channel = self.channel('a')
        self.agents.urgent.shutdown()
        error = self.ask(channel, 'x').error()
        self.assertIs(errors.ServiceUnavailable, type(error))
