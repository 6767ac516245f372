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

"""CPU time of each CPU, by either way of asking for it."""

from nova_qga.collectors import percpu
from nova_qga.guest import figures
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases
from nova_qga.tests.unit.collectors import test_cpu

NAME = 'guest.percpu.time'


class PerCpuTest(cases.CollectorTestCase):
    collector = percpu.PerCpuCollector()
    command = 'guest-get-cpustats'
    path = '/proc/stat'

    def cpus(self, table):
        return list(dict.fromkeys(cpu for _, cpu, _ in table))

    def test_the_command_is_asked_where_the_agent_has_it(self):
        self.assertEqual(
            [['/proc/stat'], ['guest-get-cpustats'], ['guest-get-cpustats']],
            [self.asked(recordings.enabled(g)) for g in recordings.GUESTS],
        )

    def test_every_recorded_guest_tells_of_both_its_cpus(self):
        for guest in recordings.GUESTS:
            with self.subTest(guest=guest):
                table = self.recorded(guest)
                self.assertEqual(['0', '1'], self.cpus(table))
                self.assertEqual(16, len(table))

    def test_they_add_up_to_what_all_cpus_have(self):
        cpu = test_cpu.CpuTest()
        for guest in recordings.GUESTS:
            for (_, mode), total in cpu.recorded(guest).items():
                with self.subTest(guest=guest, mode=mode):
                    table = self.recorded(guest)
                    each = [table[NAME, number, mode] for number in '01']
                    # The kernel cuts each of them to whole ticks.
                    self.assertAlmostEqual(total, sum(each), delta=0.021)

    def test_file_and_command_agree_on_milliseconds_and_ticks(self):
        reply = [test_cpu.stats(3, user=1230, steal=10)]
        content = b'cpu  0 0 0 0\ncpu3 123 0 0 0 0 0 0 1\nintr 1\n'
        for table in (self.of_reply(reply), self.of_file(content)):
            self.assertEqual(1.23, table[NAME, '3', 'user'])
            self.assertEqual(0.01, table[NAME, '3', 'steal'])

    def test_a_cpu_that_is_listed_twice_counts_as_first_listed(self):
        reply = [test_cpu.stats(0, user=1000), test_cpu.stats(0, user=7)]
        self.assertEqual(1.0, self.of_reply(reply)[NAME, '0', 'user'])
        content = b'cpu  1 1 1 1\ncpu0 100 1 1 1\ncpu0 7 1 1 1\n'
        self.assertEqual(1.0, self.of_file(content)[NAME, '0', 'user'])

    def test_no_more_cpus_than_so_many_are_measured(self):
        numbers = [str(number) for number in range(1000)]
        reply = [test_cpu.stats(number) for number in range(1000)]
        content = b'cpu  1 1 1 1\n' + b''.join(
            b'cpu%d 1 2 3 4\n' % number for number in range(1000)
        )
        for table in (self.of_reply(reply), self.of_file(content)):
            self.assertEqual(numbers[: percpu.MAX_CPUS], self.cpus(table))

    def test_a_bad_line_costs_that_line_alone(self):
        for bad in (
            b'',
            b'cpu1',
            b'cpu1 1 2 3',
            b'cpux 1 2 3 4',
            b'cpu1 1 2 3 -4',
            b'cpu1 1 2 3 %d' % 2**64,
            b'cpu99999 1 2 3 4',
            b'\0\xff' * 50,
        ):
            with self.subTest(bad=bad):
                content = b'cpu0 1 2 3 4\n' + bad + b'\ncpu2 1 2 3 4\n'
                self.assertEqual(['0', '2'], self.cpus(self.of_file(content)))

    def test_a_line_that_is_cut_short_is_not_taken(self):
        table = self.of_file(b'cpu0 1 2 3 4\ncpu1 1 2 3 4')
        self.assertEqual(['0'], self.cpus(table))

    def test_a_file_without_cpus_is_refused(self):
        for content in (b'', b'cpu  1 2 3 4\nintr 9\n', b'\0' * 4096):
            self.assert_file_refused(content)

    def test_the_hypervisor_knows_how_long_each_ran_and_waited(self):
        self.assertEqual(
            {
                (NAME, '0', 'vcpu'): 2.87,
                (NAME, '0', 'steal'): 0.101359221,
                (NAME, '1', 'vcpu'): 1.12,
                (NAME, '1', 'steal'): 0.104061516,
            },
            self.standing_in(),
        )
        cpu = figures.Vcpu(7, 1.5, None)
        self.assertEqual(
            {(NAME, '7', 'vcpu'): 1.5}, self.standing_in(vcpus=(cpu,))
        )
