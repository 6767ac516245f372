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

"""The steps of one sample, fed by hand: no channel, no loop, no clock."""

import base64
import logging
import unittest

from nova_qga.agent import kept
from nova_qga.agent import plan
from nova_qga.agent import sampling
from nova_qga.collectors import base
from nova_qga import errors
from nova_qga.guest import capabilities
from nova_qga.guest import description
from nova_qga.guest import guest
from nova_qga.protocol import command

A, B, ONCE = '/proc/a', '/proc/b', '/proc/once'
FILE_COMMANDS = base.FILE_COMMANDS
NAME = command.Command('guest-get-name', str, {}, False)
DISABLED = errors.CommandUnsupported('CommandNotFound', 'has been disabled')
NO_HANDLE = errors.CommandError('GenericError', 'handle has not been found')


def metric(name):
    return base.Metric(name, base.Unit.COUNT, base.Kind.GAUGE)


class Collector(base.Collector):
    """What is read becomes the value of a metric of its own name."""

    def __init__(self, name, *questions):
        self.metrics = (metric(name),)
        self.sources = [base.Source(each, self.read) for each in questions]

    def select(self, enabled):
        return [each for each in self.sources if each.usable(enabled)]

    def read(self, value):
        return [base.Sample(self.metrics[0], float(value))]


class Faulty(Collector):
    def read(self, value):
        raise KeyError('a fault of the plugin')


class Strict(Collector):
    def read(self, value):
        raise errors.InvalidReply('not what it should be')


def collectors(**more):
    return {
        'a': Collector('a', base.ProcFile(A)),
        'name': Collector('name', NAME),
        'once': Collector('once', base.ProcFile(ONCE, once=True)),
    } | more


class Agent:
    """An agent that answers a batch at once.

    :ivar files: path -> content
    :ivar open: handle -> path
    :ivar answers: command -> what is answered instead
    """

    def __init__(self):
        self.enabled = ['guest-info', NAME.name, *FILE_COMMANDS]
        self.files = {A: b'1', B: b'2', ONCE: b'3'}
        self.open = {}
        self.opened = []
        self.answers = {}
        self._next = 1000

    def answer(self, single):
        given = single.arguments
        if single.name in self.answers:
            return self.answers[single.name]
        if single.name == 'guest-info':
            return self.info()
        if single.name == NAME.name:
            return '4'
        if single.name == 'guest-file-open':
            return self.open_file(given['path'])
        if given['handle'] not in self.open:
            return NO_HANDLE
        if single.name == 'guest-file-close':
            del self.open[given['handle']]
            return {}
        if single.name == 'guest-file-seek':
            return {'position': given['offset'], 'eof': False}
        content = self.files[self.open[given['handle']]]
        encoded = base64.b64encode(content).decode()
        return {'count': len(content), 'buf-b64': encoded, 'eof': True}

    def info(self):
        known = {'guest-info', NAME.name, *FILE_COMMANDS}
        return {
            'version': '7.2',
            'supported_commands': [
                {'name': name, 'enabled': name in self.enabled}
                for name in sorted(known | set(self.enabled))
            ],
        }

    def open_file(self, path):
        if path not in self.files:
            return errors.CommandError('GenericError', 'No such file')
        self._next += 1
        self.open[self._next] = path
        self.opened.append(path)
        return self._next

    def freeze(self):
        self.thawed = list(self.enabled)
        self.enabled = list(capabilities.FROZEN_COMMANDS)
        for name in (NAME.name, *FILE_COMMANDS):
            self.answers[name] = DISABLED

    def thaw(self):
        self.enabled = self.thawed
        self.answers = {}


class StepsTest(unittest.TestCase):
    def setUp(self):
        described = description.Description('u', 'd', 'n', 'f', 'p', 'x', ())
        self.vm = guest.Guest(described, 'running', lambda _: ())
        self.kept = kept.Kept()
        self.agent = Agent()
        self.use(collectors())
        # What is wrong with a plugin goes to the log, and not to our screen.
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def use(self, chosen):
        self.plans = plan.Plans(chosen)

    def run_steps(self, slow=True):
        """Take a sample; :ivar batches: the names in each batch."""
        self.batches = []
        steps = sampling.steps(self.vm, self.kept, self.plans, slow)
        batch = next(steps)
        while True:
            self.batches.append([each.name for each in batch.commands])
            answers = [self.agent.answer(each) for each in batch.commands]
            try:
                batch = steps.send(answers)
            except StopIteration as stop:
                return stop.value

    def values(self):
        taken = self.run_steps()
        self.missing = dict(taken.missing)
        return {
            each.metric.name: each.value
            for part in taken.parts
            for each in part.samples
        }


class SteadyTest(StepsTest):
    def test_the_first_sample_asks_and_opens_the_next_one_only_reads(self):
        values = {'a': 1.0, 'name': 4.0, 'once': 3.0}
        self.assertEqual(values, self.values())
        self.assertEqual(['guest-info'], self.batches[0])
        self.agent.files[A] = b'10'
        for _ in range(3):
            self.assertEqual(values | {'a': 10.0}, self.values())
            self.assertEqual(
                [['guest-file-seek', 'guest-file-read', NAME.name]],
                self.batches,
            )
            self.assertEqual({}, self.missing)
        self.assertEqual([A], list(self.agent.open.values()))

    def test_it_says_what_it_has_of_whom(self):
        taken = self.run_steps()
        part, _ = taken.parts
        self.assertEqual(('guest', False), (part.source, part.slow))
        self.assertEqual({'a', 'name', 'once'}, taken.by)
        self.assertEqual('7.2', taken.version)

    def test_no_batch_with_an_effect_has_company(self):
        self.values()
        for names in self.batches:
            if {'guest-file-open', 'guest-file-close'} & set(names):
                self.assertEqual(1, len(names))


class Slow(Collector):
    slow = True


class SlowTest(StepsTest):
    def setUp(self):
        super().setUp()
        self.use(
            {
                'a': Collector('a', base.ProcFile(A)),
                'slow': Slow('slow', NAME),
            }
        )

    def test_what_changes_slowly_is_a_part_of_its_own(self):
        often, seldom = self.run_steps().parts
        self.assertEqual((False, True), (often.slow, seldom.slow))
        self.assertEqual([(metric('a'), 1.0, ())], list(often.samples))
        self.assertEqual([(metric('slow'), 4.0, ())], list(seldom.samples))

    def test_it_is_not_asked_for_each_time(self):
        self.run_steps()
        taken = self.run_steps(slow=False)
        self.assertEqual(
            [['guest-file-seek', 'guest-file-read']], self.batches
        )
        self.assertEqual([False], [part.slow for part in taken.parts])
        # It is not lacking, either: nobody stands in.
        self.assertEqual({'a', 'slow'}, taken.by)
        self.assertEqual({}, dict(taken.missing))

    def test_one_that_the_agent_cannot_tell_is_not_waited_for(self):
        self.use({'slow': Slow('slow', None)})
        taken = self.run_steps(slow=False)
        self.assertEqual(set(), taken.by)
        self.assertEqual({'slow'}, set(taken.missing))


class SharedTest(StepsTest):
    def test_what_two_collectors_ask_is_asked_once(self):
        self.use(
            {
                'a': Collector('a', base.ProcFile(A), NAME),
                'b': Collector('b', NAME, base.ProcFile(A)),
            }
        )
        self.run_steps()
        part, _ = self.run_steps().parts
        self.assertEqual(
            [['guest-file-seek', 'guest-file-read', NAME.name]], self.batches
        )
        self.assertEqual(
            [1.0, 4.0, 4.0, 1.0], [each.value for each in part.samples]
        )

    def test_a_file_that_is_refused_is_missing_to_both(self):
        del self.agent.files[A]
        self.use({n: Collector(n, base.ProcFile(A)) for n in 'xy'})
        self.assertEqual({}, self.values())
        self.assertEqual({'x', 'y'}, set(self.missing))


class Asking(Collector):
    """Asks for as many more numbers as it is told."""

    def __init__(self, name):
        super().__init__(name)
        self.sources = [base.Source(NAME, self.read, self.more)]

    def more(self, value):
        return [
            base.Source(
                command.Command('guest-more', str, {'n': n}, False), self.read
            )
            for n in range(int(value))
        ]


class FurtherTest(StepsTest):
    def setUp(self):
        super().setUp()
        self.use({'a': Collector('a', base.ProcFile(A)), 'x': Asking('x')})
        self.agent.enabled.append('guest-more')
        self.agent.answers['guest-more'] = '7'

    def numbers(self):
        taken = self.run_steps()
        self.missing = dict(taken.missing)
        return [each.value for part in taken.parts for each in part.samples]

    def test_answers_say_what_to_ask_next(self):
        self.assertEqual([1.0, 4.0, 7.0, 7.0, 7.0, 7.0], self.numbers())
        self.assertEqual(['guest-more'] * 4, self.batches[-1])
        self.agent.answers[NAME.name] = '0'
        self.assertEqual([1.0, 0.0], self.numbers())
        self.assertEqual(1, len(self.batches))

    def test_an_answer_that_is_none_costs_itself(self):
        for refused in (errors.CommandError('X', 'no'), DISABLED, 'many'):
            with self.subTest(refused=refused):
                self.agent.answers[NAME.name] = refused
                self.assertEqual([1.0], self.numbers())
                self.assertIn('x', self.missing)
                self.agent.answers = {'guest-more': '7', NAME.name: '2'}
                self.agent.answers['guest-more'] = refused
                self.assertEqual([1.0, 2.0], self.numbers())
                self.assertIn('x', self.missing)

    def test_if_the_guest_falls_silent_then_what_it_said_counts(self):
        self.run_steps()
        steps = sampling.steps(self.vm, self.kept, self.plans)
        batch = next(steps)
        steps.send([self.agent.answer(each) for each in batch.commands])
        with self.assertRaises(StopIteration) as stop:
            steps.throw(errors.ChannelTimeout('no answer'))
        self.assertEqual(
            [1.0, 4.0],
            [s.value for s in stop.exception.value.parts[0].samples],
        )


class FailureTest(StepsTest):
    def test_a_refused_command_costs_its_own_metric(self):
        self.agent.answers[NAME.name] = errors.CommandError('X', 'not now')
        self.assertEqual({'a': 1.0, 'once': 3.0}, self.values())
        self.assertIn('not now', self.missing['name'])

    def test_so_does_a_file_that_is_not_there(self):
        del self.agent.files[A], self.agent.files[ONCE]
        self.assertEqual({'name': 4.0}, self.values())
        self.assertEqual({'a', 'once'}, set(self.missing))
        # And it is not tried each time.
        self.values()
        self.assertEqual([[NAME.name]], self.batches)
        self.assertEqual({'a', 'once'}, set(self.missing))

    def test_so_does_nonsense(self):
        for name, nonsense, lost in (
            ('guest-file-open', 'handle', {'a', 'once'}),
            ('guest-file-open', -1, {'a', 'once'}),
            ('guest-file-open', True, {'a', 'once'}),
            ('guest-file-read', {'count': 5}, {'a', 'once'}),
            ('guest-file-read', None, {'a', 'once'}),
        ):
            with self.subTest(command=name, answer=nonsense):
                self.setUp()
                self.agent.answers[name] = nonsense
                self.assertEqual({'name': 4.0}, self.values())
                self.assertEqual(lost, set(self.missing))

    def test_so_does_a_collector_that_finds_nothing_to_read(self):
        for kind in (Strict, Faulty):
            with self.subTest(collector=kind.__name__):
                self.setUp()
                self.use(
                    collectors(
                        b=kind('b', base.ProcFile(B)),
                        twice=kind('twice', base.ProcFile('/c', once=True)),
                    )
                )
                self.agent.files['/c'] = b'5'
                self.assertEqual({'a', 'name', 'once'}, set(self.values()))
                self.assertEqual({'b', 'twice'}, set(self.missing))

    def test_a_blocked_command_is_not_asked_at_all(self):
        self.agent.enabled.remove('guest-file-read')
        self.assertEqual({'name': 4.0}, self.values())
        self.assertEqual({'a', 'once'}, set(self.missing))
        self.assertEqual([['guest-info'], [NAME.name]], self.batches)

    def test_a_command_that_was_blocked_since_is_found_out(self):
        self.values()
        self.agent.answers[NAME.name] = DISABLED
        self.assertNotIn('name', self.values())
        self.agent.enabled.remove(NAME.name)
        self.values()
        self.assertEqual(['guest-info'], self.batches[0])
        self.assertNotIn(NAME.name, self.batches[-1])
        self.assertIn('blocks', self.missing['name'])

    def test_an_agent_that_refuses_to_tell_ends_the_sample(self):
        self.agent.answers['guest-info'] = DISABLED
        with self.assertRaises(errors.CommandUnsupported):
            self.values()
        self.agent.answers['guest-info'] = {}
        with self.assertRaises(errors.InvalidReply):
            self.values()


class RestartTest(StepsTest):
    def test_files_are_opened_once_for_a_new_agent(self):
        self.values()
        self.agent.open = {}
        self.agent.opened.clear()
        self.assertEqual({'a': 1.0, 'name': 4.0, 'once': 3.0}, self.values())
        self.assertEqual([A], self.agent.opened)
        # Another may be able to do other things.
        self.values()
        self.assertEqual(['guest-info'], self.batches[0])
        self.values()
        self.assertEqual(1, len(self.batches))

    def test_one_that_never_knows_a_handle_is_asked_twice_and_no_more(self):
        self.values()
        self.agent.answers['guest-file-seek'] = NO_HANDLE
        self.values()
        self.assertEqual(2, self.batches.count(self.batches[-1]))

    def test_a_handle_of_another_boot_is_never_used(self):
        self.values()
        # The new boot's agent gave the same number to somebody else.
        self.agent.open = dict.fromkeys(self.agent.open, B)
        self.agent.files[ONCE] = b'33'
        self.agent._next = 2000
        self.vm.restarted()
        self.assertEqual({'a': 1.0, 'name': 4.0, 'once': 33.0}, self.values())
        self.assertIn(B, self.agent.open.values())

    def test_nor_is_one_where_nothing_tells_boots_apart(self):
        self.use({'a': Collector('a', base.ProcFile(A))})
        self.values()
        self.agent.open = dict.fromkeys(self.agent.open, B)
        self.vm.restarted()
        self.assertEqual({'a': 1.0}, self.values())

    def test_another_channels_agent_has_files_of_its_own(self):
        self.values()
        other = Agent()
        other._next = 5000
        first, self.agent = self.agent, other
        before, self.kept = self.kept, kept.Kept()
        self.values()
        self.assertEqual([A], list(other.open.values()))
        self.agent, self.kept = first, before
        self.values()
        self.assertEqual(1, len(self.batches))


class FrozenTest(StepsTest):
    def freeze(self):
        self.agent.freeze()
        with self.assertRaises(errors.GuestUnavailable) as caught:
            for _ in range(2):
                self.values()
        self.assertEqual('frozen', caught.exception.reason)

    def test_a_guest_that_is_frozen_at_first_is_sampled_once_thawed(self):
        self.freeze()
        self.agent.thaw()
        self.assertEqual({'a': 1.0, 'name': 4.0, 'once': 3.0}, self.values())

    def test_a_freeze_loses_no_file_and_no_metric(self):
        self.values()
        opened = dict(self.agent.open)
        for _ in range(3):
            self.freeze()
            self.agent.thaw()
            self.assertEqual({'a', 'name', 'once'}, set(self.values()))
            self.assertEqual({}, self.missing)
        self.assertEqual(opened, self.agent.open)

    def test_nor_does_one_in_the_middle_of_a_first_sample(self):
        self.agent.answers['guest-file-open'] = DISABLED
        self.values()
        self.agent.answers = {}
        self.assertEqual({'a', 'name', 'once'}, set(self.values()))
        self.assertEqual({}, self.missing)


class SparedTest(StepsTest):
    """We have frozen it over the other channel: this agent does not know."""

    def setUp(self):
        super().setUp()
        self.values()
        self.opened = dict(self.agent.open)
        self.batches.clear()

    def names(self):
        return {name for batch in self.batches for name in batch}

    def test_what_is_open_is_read_and_nothing_is_opened(self):
        self.vm.frozen = True
        self.assertEqual({'a', 'name', 'once'}, set(self.values()))
        self.assertEqual(1, len(self.batches))

    def test_after_news_of_a_restart_files_wait_for_the_thaw(self):
        self.vm.frozen = True
        self.vm.restarted()
        self.assertEqual({'name'}, set(self.values()) - {'once'})
        self.assertIn('frozen', self.missing['a'])
        self.assertNotIn('guest-file-open', self.names())
        self.vm.frozen = False
        self.assertEqual({'a', 'name', 'once'}, set(self.values()))
        self.assertEqual({}, self.missing)
        self.assertEqual(self.opened, self.agent.open)

    def test_one_that_is_first_met_frozen_is_asked_what_it_takes(self):
        self.kept = kept.Kept()
        self.vm.frozen = True
        self.assertEqual({'name': 4.0}, self.values())
        self.assertEqual({'guest-info', 'guest-get-name'}, self.names())


class ReconfiguredTest(StepsTest):
    def test_other_collectors_read_other_files(self):
        self.values()
        # As many files as before.
        self.use({'b': Collector('b', base.ProcFile(B))})
        self.assertEqual({'b': 2.0}, self.values())
        self.assertEqual([B], list(self.agent.open.values()))
        self.use(collectors())
        self.assertEqual({'a', 'name', 'once'}, set(self.values()))
        self.assertEqual([A], list(self.agent.open.values()))

    def test_none_at_all_read_nothing(self):
        self.values()
        self.use({})
        self.assertEqual({}, self.values())
        self.assertEqual({}, self.agent.open)

    def test_files_are_let_go_where_they_can_no_longer_be_read(self):
        self.values()
        self.agent.enabled.remove('guest-file-seek')
        self.vm.restarted()
        self.assertEqual({'name': 4.0}, self.values())
        self.assertEqual({}, self.kept.handles)
