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

"""All that is known of a guest in a round, whoever knows it."""

import logging
import unittest

from nova_qga.agent import rounds
from nova_qga.agent import told
from nova_qga.collectors import base
from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.guest import description
from nova_qga.guest import figures
from nova_qga.guest import guest

METRIC = base.Metric('guest.a', base.Unit.COUNT, base.Kind.GAUGE)
FIGURES = figures.read({'cpu.time': 7_000_000_000}, 50.0)
TOLD = told.Told(
    (sample_set.Part('guest', 99.5, [base.Sample(METRIC, 1)]),),
    {'a'},
    {'b': 'blocked'},
    '7.2',
)
DOWN = errors.ChannelTimeout('no answer')


class Collector(base.Collector):
    metrics = (METRIC,)

    def select(self, enabled):
        return ()

    def stand_in(self, known):
        return [base.Sample(METRIC, known.cpu_time)]


class Faulty(Collector):
    def stand_in(self, known):
        raise KeyError('a fault of the plugin')


COLLECTORS = {'a': Collector(), 'b': Collector(), 'faulty': Faulty()}


class ComposeTest(unittest.TestCase):
    def setUp(self):
        described = description.Description('u', 'd', 'n', 'f', 'p', 'x', ())
        self.vm = guest.Guest(described, 'running', lambda _: ())

    def compose(self, ended, known=None, lacking=('b',)):
        return rounds.compose(self.vm, ended, COLLECTORS, lacking, known)

    def up(self, error, state='running'):
        self.vm.state = state
        samples = self.compose(rounds.Round(None, error, 99.0)).samples
        return [each.value for each in samples if each.metric.name == UP]

    def test_it_says_whose_it_is(self):
        found = self.compose(rounds.Round(TOLD, None, 99.0))
        self.assertEqual(('u', 'd', 'n', 'p', 'x'), found[:5])
        self.assertEqual({'b': 'blocked'}, found.missing)

    def test_each_part_has_its_source_and_time(self):
        found = self.compose(rounds.Round(TOLD, None, 99.0, 0.5, 0.1), FIGURES)
        self.assertEqual(
            [('guest', 99.5), ('hypervisor', 99.0), ('hypervisor', 50.0)],
            [(part.source, part.timestamp) for part in found.parts],
        )
        self.assertEqual([(METRIC, 7.0, ())], list(found.parts[2].samples))

    def test_what_the_host_saw_of_the_agent_is_told(self):
        [_, seen] = self.compose(rounds.Round(TOLD, None, 9.0, 0.5, 0.1)).parts
        self.assertEqual(
            {
                'guest.agent.up': (1, ()),
                'guest.agent.info': (1, ('version', '7.2')),
                'guest.sampling.duration': (0.5, ()),
                'guest.sampling.cpu.time': (0.1, ()),
            },
            {each.metric.name: each[1:] for each in seen.samples},
        )

    def test_a_guest_that_tells_nothing_is_not_dark(self):
        ended = rounds.Round(None, DOWN, 99.0)
        found = self.compose(ended, FIGURES, ('a', 'b'))
        self.assertEqual([0, 7.0, 7.0], [each.value for each in found.samples])
        self.assertEqual(set(COLLECTORS), set(found.missing))
        self.assertIn('no answer', found.missing['a'])
        self.assertTrue(rounds.measures(found))

    def test_that_the_agent_is_away_is_no_measurement(self):
        found = self.compose(rounds.Round(None, DOWN, 99.0))
        self.assertFalse(rounds.measures(found))
        self.assertTrue(found.parts)

    def test_a_plugin_that_fails_costs_its_own_metric(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        found = self.compose(
            rounds.Round(TOLD, None, 99.0), FIGURES, ('faulty', 'b')
        )
        self.assertEqual([7.0], [s.value for s in found.parts[2].samples])

    def test_an_agent_is_down_where_it_does_not_answer(self):
        alone = errors.GuestUnavailable('backoff', 'left alone')
        none = errors.GuestUnavailable('no_channel', 'reboot it')
        for error in (DOWN, alone, none, errors.MalformedMessage('?')):
            self.assertEqual([0], self.up(error), error)

    def test_one_that_is_frozen_or_costs_too_much_is_not(self):
        for reason in ('frozen', 'over_budget'):
            error = errors.GuestUnavailable(reason, 'not now')
            self.assertEqual([1], self.up(error), reason)

    def test_while_the_guest_does_not_run_nobody_knows(self):
        for state in ('paused', 'pmsuspended', 'shutdown'):
            error = errors.GuestUnavailable(state, 'not now')
            self.assertEqual([], self.up(error, state))

    def test_nor_while_we_stop(self):
        self.assertEqual([], self.up(errors.ServiceUnavailable('we stop')))


UP = 'guest.agent.up'
