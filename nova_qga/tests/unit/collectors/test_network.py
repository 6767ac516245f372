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

"""Traffic of interfaces, by either way of asking for it."""

from nova_qga.collectors import network
from nova_qga.collectors import rows
from nova_qga.guest import figures
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases

HEADER = b"""Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes
"""


def line(name, rx_bytes=1):
    return b'%s: %d 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n' % (name, rx_bytes)


def interface(name, **counters):
    names = ('bytes', 'packets', 'errs', 'dropped')
    keys = [f'{way}-{what}' for way in ('rx', 'tx') for what in names]
    statistics = dict(zip(keys, range(1, 9), strict=True))
    statistics |= {key.replace('_', '-'): n for key, n in counters.items()}
    return {'name': name, 'statistics': statistics}


class NetworkTest(cases.CollectorTestCase):
    collector = network.NetworkCollector()
    command = 'guest-network-get-interfaces'
    path = '/proc/net/dev'

    def devices(self, table):
        return list(dict.fromkeys(device for _, device in table))

    def test_files_are_read_where_the_command_is_blocked(self):
        self.assertEqual(
            [self.path], self.asked({**cases.FILES, self.command: False})
        )
        self.assertEqual(
            [self.command], self.asked({**cases.FILES, self.command: True})
        )

    def test_loopback_and_address_labels_are_left_out(self):
        for guest in recordings.GUESTS:
            with self.subTest(guest=guest):
                self.assertEqual(
                    {
                        ('guest.network.receive.bytes', 'eth0'): 468,
                        ('guest.network.receive.packets', 'eth0'): 5,
                        ('guest.network.receive.errors', 'eth0'): 0,
                        ('guest.network.receive.drops', 'eth0'): 0,
                        ('guest.network.transmit.bytes', 'eth0'): 938,
                        ('guest.network.transmit.packets', 'eth0'): 11,
                        ('guest.network.transmit.errors', 'eth0'): 0,
                        ('guest.network.transmit.drops', 'eth0'): 0,
                    },
                    self.recorded(guest),
                )

    def test_file_and_command_tell_the_same(self):
        for guest in recordings.GUESTS:
            with self.subTest(guest=guest):
                content = recordings.content(guest, self.path)
                self.assertEqual(self.recorded(guest), self.of_file(content))

    def test_every_counter_finds_its_metric(self):
        expected = {
            (metric.name, 'eth0'): number
            for number, metric in enumerate(self.collector.metrics, 1)
        }
        self.assertEqual(expected, self.of_reply([interface('eth0')]))
        self.assertEqual(expected, self.of_file(HEADER + line(b'  eth0')))

    def test_loopback_of_other_systems_is_left_out(self):
        names = ['lo0', 'Loopback Pseudo-Interface 1', 'Ethernet 2', 'lo1']
        table = self.of_reply([interface(name) for name in names])
        self.assertEqual(['Ethernet 2', 'lo1'], self.devices(table))

    def test_an_old_kernel_puts_no_blank_behind_the_colon(self):
        content = HEADER + line(b'    lo') + b'  eth0:1234 2 3 4 0 0 0 0'
        content += b' 5 6 7 8 0 0 0 0\n'
        table = self.of_file(content)
        self.assertEqual(['eth0'], self.devices(table))
        self.assertEqual(1234, table['guest.network.receive.bytes', 'eth0'])

    def test_a_name_may_hold_a_colon(self):
        table = self.of_file(HEADER + line(b'eth0:1') + line(b'eth0:'))
        self.assertEqual(['eth0:1', 'eth0:'], self.devices(table))

    def test_of_interfaces_with_one_name_the_first_counts(self):
        reply = [interface('eth0', rx_bytes=n) for n in (30, 40)]
        content = line(b'eth0', 30) + line(b'eth0', 40)
        for table in (self.of_reply(reply), self.of_file(content)):
            self.assertEqual(30, table['guest.network.receive.bytes', 'eth0'])
            self.assertEqual(8, len(table))

    def test_the_first_interfaces_are_measured_and_no_more(self):
        names = [f'veth{number}' for number in range(1000)]
        reply = [interface(name) for name in names]
        content = HEADER + b''.join(line(n.encode()) for n in names)
        for table in (self.of_reply(reply), self.of_file(content)):
            self.assertEqual(names[: rows.MAX_DEVICES], self.devices(table))

    def test_64_bits_are_read(self):
        table = self.of_file(line(b'eth0', 2**64 - 1))
        self.assertEqual(
            2**64 - 1, table['guest.network.receive.bytes', 'eth0']
        )

    def test_a_bad_line_costs_that_line_alone(self):
        for bad in (
            b'',
            b'eth1',
            b'eth1:',
            b'eth1: 1 2 3 4',
            b': 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0',
            b'eth1: -1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0',
            b'eth1: 1.5 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0',
            b'eth1: 0x1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0',
            b'eth1: %d 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0' % 2**64,
            b'eth1: ' + b'9' * 5000 + b' 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0',
            b'\0\xff' * 50,
        ):
            with self.subTest(bad=bad[:40]):
                content = line(b'eth0') + bad + b'\n' + line(b'eth2')
                table = self.of_file(content)
                self.assertEqual(['eth0', 'eth2'], self.devices(table))

    def test_a_line_that_is_cut_short_is_not_taken(self):
        whole = line(b'eth0') + line(b'eth1')
        end = len(whole) - len(b' 0 0 0 0\n')
        self.assertEqual(['eth0'], self.devices(self.of_file(whole[:end])))

    def test_a_name_cannot_reach_a_terminal(self):
        table = self.of_file(line(b'\x1b[2J\xff'))
        self.assertEqual(['\\x1b[2J\ufffd'], self.devices(table))

    def test_no_interface_is_no_error(self):
        self.assertEqual({}, self.of_file(HEADER))
        self.assertEqual({}, self.of_reply([]))

    def test_the_hypervisor_sees_the_guest_s_directions(self):
        self.assertEqual(
            {
                ('guest.network.receive.bytes', 'vnet0'): 656,
                ('guest.network.receive.packets', 'vnet0'): 8,
                ('guest.network.receive.errors', 'vnet0'): 0,
                ('guest.network.receive.drops', 'vnet0'): 0,
                ('guest.network.transmit.bytes', 'vnet0'): 782,
                ('guest.network.transmit.packets', 'vnet0'): 11,
                ('guest.network.transmit.errors', 'vnet0'): 0,
                ('guest.network.transmit.drops', 'vnet0'): 0,
            },
            self.standing_in(),
        )

    def test_an_interface_without_counters_is_left_out(self):
        bare = figures.Interface('vnet0', *[None] * 8)
        self.assertEqual({}, self.standing_in(interfaces=(bare,)))
