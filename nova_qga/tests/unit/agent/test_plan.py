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

"""Plans: one for each kind of agent, one batch for the same handles."""

import logging
import unittest

from nova_qga.agent import plan
from nova_qga.collectors import base
from nova_qga.protocol import command
from nova_qga.protocol import replies

NAME = command.Command('guest-get-name', str, {}, False)
OTHER = command.Command('guest-get-other', str, {}, False)
A, B = base.ProcFile('/proc/a'), base.ProcFile('/proc/b', size=100)
ONCE = base.ProcFile('/proc/once', once=True)
ALL = dict.fromkeys((*base.FILE_COMMANDS, NAME.name, OTHER.name), True)


class Collector(base.Collector):
    def __init__(self, *questions):
        self.metrics = ()
        self.sources = [base.Source(each, list) for each in questions]

    def select(self, enabled):
        return base.best(enabled, *self.sources)


class Each(Collector):
    def select(self, enabled):
        return [each for each in self.sources if each.usable(enabled)]


class Broken(Collector):
    def select(self, enabled):
        raise RuntimeError('a fault of the plugin')


def make(enabled=ALL, **collectors):
    return plan.Plan(collectors, enabled)


def names(batch):
    return [each.name for each in batch.commands]


class PlanTest(unittest.TestCase):
    def test_the_best_source_that_an_agent_allows_is_used(self):
        for enabled, expected in (
            (ALL, [NAME.name]),
            (ALL | {NAME.name: False}, [OTHER.name]),
            (ALL | {NAME.name: False, OTHER.name: False}, []),
            ({}, []),
        ):
            made = make(enabled, x=Collector(NAME, OTHER))
            batch, slots = made.batch({})
            self.assertEqual(expected, names(batch))
            self.assertEqual(len(expected), len(slots))
            self.assertEqual(not expected, 'x' in made.silent)

    def test_what_is_blocked_is_said_to_be(self):
        for enabled, collector, expected in (
            ({}, Collector(NAME, A), 'the agent has no command that tells'),
            (ALL | {NAME.name: False}, Collector(NAME), f'blocks {NAME.name}'),
            (
                ALL | {'guest-file-open': False, 'guest-file-read': False},
                Each(A, B),
                'blocks guest-file-open, guest-file-read: allow',
            ),
        ):
            self.assertIn(expected, make(enabled, x=collector).silent['x'])

    def test_a_file_needs_every_command_for_files(self):
        for missing in base.FILE_COMMANDS:
            made = make(ALL | {missing: False}, x=Collector(A, NAME))
            self.assertEqual((), made.files)
            self.assertEqual([NAME.name], names(made.batch({})[0]))

    def test_each_slot_says_where_its_answer_will_be(self):
        made = make(x=Collector(NAME), y=Each(A, B), z=Collector(OTHER))
        batch, slots = made.batch({A.path: 1000, B.path: 1001})
        self.assertEqual(
            [
                NAME.name,
                'guest-file-seek',
                'guest-file-read',
                'guest-file-seek',
                'guest-file-read',
                OTHER.name,
            ],
            names(batch),
        )
        self.assertEqual(
            [
                ('x', None, 0),
                ('y', A.path, 2),
                ('y', B.path, 4),
                ('z', None, 5),
            ],
            [(each.collector, each.path, each.reply) for each in slots],
        )
        for each in slots:
            self.assertIs(batch.commands[each.reply], each.command)
        self.assertEqual(
            {'handle': 1001, 'count': 100}, slots[2].command.arguments
        )

    def test_a_file_that_is_not_open_is_left_out(self):
        made = make(x=Each(A, B), y=Collector(NAME))
        batch, slots = made.batch({B.path: 7})
        self.assertEqual(
            ['guest-file-seek', 'guest-file-read', NAME.name], names(batch)
        )
        self.assertEqual([B.path, None], [each.path for each in slots])

    def test_a_sample_changes_nothing_in_the_guest(self):
        made = make(x=Each(A, B, NAME), y=Collector(OTHER))
        self.assertFalse(made.batch({A.path: 1, B.path: 2})[0].has_effect)

    def test_what_never_changes_is_in_no_batch(self):
        made = make(x=Each(A, ONCE))
        self.assertEqual((A.path,), made.files)
        self.assertEqual(
            [('x', ONCE)],
            [(name, source.question) for name, source in made.once],
        )
        self.assertEqual(2, len(names(made.batch({A.path: 1})[0])))

    def test_a_file_that_two_collectors_read_is_opened_once(self):
        made = make(x=Collector(A), y=Collector(A))
        self.assertEqual((A.path,), made.files)
        _, slots = made.batch({A.path: 1})
        self.assertEqual(['x', 'y'], [each.collector for each in slots])

    def test_a_broken_collector_costs_no_other(self):
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        made = make(x=Broken(), y=Collector(NAME))
        self.assertEqual([NAME.name], names(made.batch({})[0]))
        self.assertEqual(['x'], list(made.silent))


class SharingTest(unittest.TestCase):
    def test_the_same_handles_share_a_batch(self):
        made = make(x=Each(A, B))
        handles = {A.path: 1000, B.path: 1001}
        self.assertIs(made.batch(handles), made.batch(dict(handles)))
        self.assertIsNot(
            made.batch(handles), made.batch({A.path: 1001, B.path: 1000})
        )
        self.assertIsNot(made.batch(handles), made.batch({A.path: 1000}))

    def test_guests_that_give_other_handles_each_time_fill_no_memory(self):
        made = make(x=Collector(A))
        for handle in range(3 * plan.MAX_BATCHES):
            batch, _ = made.batch({A.path: handle})
            self.assertEqual(handle, batch.commands[0].arguments['handle'])
        self.assertLessEqual(len(made._batches), plan.MAX_BATCHES)

    def test_one_kind_of_agent_has_one_plan(self):
        plans = plan.Plans({'x': Collector(NAME)})
        info, other = (replies.AgentInfo('7.2', ALL) for _ in range(2))
        self.assertIs(plans.plan(info), plans.plan(info))
        self.assertIsNot(plans.plan(info), plans.plan(other))

    def test_nor_do_agents_that_are_all_different(self):
        plans = plan.Plans({'x': Collector(NAME)})
        for number in range(3 * plan.MAX_BATCHES):
            enabled = {NAME.name: number % 2 == 0}
            made = plans.plan(replies.AgentInfo(str(number), enabled))
            # Never another's that was at the same place in memory before.
            self.assertEqual(number % 2, len(made.silent))
        self.assertLessEqual(len(plans._plans), plan.MAX_BATCHES)
