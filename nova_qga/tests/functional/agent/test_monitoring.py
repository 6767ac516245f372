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


"""No guest is dark: what is known of a real guest, whatever becomes of it.

The real nova-qga-agent, a real libvirtd, a real Linux with a real qemu-ga.
"""

import time

from nova_qga.tests.fixtures import process
from nova_qga.tests.functional.agent import base

#: What RHEL has its agents refuse.
RHEL = (
    'guest-file-open,guest-file-close,guest-file-read,guest-file-write,'
    'guest-file-seek,guest-file-flush,guest-exec,guest-exec-status'
)


class NoGuestDarkTest(base.MonitoringTest):
    """Over the standard channel alone."""

    def test_a_guest_with_an_agent_tells_of_itself(self):
        self.monitor()
        [*_, told] = self.next(base.of_everything)
        self.assertEqual(1, told.up)
        self.assertLessEqual(
            {'cpu', 'load', 'memory', 'disk', 'filesystem', 'network'},
            told.kinds('guest'),
        )
        self.assertEqual({'agent', 'sampling'}, told.kinds('hypervisor'))
        total = self.vm.inspect("awk '/^MemTotal/ {print $2}' /proc/meminfo")
        self.assertEqual(
            [({}, int(total) * 1024)], told.of('guest.memory.total')
        )

    def test_where_its_agent_ends_the_hypervisor_tells_within_a_round(self):
        self.monitor()
        [*_, before] = self.next(base.of_everything)
        known = self.known()
        ended = self.stop_agents()
        rounds = self.next(lambda each: each.up == 0, known)
        [*_, after] = rounds
        for each in rounds:
            self.assertLessEqual(each.told('guest'), ended)
            if each.began > ended:
                self.assertEqual(0, each.up)
        self.check_it_stands_in(after)
        self.check_prometheus_shows_no_old_figures()
        known = self.known()
        self.start_agents()
        rounds = self.next(base.of_everything, known)
        self.assertEqual(before.names('guest'), rounds[-1].names('guest'))
        # What is asked for each time does not wait for the rest.
        [again, *_] = filter(base.of_guest, rounds)
        self.assertEqual(1, again.up)
        self.assertIn('memory', again.kinds('guest'))
        self.assertNotIn('Traceback', self.program.logged())

    def check_it_stands_in(self, told):
        self.assertEqual(['hypervisor'], told.sources)
        self.assertTrue(base.stood_in(told), told)
        [[_, total]] = told.of('guest.memory.total')
        self.assertLess(100 << 20, total)
        self.assertLess(
            0, sum(value for _, value in told.of('guest.cpu.time'))
        )
        [[disk, read]] = told.of('guest.disk.read.bytes')
        self.assertEqual({'device': 'vda'}, disk)
        self.assertLess(0, read)
        [[device, sent]] = told.of('guest.network.transmit.bytes')
        self.assertRegex(device['device'], '^vnet')
        self.assertLess(0, sent)

    def check_prometheus_shows_no_old_figures(self):
        def down():
            return any(
                each.startswith('guest_agent_up{') and each.endswith(' 0.0')
                for each in self.fetched()
            )

        self.assertTrue(process.wait_until(down, 60))
        series = self.fetched()
        self.assertEqual(
            [], [each for each in series if 'source="guest"' in each]
        )
        self.assertTrue(
            [each for each in series if each.startswith('guest_cpu_seconds')]
        )

    def test_a_pause_is_no_fault_of_the_agent(self):
        self.monitor()
        self.next(base.of_guest)
        known = self.known()
        self.vm.suspend()
        try:
            self.next(lambda each: each.up is None, known)
            paused = self.next(base.stood_in, known)
            self.next(base.every, known + len(paused))
            resumed = self.known()
        finally:
            self.vm.resume()
        self.next(base.of_guest, resumed)
        for each in self.samples.rounds(self.vm.uuid):
            self.assertNotEqual(0, each.up)

    def test_a_blocked_command_costs_no_metric(self):
        self.monitor()
        [*_, before] = self.next(base.of_everything)
        self.stop_agents()
        started = self.start_agents('-b guest-get-cpustats')
        [*_, after] = self.next(
            lambda each: (
                each.told('guest') > started and base.of_everything(each)
            )
        )
        self.assertEqual(before.names('guest'), after.names('guest'))

    def test_what_rhel_blocks_the_hypervisor_tells_as_far_as_it_can(self):
        self.monitor()
        self.next(base.of_guest)
        self.stop_agents()
        started = self.start_agents(f'-b {RHEL}')
        [*_, told] = self.next(
            lambda each: (
                each.told('guest') > started and base.of_everything(each)
            )
        )
        self.assertEqual(1, told.up)
        self.assertLessEqual(
            {'cpu', 'disk', 'filesystem', 'network'}, told.kinds('guest')
        )
        self.assertEqual(
            {'memory', 'agent', 'sampling'}, told.kinds('hypervisor')
        )


class DirectChannelTest(NoGuestDarkTest):
    """The same where the agent uses both channels, the direct one first."""

    direct = base.DIRECT

    def test_one_agent_is_enough(self):
        # The time of a round, in which each of them may take half.
        self.monitor('interval = 8')
        self.next(base.of_guest)
        known = self.known()
        self.addCleanup(self.vm.start_agent, 1)
        self.vm.stop_agent(1)
        ended = time.time()
        rounds = self.next(lambda each: each.began > ended, known)
        rounds += self.next(base.of_guest, known + len(rounds))
        self.assertEqual({1}, {each.up for each in rounds})


class NewsTest(base.MonitoringTest):
    """A guest whose period is far off is sampled at once for news of it."""

    def setUp(self):
        super().setUp()
        # One that is excluded gets none of the samples that follow a start.
        self.monitor(f'excluded_instances = {self.vm.uuid}')

    def wait_for_nothing(self):
        self.reload(f'interval = {base.NEVER}\nheartbeat_interval = 0')
        self.assertEqual([], self.samples.rounds(self.vm.uuid))

    def test_an_agent_that_is_started(self):
        self.stop_agents()
        self.wait_for_nothing()
        self.start_agents()
        self.next(base.of_guest)

    def test_a_resume(self):
        self.vm.suspend()
        try:
            self.wait_for_nothing()
        finally:
            self.vm.resume()
        [told] = self.next(base.every)
        self.assertTrue(base.of_guest(told), told)
