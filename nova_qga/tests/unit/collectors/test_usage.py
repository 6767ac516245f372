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

"""Tests of what a guest uses, made of two samples."""

import unittest

from nova_qga.collectors import cpu
from nova_qga.collectors import disks
from nova_qga.collectors import filesystems
from nova_qga.collectors import memory
from nova_qga.collectors import network
from nova_qga.collectors import sample_set
from nova_qga.collectors import uptime
from nova_qga.collectors import usage
from nova_qga.tests.fixtures import busy_guest

RATES = (
    'cpu_time',
    'disk_read',
    'disk_write',
    'network_receive',
    'network_transmit',
)


def after(*rounds):
    """What is followed after these rounds of samples."""
    followed = None
    for samples in rounds:
        followed = usage.follow(followed, samples)
    return followed


class UsageTest(unittest.TestCase):
    def setUp(self):
        self.guest = busy_guest.BusyGuest()

    def used(self, *rounds):
        return after(*rounds).usage

    def assertNoRates(self, used):
        self.assertEqual(
            dict.fromkeys(RATES), {name: getattr(used, name) for name in RATES}
        )

    def test_two_samples_tell_all(self):
        used = self.used(self.guest.samples(60), self.guest.samples(120))
        self.assertAlmostEqual(0.5, used.cpu_time)
        self.assertAlmostEqual(2.0, used.cpu_capacity)
        self.assertEqual(0.5, used.load)
        self.assertEqual(1 << 30, used.memory_used)
        self.assertEqual(4 << 30, used.memory_total)
        self.assertEqual(('/var', 0.9), used.filesystem)
        self.assertAlmostEqual(1 << 20, used.disk_read)
        self.assertAlmostEqual(2 << 20, used.disk_write)
        self.assertAlmostEqual(1e4, used.network_receive)
        self.assertAlmostEqual(2e4, used.network_transmit)
        self.assertEqual('guest', used.source)
        self.assertEqual(busy_guest.START + 120, used.timestamp)

    def test_one_sample_tells_no_rate(self):
        used = self.used(self.guest.samples(60))
        self.assertNoRates(used)
        self.assertEqual(0.5, used.load)

    def test_another_boot_begins_anew(self):
        first = self.guest.samples(60)
        self.guest.boot_id = 'second'
        # Its counters have overtaken the old ones already.
        self.guest.pace = 10
        second = self.guest.samples(120)
        self.assertNoRates(self.used(first, second))
        third = self.guest.samples(180)
        self.assertAlmostEqual(
            10 << 20, self.used(first, second, third).disk_read
        )

    def test_a_boot_is_known_by_the_uptime_where_there_is_no_id(self):
        without = (uptime.BOOT_INFO,)
        first = self.guest.samples(60, without=without)
        self.guest.pace = 10
        booted = self.guest.samples(30, without=without)
        later = booted.parts[0]._replace(timestamp=busy_guest.START + 120)
        self.assertNoRates(self.used(first, booted._replace(parts=(later,))))

    def test_a_boot_during_a_silence_is_seen_after_it(self):
        first = self.guest.samples(60)
        silent = self.guest.samples(
            120, without=(uptime.BOOT_INFO, uptime.UPTIME)
        )
        self.guest.boot_id = 'second'
        self.guest.pace = 10
        self.assertNoRates(self.used(first, silent, self.guest.samples(180)))

    def test_counters_that_went_back_are_no_rate(self):
        first = self.guest.samples(120)
        self.guest.pace = 0.1
        used = self.used(first, self.guest.samples(180))
        self.assertNoRates(used)
        self.assertEqual('guest', used.source)

    def test_a_clock_that_went_back_is_no_rate(self):
        first, second = self.guest.samples(60), self.guest.samples(120)
        early = second.parts[0]._replace(timestamp=busy_guest.START)
        self.assertNoRates(self.used(first, second._replace(parts=(early,))))

    def test_another_source_begins_anew(self):
        rounds = [self.guest.samples(60), self.guest.hypervisor(120)]
        self.assertNoRates(self.used(*rounds))
        rounds.append(self.guest.hypervisor(180))
        used = self.used(*rounds)
        self.assertAlmostEqual(0.8, used.cpu_time)
        self.assertIsNone(used.cpu_capacity)
        self.assertAlmostEqual(500, used.network_receive)
        self.assertEqual('hypervisor', used.source)
        self.assertIsNone(used.memory_total)
        rounds.append(self.guest.samples(240))
        self.assertNoRates(self.used(*rounds))

    def test_all_of_qemu_stands_in_for_cpus_without_threads(self):
        rounds = [
            self.guest.hypervisor(s, busy_guest.mode('qemu', s * 0.5))
            for s in (60, 120)
        ]
        self.assertAlmostEqual(0.5, self.used(*rounds).cpu_time)

    def test_the_hypervisor_stands_in_for_what_the_guest_does_not_tell(self):
        def both(seconds):
            told = self.guest.samples(seconds, without=(cpu.CPU_TIME,))
            stood_in = self.guest.hypervisor(seconds)
            return self.guest.set(*stood_in.parts, *told.parts)

        used = self.used(both(60), both(120))
        self.assertEqual('both', used.source)
        self.assertAlmostEqual(0.8, used.cpu_time)
        # The guest's own go before.
        self.assertAlmostEqual(1e4, used.network_receive)

    def test_what_only_the_host_can_tell_is_no_source(self):
        told = self.guest.samples(60)
        up = self.guest.hypervisor(60, busy_guest.up())
        used = self.used(self.guest.set(*up.parts, *told.parts))
        self.assertEqual('guest', used.source)

    def test_what_is_missing_is_not_known(self):
        without = (
            memory.TOTAL,
            filesystems.USED,
            disks.READ_BYTES,
            network.TRANSMIT_BYTES,
        )
        used = self.used(
            *(self.guest.samples(s, without=without) for s in (60, 120))
        )
        for name in (
            'memory_used',
            'memory_total',
            'filesystem',
            'disk_read',
            'disk_write',
            'network_receive',
            'network_transmit',
        ):
            self.assertIsNone(getattr(used, name), name)
        self.assertAlmostEqual(0.5, used.cpu_time)

    def test_idle_time_that_was_taken_back_makes_it_no_more_than_busy(self):
        more = [busy_guest.mode('idle', 50.0)]
        without_idle = [
            s
            for s in self.guest.samples(120).samples
            if s.labels != ('mode', 'idle')
        ]
        part = sample_set.Part(
            'guest', busy_guest.START + 120, [*without_idle, *more]
        )
        used = self.used(self.guest.samples(60), self.guest.set(part))
        self.assertLess(0, used.cpu_time)
        self.assertEqual(used.cpu_capacity, used.cpu_time)

    def test_a_new_device_counts_from_its_second_sample_on(self):
        def more(seconds):
            return [*busy_guest.interface('eth1', 9e9 + seconds, 9e9)]

        rounds = [
            self.guest.samples(60),
            self.guest.samples(120, more=more(120)),
        ]
        self.assertAlmostEqual(1e4, self.used(*rounds).network_receive)
        rounds.append(self.guest.samples(180, more=more(180)))
        self.assertAlmostEqual(1e4 + 1, self.used(*rounds).network_receive)
        rounds.append(self.guest.samples(240))
        self.assertAlmostEqual(1e4, self.used(*rounds).network_receive)

    def test_traffic_is_counted_once(self):
        names = ('docker0', 'veth12ab', 'br-5e6f', 'bond0', 'eth0.100', 'wg0')

        def more(seconds):
            for name in names:
                yield from busy_guest.interface(name, 7e5 * seconds, 0)

        used = self.used(
            *(self.guest.samples(s, more=more(s)) for s in (60, 120))
        )
        self.assertAlmostEqual(1e4, used.network_receive)

    def test_a_mount_point_is_cut(self):
        more = [*busy_guest.filesystem('/' + 'x' * 200, 100, 99)]
        used = self.used(self.guest.samples(60, more=more))
        self.assertEqual(64, len(used.filesystem.mountpoint))


class SlowTest(unittest.TestCase):
    """Filesystems are asked more seldom than the rest."""

    def setUp(self):
        self.guest = busy_guest.BusyGuest()
        self.fast = [
            self.guest.samples(s, without=(filesystems.SIZE,))
            for s in (60, 120, 180)
        ]

    def slow(self, *samples):
        return self.guest.set(
            sample_set.Part('guest', busy_guest.START + 90, samples, slow=True)
        )

    def test_they_stand_until_they_are_asked_again(self):
        full = self.slow(*busy_guest.filesystem('/', 10, 5))
        fuller = self.slow(*busy_guest.filesystem('/', 10, 6))
        used = after(*self.fast[:2], full, self.fast[2]).usage
        self.assertEqual(('/', 0.5), used.filesystem)
        self.assertAlmostEqual(1 << 20, used.disk_read)
        self.assertEqual(busy_guest.START + 180, used.timestamp)
        used = after(*self.fast[:2], full, fuller).usage
        self.assertEqual(('/', 0.6), used.filesystem)
        self.assertAlmostEqual(1 << 20, used.disk_read)

    def test_they_are_forgotten_where_the_guest_tells_no_more(self):
        full = self.slow(*busy_guest.filesystem('/', 10, 5))
        for last in (
            self.slow(),
            self.fast[2]._replace(missing={'filesystems': 'it is blocked'}),
        ):
            used = after(*self.fast[:2], full, last).usage
            self.assertIsNone(used.filesystem)

    def test_they_are_of_one_boot(self):
        full = self.slow(*busy_guest.filesystem('/', 10, 5))
        self.guest.boot_id = 'second'
        booted = self.guest.samples(240, without=(filesystems.SIZE,))
        self.assertIsNone(after(self.fast[0], full, booted).usage.filesystem)

    def test_alone_they_say_nothing_yet(self):
        self.assertIsNone(after(self.slow()))
