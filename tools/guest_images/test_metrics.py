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

"""What is measured in a whole guest, by its own agent.

With what RHEL blocks, or allows, put on that agent besides.
"""

import unittest

from guest_images import machine
from nova_qga.tests.fixtures import debian_agents
from nova_qga.tests.fixtures import known_agents
from nova_qga.tests.fixtures import measured_guest

DIRECT = 'qemu-guest-agent-direct'
#: Agents tell counters of interfaces that have an address.
NETWORK = """
mkdir -p /run/systemd/network
cat >/run/systemd/network/test.network <<EOF
[Match]
Name=en* eth*
[Network]
Address=192.0.2.15/24
EOF
systemctl restart systemd-networkd
"""
#: Nobody is logged in, and the disk has no partitions.
LACKING = ('users', 'partitions')


class MetricsTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = machine.Machine('element')
        cls.addClassCleanup(cls.guest.cleanUp)
        cls.guest.setUp()
        if not cls.guest.answers(1, machine.BOOT):
            raise machine.Failed('agent 1 never answers')
        code = '. /etc/os-release; echo $VERSION_CODENAME'
        cls.release = cls.guest.run(code)
        cls.guest.run(NETWORK)
        if not cls.guest.becomes(
            'grep -q 192.0.2.15 /proc/net/fib_trie && echo yes', 'yes'
        ):
            raise machine.Failed('the guest gets no address')

    def samples(self):
        return measured_guest.take(self.guest.socket_of(1), rounds=2)

    def assert_told(self, rhel):
        known = known_agents.DEBIAN[self.release, rhel]
        lacking = dict.fromkeys(LACKING, known_agents.UNKNOWN)
        self.assertEqual(
            {**known, **lacking}, known_agents.sources(self.samples())
        )

    def filtered(self, option, names):
        """Have an agent with this option on the port, for the test's time."""
        self.guest.run(f'systemctl stop {DIRECT}; mkdir -p /run/filtered')
        self.addCleanup(self.guest.run, f'systemctl start {DIRECT}')
        self.guest.run(
            'systemd-run --unit=filtered /usr/sbin/qemu-ga -t /run/filtered'
            ' -f /run/filtered/pid -p /dev/virtio-ports/'
            f'{machine.PORT.format(1)} {option} {",".join(names)}'
        )
        self.addCleanup(self.guest.run, 'systemctl stop filtered')
        self.assertTrue(self.guest.answers(1))

    def test_all_is_told_by_the_guest(self):
        self.assert_told('')

    def test_with_rhels_block_list(self):
        self.filtered('-b', debian_agents.RHEL_BLOCKS)
        self.assert_told('block')

    def test_with_rhels_allow_list(self):
        if (self.release, 'allow') not in known_agents.DEBIAN:
            self.skipTest('this agent has no allow list')
        self.filtered('-a', debian_agents.RHEL_ALLOWS)
        self.assert_told('allow')

    def test_it_is_what_the_guest_says_to_others(self):
        told = {
            sample.metric.name: (sample.value, sample.labels)
            for sample in self.samples().samples
        }
        total = self.guest.run("sed -n 's/MemTotal: *//p' /proc/meminfo")
        self.assertEqual(
            int(total.removesuffix(' kB')) * 1024,
            told['guest.memory.total'][0],
        )
        size, blocks, free, available = map(
            int, self.guest.run("stat -f -c '%S %b %f %a' /").split()
        )
        self.assertEqual(
            size * (blocks - free + available),
            told['guest.filesystem.size'][0],
        )
        boot_id = self.guest.run('cat /proc/sys/kernel/random/boot_id')
        self.assertEqual(('boot_id', boot_id), told['guest.boot.info'][1])
        self.assertIn(self.guest.run('uname -r'), told['guest.os.info'][1])
        up = float(self.guest.run('cut -d " " -f 1 /proc/uptime'))
        self.assertLessEqual(told['guest.uptime'][0], up)
