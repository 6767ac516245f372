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

"""A guest's sampler on channels that answer, or fail, as they are told."""

import base64
import dataclasses
import gc
import time
import unittest

from nova_qga.agent import debt
from nova_qga.agent import plan
from nova_qga.agent import sampler
from nova_qga.agent import sampling
from nova_qga.collectors import load
from nova_qga.collectors import uptime
from nova_qga.collectors import users
from nova_qga import errors
from nova_qga.guest import description
from nova_qga.guest import guest
from nova_qga.transport import breaker

PORTS = tuple(
    description.Port(f'org.qemu.guest_agent.{number}', '/s', True)
    for number in (1, 0)
)
COMMANDS = (
    'guest-info',
    'guest-file-open',
    'guest-file-close',
    'guest-file-read',
    'guest-file-seek',
    'guest-get-users',
)
FILES = {
    '/proc/loadavg': b'0.10 0.20 0.30 1/60 126\n',
    '/proc/uptime': b'12.45 12.44\n',
    '/proc/sys/kernel/random/boot_id': (
        b'e71845de-3ace-4b21-80d8-f9a2399dd4c8\n'
    ),
}


class Channel:
    """An agent that keeps count of the files it has open."""

    kind = 'direct'

    def __init__(self, name):
        self.name = name
        self.contacted = self.failing = False
        self.spent = 0.0
        self.cost = 0.0
        self.broken = None
        self.state = breaker.State.CLOSED
        self.too_slow = ''
        self.files = dict(FILES)
        self.asked = []
        self.deadlines = []
        self.open = {}
        self._next = 1000

    def close(self, reason):
        self.contacted = False

    def retry(self):
        self.failing = False

    def restart(self):
        """A new process: it knows no handle, and counts on."""
        self.open = {}

    def submit(self, asked):
        self.spent += self.cost
        self.asked += [each.name for each in asked.batch.commands]
        self.deadlines.append(asked.deadline)
        names = [each.name for each in asked.batch.commands]
        fault = self.broken
        if self.too_slow in names:
            fault = errors.ChannelTimeout('too slow')
        if fault is not None:
            self.contacted, self.failing = False, True
            asked.tell(None, fault)
            return
        self.contacted, self.failing = True, False
        asked.tell([self._answer(c) for c in asked.batch.commands], None)

    def _answer(self, single):
        given = single.arguments
        if single.name == 'guest-info':
            listed = [{'name': name, 'enabled': True} for name in COMMANDS]
            return {'version': '7.2', 'supported_commands': listed}
        if single.name == 'guest-file-open':
            self._next += 1
            self.open[self._next] = given['path']
            return self._next
        if given['handle'] not in self.open:
            return errors.CommandError('GenericError', 'handle not found')
        if single.name == 'guest-file-seek':
            return {'position': 0, 'eof': False}
        if single.name == 'guest-file-close':
            del self.open[given['handle']]
            return {}
        data = self.files[self.open[given['handle']]]
        encoded = base64.b64encode(data).decode()
        return {'count': len(data), 'buf-b64': encoded, 'eof': True}


class Broken(load.LoadCollector):
    def select(self, enabled):
        raise RuntimeError('a plugin is broken')


class SamplerCase(unittest.TestCase):
    def setUp(self):
        described = description.Description(
            'u', 'd', 'n', 'f', 'p', 'x', PORTS
        )
        self.vm = guest.Guest(
            described,
            'running',
            lambda of: tuple(Channel(port.name) for port in PORTS),
        )
        self.direct, self.standard = self.vm.channels
        self.sampler = sampler.Sampler(self.vm)
        self.plans = plan.Plans(
            {'load': load.LoadCollector(), 'uptime': uptime.UptimeCollector()}
        )

    def sample(self):
        ended = self.run_once()
        if ended.error is not None:
            raise ended.error
        return ended.told

    def run_once(self, **how):
        told = []
        deadline = time.monotonic() + 60
        self.sampler.run(self.plans, deadline, told.append, **how)
        [ended] = told
        return ended

    def values(self):
        return {
            each.metric.name: each.value
            for part in self.sample().parts
            for each in part.samples
        }


class SamplerTest(SamplerCase):
    def test_a_round_leaves_nothing_to_the_garbage_collector(self):
        self.sample()
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        self.sample()
        self.assertEqual(0, gc.collect())

    def test_a_guest_left_alone_over_every_channel_is_not_asked(self):
        self.direct.state = self.standard.state = breaker.State.OPEN
        self.assertEqual('backoff', self.run_once().error.reason)
        self.assertEqual([], self.direct.asked + self.standard.asked)
        self.direct.state = breaker.State.HALF_OPEN
        self.assertIsNone(self.run_once().error)
        self.direct.state = breaker.State.OPEN
        self.assertIsNone(self.run_once(urgent=True).error)

    def test_it_goes_on_over_the_other_channel_where_one_fails(self):
        self.direct.broken = errors.ChannelTimeout('no agent')
        self.assertEqual(12.45, self.values()['guest.uptime'])
        self.assertTrue(self.standard.asked)

    def test_one_that_hangs_leaves_time_to_the_other(self):
        self.direct.broken = errors.ChannelTimeout('no agent')
        self.values()
        self.assertLess(
            self.direct.deadlines[0] + 20, self.standard.deadlines[0]
        )

    def test_a_closed_port_is_not_even_tried_while_another_answers(self):
        closed = dataclasses.replace(PORTS[0], open=False)
        self.vm.description = description.Description(
            'u', 'd', 'n', 'f', 'p', 'x', (closed, PORTS[1])
        )
        self.values()
        self.assertEqual([], self.direct.asked)

    def test_if_none_answers_the_last_reason_is_told(self):
        for channel in self.vm.channels:
            channel.broken = errors.ChannelTimeout(channel.name)
        with self.assertRaisesRegex(errors.ChannelTimeout, 'agent.0'):
            self.sample()
        self.assertFalse(self.sampler.running)

    def test_a_channel_that_comes_and_goes_costs_no_files(self):
        self.values()
        for _ in range(5):
            self.direct.broken = errors.ChannelTimeout('no answer')
            self.values()
            self.direct.broken, self.standard.contacted = None, False
            self.direct.failing = False
            self.values()
        self.assertEqual(2, len(self.direct.open))
        self.assertEqual(2, len(self.standard.open))

    def test_news_of_a_restart_costs_none_in_the_same_boot(self):
        self.values()
        for _ in range(5):
            self.vm.restarted()
            self.values()
        self.assertEqual(2, len(self.direct.open))

    def boot_anew(self):
        """Its agent is new, and others have files open there."""
        self.direct.restart()
        self.direct.files['/proc/sys/kernel/random/boot_id'] = (
            b'00000000-3ace-4b21-80d8-f9a2399dd4c8\n'
        )
        old = dict.fromkeys(range(1001, 1010), '/somebody/elses')
        self.direct.open = dict(old)
        self.direct.files['/somebody/elses'] = b'9.9 9.9\n'
        self.vm.restarted()

    def test_after_a_reboot_no_old_handle_is_used(self):
        self.values()
        self.boot_anew()
        self.assertEqual(12.45, self.values()['guest.uptime'])

    def test_nor_where_the_first_look_at_the_new_boot_fails(self):
        self.values()
        self.standard.broken = errors.ChannelTimeout('no agent')
        self.boot_anew()
        self.direct.too_slow = 'guest-file-close'
        self.assertIsNotNone(self.run_once().error)
        self.direct.too_slow = ''
        self.assertEqual(12.45, self.values()['guest.uptime'])

    def test_a_new_agent_of_the_same_boot_gets_its_files_opened(self):
        self.values()
        self.direct.restart()
        self.assertEqual(12.45, self.values()['guest.uptime'])

    def test_a_collector_that_cannot_choose_costs_its_own_metric(self):
        self.plans = plan.Plans(
            {'broken': Broken(), 'uptime': uptime.UptimeCollector()}
        )
        samples = self.sample()
        self.assertIn('failed', samples.missing['broken'])
        self.assertEqual({'uptime'}, samples.by)

    def test_a_file_that_was_refused_is_tried_again_in_time(self):
        path = '/proc/sys/kernel/random/boot_id'
        self.direct.files[path] = b'nonsense'
        self.assertIn('uptime', self.sample().missing)
        self.direct.files[path] = FILES[path]
        for _ in range(sampling.FORGIVE):
            samples = self.sample()
        self.assertEqual({}, dict(samples.missing))

    def test_our_own_fault_ends_the_sample_and_no_more(self):
        self.direct._answer = lambda single: 1 / 0
        with self.assertRaises(errors.QgaError):
            self.sample()
        del self.direct._answer
        self.assertEqual(12.45, self.values()['guest.uptime'])

    def test_all_files_are_closed_in_the_end(self):
        self.values()
        self.sampler.close_files(time.monotonic() + 60)
        self.assertEqual({}, self.direct.open)

    def test_it_says_how_long_it_took_and_what_it_cost(self):
        self.direct.cost = 0.001
        ended = self.run_once()
        self.assertGreaterEqual(ended.worked, 0.001)
        self.assertGreater(ended.seconds, 0.0)
        self.assertAlmostEqual(time.time(), ended.began, delta=60)


class BudgetTest(SamplerCase):
    def setUp(self):
        super().setUp()
        self.plans = plan.Plans({'load': load.LoadCollector()}, budget=0.1)
        self.run_once()

    def reasons(self, count):
        errors = [self.run_once().error for _ in range(count)]
        return [error and error.reason for error in errors]

    def test_a_guest_that_costs_much_is_sampled_more_seldom(self):
        self.direct.cost = 0.32
        self.assertEqual([None], self.reasons(1))
        self.direct.cost = 0.0
        self.assertEqual(['over_budget'] * 2 + [None] * 3, self.reasons(5))

    def test_one_round_that_costs_a_little_more_is_forgiven(self):
        self.direct.cost = 0.18
        self.assertEqual([None] * 2, self.reasons(2))
        self.direct.cost = 0.0
        self.assertEqual(['over_budget', None], self.reasons(2))

    def test_not_for_ever(self):
        self.direct.cost = 1e6
        self.assertEqual([None], self.reasons(1))
        self.direct.cost = 0.0
        left_out = self.reasons(50).count('over_budget')
        self.assertEqual(debt.MOST, left_out)

    def test_who_waits_for_it_is_served(self):
        self.direct.cost = 0.5
        self.assertIsNone(self.run_once().error)
        self.assertIsNone(self.run_once(urgent=True).error)

    def test_one_that_costs_little_never_pays(self):
        self.direct.cost = 0.04
        self.assertEqual([None] * 9, self.reasons(9))


class Slow(load.LoadCollector):
    slow = True


class SlowTest(SamplerCase):
    def slow_rounds(self, *rounds, slow_interval):
        self.plans = plan.Plans(
            {'load': Slow(), 'uptime': uptime.UptimeCollector()}, slow_interval
        )
        ended = [self.run_once(**how) for how in rounds]
        return [any(part.slow for part in r.told.parts) for r in ended]

    def test_what_changes_slowly_is_asked_at_first_and_then_in_its_time(self):
        self.assertEqual(
            [True, False, False],
            self.slow_rounds({}, {}, {}, slow_interval=3600.0),
        )

    def test_that_it_was_asked_for_and_not_told_is_told(self):
        self.assertEqual([True], self.slow_rounds({}, slow_interval=0.0))
        self.direct.files['/proc/loadavg'] = b'nonsense'
        self.assertEqual([True], self.slow_rounds({}, slow_interval=0.0))
        # Nor does it stay when nobody collects it any more.
        self.plans = plan.Plans({'uptime': uptime.UptimeCollector()}, 0.0)
        self.assertTrue(any(part.slow for part in self.sample().parts))

    def test_its_time_may_be_each_time(self):
        self.assertEqual(
            [True, True], self.slow_rounds({}, {}, slow_interval=0.0)
        )

    def test_who_waits_sees_everything(self):
        self.assertEqual(
            [True, True],
            self.slow_rounds({}, {'urgent': True}, slow_interval=3600.0),
        )

    def test_who_waits_takes_nobody_s_turn(self):
        urgent = {'urgent': True}
        self.assertEqual(
            [True, True, True, False],
            self.slow_rounds(urgent, urgent, {}, {}, slow_interval=3600.0),
        )

    def test_after_a_failure_it_is_asked_again(self):
        self.slow_rounds({}, slow_interval=3600.0)
        for channel in self.vm.channels:
            channel.broken = errors.ChannelTimeout('no agent')
        self.assertIsNotNone(self.run_once().error)
        for channel in self.vm.channels:
            channel.broken = None
        # The agent may be back, and not be well: the rest goes before.
        self.assertEqual(
            [False, True, False],
            self.slow_rounds({}, {}, {}, slow_interval=3600.0),
        )

    def test_after_news_of_a_restart_it_is_asked_again(self):
        self.slow_rounds({}, slow_interval=3600.0)
        self.vm.restarted()
        self.assertEqual(
            [False, True, False],
            self.slow_rounds({}, {}, {}, slow_interval=3600.0),
        )

    def test_what_never_ends_in_time_costs_the_rest_one_round_alone(self):
        for channel in self.vm.channels:
            channel.too_slow = 'guest-get-users'
        self.plans = plan.Plans(
            {'users': users.UserCollector(), 'load': load.LoadCollector()},
            3600.0,
        )
        told = [self.run_once().told is not None for _ in range(9)]
        self.assertEqual([False, True, False] + [True] * 6, told)
