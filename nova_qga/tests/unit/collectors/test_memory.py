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

"""Memory and swap, from /proc/meminfo of several kernels."""

from nova_qga.collectors import memory
from nova_qga.guest import figures
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases

#: In the form that kernels before 3.14 write, RHEL 6's among them.
OLD = b"""MemTotal:        1020128 kB
MemFree:          312340 kB
Buffers:           40212 kB
Cached:           402336 kB
SwapCached:         1024 kB
Active:           318712 kB
Inactive:         246880 kB
SwapTotal:       1048568 kB
SwapFree:        1040000 kB
Dirty:                16 kB
"""


class MemoryTest(cases.CollectorTestCase):
    collector = memory.MemoryCollector()
    path = '/proc/meminfo'

    def test_nothing_is_asked_where_any_command_for_files_is_blocked(self):
        for name in cases.FILES:
            with self.subTest(blocked=name):
                self.assertEqual([], self.asked({**cases.FILES, name: False}))

    def test_kibibytes_become_bytes(self):
        self.assertEqual(
            {
                ('guest.memory.total',): 475532 * 1024,
                ('guest.memory.free',): 428960 * 1024,
                ('guest.memory.available',): 425296 * 1024,
                ('guest.memory.used',): (475532 - 425296) * 1024,
                ('guest.memory.buffers',): 40 * 1024,
                ('guest.memory.cached',): 18492 * 1024,
                ('guest.swap.total',): 8188 * 1024,
                ('guest.swap.free',): 8188 * 1024,
                ('guest.swap.used',): 0,
            },
            self.recorded('debian-13'),
        )

    def test_every_recorded_kernel_tells_every_metric(self):
        for guest in recordings.GUESTS:
            with self.subTest(guest=guest):
                self.assertEqual(
                    {(metric.name,) for metric in self.collector.metrics},
                    set(self.recorded(guest)),
                )

    def test_an_old_kernel_has_available_what_is_free_and_cached(self):
        table = self.of_file(OLD)
        available = (312340 + 40212 + 402336) * 1024
        self.assertEqual(available, table['guest.memory.available',])
        self.assertEqual(
            1020128 * 1024 - available, table['guest.memory.used',]
        )

    def test_swap_that_is_not_free_is_used(self):
        table = self.of_file(OLD)
        used = (1048568 - 1040000) * 1024
        self.assertEqual(used, table['guest.swap.used',])
        table = self.of_file(OLD.replace(b'1040000', b'1048569'))
        self.assertNotIn(('guest.swap.used',), table)

    def test_what_cannot_be_added_up_is_left_out(self):
        table = self.of_file(OLD.replace(b'Buffers:', b'Puffers:'))
        self.assertEqual(
            {
                ('guest.memory.total',),
                ('guest.memory.free',),
                ('guest.memory.cached',),
                ('guest.swap.total',),
                ('guest.swap.free',),
                ('guest.swap.used',),
            },
            set(table),
        )

    def test_a_sum_that_no_reader_could_hold_is_left_out(self):
        huge = b'9999999999999999 kB'
        table = self.of_file(
            b'MemTotal: 5 kB\nMemFree: %b\nBuffers: %b\nCached: %b\n'
            % (huge, huge, huge)
        )
        self.assertNotIn(('guest.memory.available',), table)
        self.assertLess(max(table.values()), 1 << 64)

    def test_used_is_never_below_nothing(self):
        table = self.of_file(b'MemTotal: 5 kB\nMemAvailable: 6 kB\n')
        self.assertNotIn(('guest.memory.used',), table)

    def test_a_bad_line_costs_that_line_alone(self):
        good = self.of_file(OLD)
        for gone in ('cached', 'available', 'used'):
            del good[f'guest.memory.{gone}',]
        for bad in (
            b'402336 MB',
            b'402336 kBit',
            b'402336 k',
            b'-402336 kB',
            b'402336.0 kB',
            b'40_2336 kB',
            b'402336',
            b'99999999999999999 kB',  # 2**66 bytes
            b'9' * 100 + b' kB',
            b' kB',
            b'\xff\0 kB',
        ):
            with self.subTest(bad=bad[:20]):
                table = self.of_file(OLD.replace(b'402336 kB', bad))
                self.assertEqual(good, table)

    def test_a_number_that_is_cut_short_is_not_taken(self):
        end = OLD.index(b'40000 kB\nDirty')
        self.assertNotIn(('guest.swap.free',), self.of_file(OLD[:end]))

    def test_a_file_without_the_total_is_refused(self):
        for content in (b'', b'\n', OLD[1:], b' ' + OLD, b'\0' * 10**7):
            with self.subTest(content=content[:20]):
                self.assert_file_refused(content)

    def test_the_hypervisor_knows_what_the_balloon_driver_says(self):
        self.assertEqual(
            {
                ('guest.memory.total',): 157840 * 1024,
                ('guest.memory.free',): 116568 * 1024,
                ('guest.memory.available',): 122644 * 1024,
                ('guest.memory.used',): (157840 - 122644) * 1024,
                ('guest.memory.cached',): 12456 * 1024,
            },
            self.standing_in(),
        )

    def test_without_that_driver_it_knows_what_it_gives(self):
        nothing = figures.Memory(196608 * 1024, None, None, None, None)
        self.assertEqual(
            {('guest.memory.total',): 196608 * 1024},
            self.standing_in(memory=nothing),
        )
        nothing = nothing._replace(current=None)
        self.assertEqual({}, self.standing_in(memory=nothing))

    def test_a_driver_cannot_have_more_available_than_there_is(self):
        lie = figures.Memory(1 << 30, 1 << 29, 0, 1 << 31, 0)
        table = self.standing_in(memory=lie)
        self.assertNotIn(('guest.memory.used',), table)
