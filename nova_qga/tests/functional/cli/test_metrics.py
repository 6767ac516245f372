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

"""metrics show of a real guest, also where its agent tells little or nothing.

Without the broker, and over a real agent and broker.
"""

import json
import secrets
import unittest

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import shared

BLOCKED = 'guest-file-open,guest-file-close,guest-file-read,guest-file-seek'


class LocalTest(fixtures.TestWithFixtures, unittest.TestCase):
    """On the compute host itself."""

    def setUp(self):
        super().setUp()
        self.vm = shared.guest_with_tap()
        self.cli = self.useFixture(self.command_line())

    def command_line(self):
        return cli_program.local(self.vm.host.uri)

    def show(self):
        """Name -> source, and what is said on standard error."""
        done = self.cli.run('metrics', 'show', self.vm.uuid, '-f', 'json')
        said = done.stderr.decode()
        self.assertEqual(0, done.returncode, said)
        rows = json.loads(done.stdout)
        return {row['Name']: row['Source'] for row in rows}, said

    def stop_agents(self):
        for number in (0, 1):
            self.addCleanup(self.vm.start_agent, number)
            self.vm.stop_agent(number)
        self.vm.wait_for_ports()

    def test_the_host_stands_in_for_an_agent_that_is_not_there(self):
        told, said = self.show()
        self.assertEqual('guest', told['guest.memory.total'])
        self.assertEqual('', said)
        self.stop_agents()
        told, said = self.show()
        self.assertEqual({'hypervisor'}, set(told.values()))
        self.assertLessEqual(
            {
                'guest.agent.up',
                'guest.cpu.time',
                'guest.memory.total',
                'guest.disk.read.bytes',
                'guest.network.transmit.bytes',
            },
            told.keys(),
        )
        [why, instead] = said.splitlines()
        self.assertIn('tells nothing of cpu, disks, filesystems,', why)
        self.assertIn('is qemu-guest-agent installed and running', why)
        self.assertIn('source hypervisor', instead)

    def test_of_one_that_blocks_files_it_says_what_to_allow(self):
        self.stop_agents()
        self.addCleanup(self.vm.stop_agent, 0)
        self.vm.start_agent(0, f'-b {BLOCKED}')
        self.vm.wait_for_ports(guest_vm.STANDARD)
        told, said = self.show()
        self.assertEqual('guest', told['guest.cpu.time'])
        self.assertEqual('hypervisor', told['guest.memory.total'])
        self.assertNotIn('guest.uptime', told)
        [why, _] = said.splitlines()
        self.assertIn('tells nothing of load, memory, uptime: ', why)
        self.assertIn('blocks guest-file-open, ', why)

    def test_a_guest_that_is_off_is_said_to_be(self):
        off = self.useFixture(
            guest_vm.GuestVM(
                self.vm.host, name='instance-00000ff0', boot=False
            )
        )
        done = self.cli.run('metrics', 'show', off.uuid)
        self.assertEqual(3, done.returncode)
        self.assertIn('is shutoff: start it', done.stderr.decode())


class RemoteTest(LocalTest):
    """From a controller."""

    def command_line(self):
        host, url = f'compute-{secrets.token_hex(4)}', shared.broker().url
        self.useFixture(
            agent_program.AgentProgram(
                self.vm.host.uri,
                url,
                '[qga_monitor]\npublishers =\n',
                host=host,
            )
        )
        return cli_program.remote(host, url)
