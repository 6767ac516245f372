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

"""CPU time, by either way of asking for it."""

from nova_qga.collectors import cpu
from nova_qga.guest import figures
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases


def stats(number, **modes):
    required = {'user': 0, 'nice': 0, 'system': 0, 'idle': 0}
    return {'type': 'linux', 'cpu': number, **required, **modes}


class CpuTest(cases.CollectorTestCase):
    collector = cpu.CpuCollector()
    command = 'guest-get-cpustats'
    path = '/proc/stat'

    def test_the_command_is_asked_where_the_agent_has_it(self):
        self.assertEqual(
            [['/proc/stat'], ['guest-get-cpustats'], ['guest-get-cpustats']],
            [self.asked(recordings.enabled(g)) for g in recordings.GUESTS],
        )

    def test_nothing_is_asked_where_command_and_files_are_blocked(self):
        blocked = dict.fromkeys([self.command, *cases.FILES], False)
        self.assertEqual([], self.asked(blocked))

    def test_milliseconds_of_all_cpus_add_up_to_seconds_by_mode(self):
        self.assertEqual(
            {
                ('guest.cpu.time', 'user'): 0.23,
                ('guest.cpu.time', 'nice'): 0.0,
                ('guest.cpu.time', 'system'): 8.04,
                ('guest.cpu.time', 'idle'): 100.23,
                ('guest.cpu.time', 'iowait'): 0.07,
                ('guest.cpu.time', 'irq'): 0.0,
                ('guest.cpu.time', 'softirq'): 0.33,
                ('guest.cpu.time', 'steal'): 0.0,
            },
            self.recorded('debian-13'),
        )

    def test_ticks_of_the_file_are_hundredths_of_a_second(self):
        self.assertEqual(
            {
                ('guest.cpu.time', 'user'): 0.33,
                ('guest.cpu.time', 'nice'): 0.0,
                ('guest.cpu.time', 'system'): 5.89,
                ('guest.cpu.time', 'idle'): 103.92,
                ('guest.cpu.time', 'iowait'): 0.13,
                ('guest.cpu.time', 'irq'): 0.0,
                ('guest.cpu.time', 'softirq'): 0.17,
                ('guest.cpu.time', 'steal'): 0.0,
            },
            self.recorded('debian-11'),
        )

    def test_a_mode_that_one_cpu_does_not_know_is_left_out(self):
        table = self.of_reply([stats(0, steal=5, irq=7), stats(1, irq=2)])
        self.assertNotIn(('guest.cpu.time', 'steal'), table)
        self.assertEqual(0.009, table['guest.cpu.time', 'irq'])

    def test_a_cpu_that_is_listed_twice_counts_once_as_first_listed(self):
        table = self.of_reply(
            [stats(0, user=1000), stats(1, user=20), stats(0, user=7)]
        )
        self.assertEqual(1.02, table['guest.cpu.time', 'user'])

    def test_no_cpu_gives_no_sample(self):
        self.assertEqual({}, self.of_reply([]))

    def test_a_kernel_with_fewer_modes_tells_those(self):
        table = self.of_file(b'cpu  1 2 3 400\ncpu0 1 2 3 400\n')
        self.assertEqual(
            {
                ('guest.cpu.time', 'user'): 0.01,
                ('guest.cpu.time', 'nice'): 0.02,
                ('guest.cpu.time', 'system'): 0.03,
                ('guest.cpu.time', 'idle'): 4.0,
            },
            table,
        )

    def test_more_columns_and_an_endless_line_behind_do_no_harm(self):
        line = b'cpu  ' + b' '.join(b'%d' % n for n in range(100, 113))
        table = self.of_file(line + b'\nintr ' + b'9 ' * 5_000_000)
        self.assertEqual(8, len(table))
        self.assertEqual(1.07, table['guest.cpu.time', 'steal'])

    def test_64_bits_are_read_and_65_are_not(self):
        table = self.of_file(b'cpu  %d 1 1 1\n' % (2**64 - 1))
        self.assertEqual((2**64 - 1) / 100, table['guest.cpu.time', 'user'])
        self.assert_file_refused(b'cpu  %d 1 1 1\n' % 2**64)

    def test_a_first_line_that_is_not_of_all_cpus_is_refused(self):
        for content in (
            b'',
            b'\n',
            b'cpu',
            b'cpu\n',
            b'cpu  1 2 3 4',  # cut short: 4 may have been 400
            b'cpu0 1 2 3 4\n',
            b'cpu  1 2 3\n',
            b'cpu  1 2 3 -4\n',
            b'cpu  1 2 3 4.0\n',
            b'cpu  1 2 3 4_0\n',
            b'cpu  1 2 3 \xd9\xa3\n',  # an Arabic digit
            b'cpu  1 2 3 ' + b'9' * 5000 + b'\n',
            b'intr 1 2 3 4\ncpu  1 2 3 4\n',
            b'\0' * 4096,
        ):
            with self.subTest(content=content[:40]):
                self.assert_file_refused(content)

    def test_the_hypervisor_knows_how_long_the_cpus_ran_and_waited(self):
        self.assertEqual(
            {
                ('guest.cpu.time', 'vcpu'): 3.99,
                ('guest.cpu.time', 'steal'): 0.205420737,
            },
            self.standing_in(),
        )

    def test_a_wait_that_is_not_known_of_all_cpus_is_left_out(self):
        cpus = (figures.Vcpu(0, 2.0, 0.5), figures.Vcpu(1, 1.0, None))
        self.assertEqual(
            {('guest.cpu.time', 'vcpu'): 3.0}, self.standing_in(vcpus=cpus)
        )

    def test_where_no_cpu_is_known_the_process_is(self):
        self.assertEqual(
            {('guest.cpu.time', 'qemu'): 4.43}, self.standing_in(vcpus=())
        )
        self.assertEqual({}, self.standing_in(vcpus=(), cpu_time=None))
