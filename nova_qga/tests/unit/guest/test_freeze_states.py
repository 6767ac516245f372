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

"""Which agents are asked whether a guest is frozen, and what comes of it."""

import time
import unittest

from nova_qga import errors
from nova_qga.guest import description
from nova_qga.guest import freeze_states
from nova_qga.guest import guest
from nova_qga.transport import breaker

HANGS = errors.ChannelTimeout('the guest agent did not answer in time')
UNSUPPORTED = errors.CommandError('GenericError', 'this is not supported')


class Loop:
    """Does at once what it is to do later."""

    def call(self, work, *arguments):
        work(*arguments)


class Channel:
    """A channel whose agent says one thing, or nothing.

    :ivar asked: how often it was
    """

    contacted = True

    def __init__(self, kind, answer, failed=None):
        self.kind = kind
        self.name = {
            'standard': 'org.qemu.guest_agent.0',
            'direct': 'org.qemu.guest_agent.1',
        }[kind]
        self.answer = answer
        self.asked = 0
        self.failing = None
        if failed is not None:
            self.contacted = False
            moment = time.monotonic() - failed
            self.failing = breaker.Fault(moment, moment, 'channel', 'hangs')

    def submit(self, asked):
        self.asked += 1
        if isinstance(self.answer, errors.ChannelError):
            asked.tell(None, self.answer)
        elif self.answer is not None:
            asked.tell([self.answer], None)


def make(*channels, opened=True, state='running'):
    ports = tuple(
        description.Port(each.name, '/run/x', opened) for each in channels
    )
    return guest.Guest(
        description.Description(
            'vm', 'instance-1', 'web', 'm1.tiny', 'project', 'user', ports
        ),
        state,
        lambda of: channels,
    )


class FreezeStatesTest(unittest.TestCase):
    def check(self, *channels, patience=0.0, current=True, **more):
        freeze_states.check(make(*channels, **more), Loop(), patience, current)

    def refuse(self, words, *channels, **more):
        with self.assertRaisesRegex(errors.GuestUnavailable, words) as caught:
            self.check(*channels, **more)
        self.assertEqual('frozen', caught.exception.reason)

    def test_what_each_agent_says(self):
        found = freeze_states.ask(
            make(
                Channel('direct', 'thawed'), Channel('standard', UNSUPPORTED)
            ),
            Loop(),
            0.0,
            True,
        )
        self.assertEqual(
            [('direct', 'thawed'), ('standard', None)],
            [(each.channel, each.status) for each in found],
        )
        self.assertIn('not supported', found[1].message)

    def test_either_of_them_is_enough(self):
        thawed, frozen = (
            Channel('direct', 'thawed'),
            Channel('direct', 'frozen'),
        )
        self.refuse('standard', thawed, Channel('standard', 'frozen'))
        self.refuse('direct', frozen, Channel('standard', 'thawed'))

    def test_what_is_not_known_is_not_refused(self):
        for answer in ('thawed', 'melted', UNSUPPORTED, HANGS, None):
            with self.subTest(answer=answer):
                self.check(Channel('direct', answer))

    def test_one_that_failed_a_moment_ago_is_not_asked(self):
        channel = Channel('standard', 'frozen', failed=1.0)
        self.check(Channel('direct', 'thawed'), channel)
        self.assertEqual(0, channel.asked)

    def test_after_a_while_it_is(self):
        channel = Channel('standard', 'frozen', freeze_states.LEFT_ALONE + 1)
        self.refuse('standard', Channel('direct', 'thawed'), channel)

    def test_a_closed_one_is_not_asked(self):
        channel = Channel('standard', 'frozen')
        self.check(channel, opened=False)
        self.assertEqual(0, channel.asked)

    def test_while_libvirt_is_away_only_the_direct_one_is(self):
        standard = Channel('standard', 'frozen')
        self.check(Channel('direct', 'thawed'), standard, current=False)
        self.assertEqual(0, standard.asked)

    def test_one_that_is_paused_is_not_asked(self):
        channel = Channel('direct', 'frozen')
        with self.assertRaises(errors.GuestUnavailable) as caught:
            self.check(channel, state='paused')
        self.assertEqual('paused', caught.exception.reason)
        self.assertEqual(0, channel.asked)
