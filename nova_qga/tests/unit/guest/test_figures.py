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


"""The hypervisor's figures, from statistics as libvirt gives them."""

import unittest

from nova_qga.guest import figures
from nova_qga.tests.fixtures import recordings

NOW = 1767225600.0
STATS = {
    'state.state': 1,
    'cpu.time': 12_500_000_000,
    'balloon.current': 262144,
    'balloon.available': 250000,
    'balloon.unused': 100000,
    'balloon.usable': 200000,
    'balloon.disk_caches': 50000,
    'balloon.last-update': int(NOW) - 7,
    'vcpu.current': 1,
    'vcpu.maximum': 2,
    'vcpu.0.time': 2_000_000_000,
    'vcpu.0.delay': 500_000_000,
    'net.count': 1,
    'net.0.name': 'tap1',
    'net.0.rx.bytes': 10,
    'net.0.rx.pkts': 1,
    'net.0.rx.errs': 0,
    'net.0.rx.drop': 2,
    'net.0.tx.bytes': 20,
    'block.count': 1,
    'block.0.name': 'vda',
    'block.0.rd.reqs': 3,
    'block.0.rd.bytes': 4096,
    'block.0.rd.times': 1_500_000_000,
    'block.0.capacity': 1 << 30,
    'block.0.allocation': 1 << 21,
    'block.0.physical': 1 << 20,
}


class FiguresTest(unittest.TestCase):
    def read(self, **changed):
        changed = {key.replace('__', '.'): v for key, v in changed.items()}
        return figures.read(STATS | changed, NOW)

    def test_times_are_seconds(self):
        found = self.read()
        self.assertEqual(NOW, found.timestamp)
        self.assertEqual(12.5, found.cpu_time)
        self.assertEqual((figures.Vcpu(0, 2.0, 0.5),), found.vcpus)

    def test_memory_is_bytes(self):
        self.assertEqual(
            figures.Memory(
                262144 << 10,
                250000 << 10,
                100000 << 10,
                200000 << 10,
                50000 << 10,
            ),
            self.read().memory,
        )

    def test_words_of_a_driver_that_are_old_do_not_count(self):
        for said in (0, int(NOW) - 3600, int(NOW) + 3600, -1, 'now'):
            with self.subTest(said=said):
                memory = figures.read(
                    STATS | {'balloon.last-update': said}, NOW
                ).memory
                self.assertEqual(262144 << 10, memory.current)
                self.assertEqual({None}, set(memory[1:]))

    def test_devices_have_what_is_known_of_them(self):
        [block] = self.read().blocks
        self.assertEqual(
            ('vda', 3, 4096, 1.5, None, None, None, 1 << 30, 1 << 20), block
        )
        [interface] = self.read().interfaces
        self.assertEqual(
            ('tap1', 10, 1, 0, 2, 20, None, None, None), interface
        )

    def test_an_empty_answer_has_nothing(self):
        found = figures.read({}, NOW)
        self.assertIsNone(found.cpu_time)
        self.assertEqual(((), (), ()), (found.vcpus, found.blocks, found[5]))
        self.assertEqual({None}, set(found.memory))

    def test_a_number_out_of_range_is_not_known(self):
        for wrong in (-1, 1 << 64, 1.5, True, 'x', None):
            with self.subTest(wrong=wrong):
                found = figures.read(
                    STATS
                    | {
                        'cpu.time': wrong,
                        'vcpu.0.time': wrong,
                        'balloon.usable': wrong,
                        'net.0.rx.bytes': wrong,
                        'block.count': wrong,
                    },
                    NOW,
                )
                self.assertIsNone(found.cpu_time)
                self.assertEqual((), found.vcpus)
                self.assertIsNone(found.memory.available)
                self.assertIsNone(found.interfaces[0].receive_bytes)
                self.assertEqual((), found.blocks)

    def test_kibibytes_past_64_bits_are_not_known(self):
        memory = self.read(balloon__usable=1 << 60).memory
        self.assertIsNone(memory.available)

    def test_a_device_without_a_name_is_left_out(self):
        for name in ('', None, 7):
            with self.subTest(name=name):
                found = self.read(net__0__name=name, block__0__name=name)
                self.assertEqual(((), ()), (found.blocks, found.interfaces))

    def test_of_a_real_guest_all_is_known(self):
        found = recordings.hypervisor_figures()
        self.assertEqual(4.43, found.cpu_time)
        self.assertEqual(
            (
                figures.Vcpu(0, 2.87, 0.101359221),
                figures.Vcpu(1, 1.12, 0.104061516),
            ),
            found.vcpus,
        )
        self.assertNotIn(None, found.memory)
        self.assertEqual(
            ['vda', 'hda', 'vnet0'],
            [each.name for each in found.blocks + found.interfaces],
        )
        for device in found.blocks + found.interfaces:
            self.assertNotIn(None, device)

    def test_not_even_libvirt_has_devices_without_end(self):
        names = {f'net.{number}.name': f'tap{number}' for number in range(999)}
        found = self.read(net__count=1 << 40, vcpu__maximum=1 << 40, **names)
        self.assertEqual(figures.MAX_DEVICES, len(found.interfaces))
