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
"""Every command that reads, asked of a real agent and read by its reader."""

import os
import re
import socket
import time
import unittest

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.protocol import decoding
from nova_qga.protocol import reading
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import wire

READERS = (
    commands.info,
    commands.get_osinfo,
    commands.get_host_name,
    commands.get_timezone,
    commands.get_users,
    commands.get_interfaces,
    commands.get_disks,
    commands.get_filesystems,
    commands.get_cpustats,
    commands.get_diskstats,
    commands.get_load,
    commands.freeze_status,
)


class _AgentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agent = cls.enterClassContext(qemu_ga.QemuGa())

    def setUp(self):
        super().setUp()
        self.client = self.enterContext(wire.Client(self.agent.socket))
        self.info = self.client.run(commands.info())

    def lists(self, name):
        """Whether the agent says that it has a command, and will run it."""
        return self.info.commands.get(name, False)


class EachCommandTest(_AgentTest):
    def test_each_is_read_or_refused_as_the_agent_says_beforehand(self):
        for build in READERS:
            asked = build()
            with self.subTest(asked.name):
                if self.lists(asked.name):
                    self.client.run(asked)
                else:
                    with self.assertRaises(errors.CommandUnsupported):
                        self.client.run(asked)

    def test_all_of_them_in_one_batch_give_the_same(self):
        batch = [build() for build in READERS]
        for asked, reply in zip(batch, self.client.sync(*batch), strict=True):
            with self.subTest(asked.name):
                if self.lists(asked.name):
                    asked.read(reply)
                else:
                    self.assertIsInstance(reply, errors.CommandUnsupported)


class ValueTest(_AgentTest):
    """What the agent says of this machine is what the machine says."""

    def test_the_version_is_a_version(self):
        self.assertRegex(self.info.version, r'^\d+\.\d+\.\d+')
        self.assertGreater(len(self.info.commands), 35)
        self.assertTrue(self.info.commands['guest-sync-delimited'])

    def test_the_system_is_this_one(self):
        told = self.client.run(commands.get_osinfo())
        self.assertEqual(os.uname().release, told.kernel_release)
        self.assertEqual(os.uname().machine, told.machine)
        self.assertEqual(
            socket.gethostname(), self.client.run(commands.get_host_name())
        )

    def test_the_time_zone_is_this_one(self):
        told = self.client.run(commands.get_timezone())
        self.assertEqual(time.localtime().tm_gmtoff, told.offset)

    def test_the_loopback_interface_has_its_address(self):
        [loopback] = [
            each
            for each in self.client.run(commands.get_interfaces())
            if each.name == 'lo'
        ]
        self.assertIn(('127.0.0.1', 'ipv4', 8), loopback.addresses)
        counters = dict(self.client.run(commands.get_interface_counters()))
        # What it sends, it receives.
        self.assertEqual(counters['lo'].rx_bytes, counters['lo'].tx_bytes)

    def test_every_cpu_is_there_and_idles_in_milliseconds(self):
        if not self.lists('guest-get-cpustats'):
            return
        told = self.client.run(commands.get_cpustats())
        with open('/proc/stat') as stat:
            lines = re.findall(r'^cpu(\d+) (.*)', stat.read(), re.MULTILINE)
        self.assertEqual(
            [int(number) for number, _ in lines], [each.cpu for each in told]
        )
        tick = 1000 // os.sysconf('SC_CLK_TCK')
        for cpu, (_, times) in zip(told, lines, strict=True):
            self.assertLessEqual(cpu.idle, int(times.split()[3]) * tick)
            self.assertGreater(cpu.idle + 60_000, int(times.split()[3]) * tick)

    def test_the_files_systems_have_sizes(self):
        for each in self.client.run(commands.get_filesystems()):
            with self.subTest(each.mountpoint):
                if each.total_bytes is not None:
                    self.assertLessEqual(each.used_bytes, each.total_bytes)

    def test_nothing_is_frozen(self):
        self.assertEqual('thawed', self.client.run(commands.freeze_status()))


class RouteTest(_AgentTest):
    def test_flags_past_63_bits_come_through_as_they_are(self):
        """An agent of 10.0 sends 18446744071564165121 for some routes."""
        asked = command.Command('guest-network-get-route', list, {}, False)
        if not self.lists(asked.name):
            with self.assertRaises(errors.CommandUnsupported):
                self.client.run(asked)
            return
        self.client.wire.send(asked.encode())
        line = self.client.wire.line()
        written = re.findall(rb'"flags": (\d+)', line)
        routes = decoding.decode(line)['return']
        self.assertTrue(routes)
        self.assertEqual(
            [int(flags) for flags in written],
            [reading.uint(route, 'flags') for route in routes],
        )
