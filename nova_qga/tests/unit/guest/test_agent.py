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

"""An operation's way to a guest's agent: what it is told, and how often."""

import re
import time
import unittest

import fixtures

from nova_qga import errors
from nova_qga.guest import agent as guest_agent
from nova_qga.guest import capabilities
from nova_qga.guest import guest
from nova_qga.guest import host
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.protocol import replies
from nova_qga.tests.fixtures import hostile_guest as hostile
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import simulated_host

ALL = ('guest-info', 'guest-get-host-name', 'guest-set-something')
SETTING = command.Command('guest-set-something', replies.read_nothing)
NAME = commands.get_host_name()


def info(*enabled, blocked=()):
    return {
        'version': '7.2.22',
        'supported_commands': [
            {'name': name, 'enabled': name not in blocked}
            for name in (*enabled, *blocked)
        ],
    }


class AgentTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.guest = self.useFixture(hostile.HostileGuest(hostile.good))
        self.guest.replies['guest-info'] = info(*ALL)
        vm = simulated_host.Simulated('instance-1', self.guest.path)
        self.uuid = vm.uuid
        self.host = self.make_host(vm)
        self.known = self.host.directory.get(self.uuid)

    def make_host(self, vm, command_timeout=60.0):
        uri = self.useFixture(simulated_host.SimulatedHost(vm)).uri
        made = host.Host(
            host.HostSettings(
                uri,
                simulated_host.DIRECT,
                sync_timeout=5.0,
                command_timeout=command_timeout,
            )
        )
        made.start()
        self.addCleanup(made.stop)
        return made

    def agent(self, seconds=60.0):
        return self.host.agent(self.uuid, seconds)

    def asked(self, name):
        return self.guest.names().count(name)


class ReachTest(AgentTest):
    def test_nothing_but_a_sync_is_sent(self):
        agent = self.agent()
        self.assertEqual('direct', agent.channel_kind)
        self.assertGreaterEqual(agent.ping(), 0.0)
        self.assertEqual([], self.guest.names())

    def test_a_guest_without_an_agent_is_told_from_others(self):
        self.guest.behave(hostile.hang_up)
        with self.assertRaises(errors.GuestUnavailable) as caught:
            self.agent()
        self.assertEqual('no_agent', caught.exception.reason)
        self.assertIn(simulated_host.DIRECT, str(caught.exception))

    def test_so_is_one_that_talks_nonsense(self):
        self.guest.behave(hostile.echo)
        with self.assertRaises(errors.GuestUnavailable) as caught:
            self.agent()
        self.assertEqual('no_agent', caught.exception.reason)

    def test_an_unknown_guest_is_not_found(self):
        with self.assertRaises(errors.GuestNotFound):
            self.host.agent('c1d2e3f4-0000-4000-8000-000000000002', 5.0)

    def test_a_guest_with_no_channel_says_so(self):
        bare = simulated_host.Simulated('instance-2', None)
        with self.assertRaises(errors.GuestUnavailable) as caught:
            self.make_host(bare).agent(bare.uuid, 5.0)
        self.assertEqual('no_channel', caught.exception.reason)


class Refusing:
    """A channel that nobody answers on."""

    contacted = False

    def __init__(self, port, kind, failing):
        self.name = port.name
        self.kind = kind
        self.failing = failing

    def submit(self, asked):
        asked.done(None, errors.ChannelClosed(f'{self.kind} is closed'))


class AtOnce:
    """A loop that does what it is asked for in the caller's thread."""

    def call(self, work, *arguments):
        work(*arguments)


class OrderTest(unittest.TestCase):
    def order(self, **how):
        """Which kinds of channels are tried, one after the other."""
        described = known_host.DESCRIPTION
        standard, direct, _ = described.ports
        known = guest.Guest(
            described,
            guest.RUNNING,
            lambda _: (
                Refusing(direct, 'direct', failing=True),
                Refusing(standard, 'standard', failing=False),
            ),
        )
        end = time.monotonic() + 60
        with self.assertRaises(errors.GuestUnavailable) as caught:
            guest_agent.reach(known, AtOnce(), end, 60, **how)
        return re.findall(r'(\w+) is closed', str(caught.exception))

    def test_a_channel_that_failed_is_tried_last(self):
        self.assertEqual(['standard', 'direct'], self.order())

    def test_a_secret_goes_by_the_direct_one_all_the_same(self):
        self.assertEqual(['direct', 'standard'], self.order(direct_first=True))


class ExecuteTest(AgentTest):
    def test_a_reply_is_checked_and_read(self):
        self.assertEqual('well-behaved', self.agent().execute(NAME))

    def test_nonsense_from_a_reading_command_is_an_invalid_reply(self):
        self.guest.replies['guest-get-host-name'] = {'host-name': 5}
        with self.assertRaises(errors.InvalidReply):
            self.agent().execute(NAME)

    def test_nonsense_from_an_effect_is_unknown(self):
        self.guest.replies['guest-set-something'] = [1]
        with self.assertRaises(errors.OutcomeUnknown):
            self.agent().execute(SETTING)
        self.assertEqual(1, self.asked('guest-set-something'))

    def test_a_refusal_is_passed_on_in_the_agents_words(self):
        self.guest.replies['guest-set-something'] = hostile.Refusal('no\x1b')
        with self.assertRaises(errors.CommandError) as caught:
            self.agent().execute(SETTING)
        self.assertEqual('no\\x1b', caught.exception.description)
        self.assertEqual(1, self.asked('guest-set-something'))

    def test_no_command_is_sent_past_the_deadline(self):
        agent = guest_agent.GuestAgent(
            self.known,
            self.known.channels[0],
            self.host.loop,
            time.monotonic() - 1,
            60.0,
        )
        with self.assertRaises(errors.ChannelTimeout):
            agent.execute(SETTING)
        self.assertEqual(0, self.asked('guest-set-something'))
        # But what was begun may be ended.
        agent.execute(SETTING, cleanup=True)
        self.assertEqual(1, self.asked('guest-set-something'))

    def test_one_that_is_not_answered_is_unknown_and_not_sent_again(self):
        agent = guest_agent.GuestAgent(
            self.known, self.known.channels[0], self.host.loop, 1e9, 1.0
        )
        self.guest.behave(hostile.only_sync)
        with self.assertRaises(errors.OutcomeUnknown):
            agent.execute(SETTING)
        with self.assertRaises(errors.ChannelTimeout):
            agent.execute(NAME)
        self.guest.behave(hostile.good)
        agent.execute(NAME)
        self.assertEqual(1, self.asked('guest-set-something'))

    def test_one_that_has_no_answer_is_not_waited_for_so_long(self):
        agent = guest_agent.GuestAgent(
            self.known, self.known.channels[0], self.host.loop, 1e9, 1e6
        )
        self.guest.behave(hostile.only_sync)
        with self.assertRaises(errors.OutcomeUnknown):
            agent.execute(SETTING, patience=0.5)


class CapabilitiesTest(AgentTest):
    def refuse(self, name):
        self.guest.replies[name] = hostile.Refusal(
            f'Command {name} has been disabled', 'CommandNotFound'
        )

    def test_they_are_asked_once(self):
        for _ in range(3):
            self.agent().require('guest-set-something')
        self.assertEqual(1, self.asked('guest-info'))

    def test_and_again_on_a_new_connection(self):
        def close_at_the_name(peer):
            for request in peer.requests():
                if request['execute'] == NAME.name:
                    return
                peer.answer(request)

        self.guest.behave(close_at_the_name)
        self.agent().info()
        with self.assertRaises(errors.ChannelClosed):
            self.agent().execute(NAME)
        self.agent().info()
        self.assertEqual(2, self.asked('guest-info'))

    def test_a_missing_command_is_asked_for_again(self):
        agent = self.agent()
        agent.info()
        with self.assertRaisesRegex(errors.CommandUnsupported, 'unknown to'):
            agent.require('guest-new')
        self.guest.replies['guest-info'] = info(*ALL, 'guest-new')
        agent.require('guest-new')

    def test_a_blocked_command_says_where_to_unblock_it(self):
        agent = self.agent()
        agent.info()
        self.refuse('guest-set-something')
        self.guest.replies['guest-info'] = info(
            *ALL[:2], blocked=['guest-set-something']
        )
        with self.assertRaisesRegex(errors.CommandUnsupported, 'blocked by'):
            agent.execute(SETTING)
        self.assertEqual(1, self.asked('guest-set-something'))

    def test_a_frozen_guest_is_told_from_a_blocked_command(self):
        agent = self.agent()
        agent.info()
        self.refuse('guest-set-something')
        self.guest.replies['guest-info'] = info(
            *capabilities.FROZEN_COMMANDS, blocked=ALL[1:]
        )
        for ask in (
            lambda: agent.execute(SETTING),
            agent.info,
            lambda: agent.require('guest-get-host-name'),
        ):
            with self.assertRaises(errors.GuestUnavailable) as caught:
                ask()
            self.assertEqual('frozen', caught.exception.reason)
        # What it said while it was frozen is not kept.
        self.guest.replies['guest-info'] = info(*ALL)
        agent.require('guest-get-host-name')

    def test_a_refusal_that_the_agent_contradicts_is_passed_on(self):
        self.refuse('guest-set-something')
        with self.assertRaisesRegex(
            errors.CommandUnsupported, 'has been disabled'
        ):
            self.agent().execute(SETTING)

    def test_nonsense_is_not_kept(self):
        self.guest.replies['guest-info'] = {'version': 1}
        for _ in range(2):
            with self.assertRaises(errors.InvalidReply):
                self.agent().info()
        self.assertIsNone(self.known.info)
