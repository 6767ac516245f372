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

"""The service's own numbers."""

import unittest

from nova_qga.agent import internals
from nova_qga.agent import rounds
from nova_qga import errors
from nova_qga.guest import description
from nova_qga.guest import directory
from nova_qga.transport import breaker


class Channel:
    kind = 'direct'
    name = 'org.qemu.guest_agent.1'
    state = breaker.State.CLOSED
    contacted = True


class Hypervisor:
    calls = 3


class Host:
    hypervisor = Hypervisor()

    def __init__(self):
        self.directory = directory.Directory(lambda _: (Channel(),))
        for number, state in enumerate(('running', 'running', 'shutoff')):
            described = description.Description(
                f'u{number}', 'd', 'n', 'f', 'p', 'x', ()
            )
            self.directory.update(described, state)


class InternalsTest(unittest.TestCase):
    def setUp(self):
        self.internals = internals.Internals(Host())

    def values(self, metric):
        return {
            each.labels[1::2]: each.value
            for each in self.internals.samples()
            if each.metric is metric
        }

    def test_rounds_are_counted_by_how_they_ended(self):
        for error in (
            None,
            None,
            errors.ChannelTimeout('?'),
            errors.GuestUnavailable('paused', '?'),
        ):
            self.internals.count(rounds.Round(None, error, 0.0, 1.0, 0.25))
        self.assertEqual(
            {('told',): 2, ('channel_timeout',): 1, ('paused',): 1},
            self.values(internals.ROUNDS),
        )
        self.assertEqual({(): 1.0}, self.values(internals.WORKED))

    def test_guests_and_channels_are_counted_as_they_are_now(self):
        self.assertEqual(
            {('running',): 2, ('paused',): 0, ('shutoff',): 1},
            self.values(internals.GUESTS),
        )
        channels = self.values(internals.CHANNELS)
        self.assertEqual(2, channels.pop(('direct', 'closed')))
        self.assertEqual({0}, set(channels.values()))

    def test_it_says_how_late_it_woke_up_and_never_that_it_was_early(self):
        for late, expected in ((0.5, 0.5), (-0.1, 0.0)):
            self.internals.woke(late)
            self.assertEqual({(): expected}, self.values(internals.LATENESS))

    def test_all_that_it_gives_is_listed(self):
        self.internals.count(rounds.Round(None, None, 0.0))
        self.assertEqual(
            set(internals.METRICS),
            {each.metric for each in self.internals.samples()},
        )
