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

"""A real libvirtd that hangs: what it holds up, and what it does not."""

import os
import signal
import unittest

import fixtures

from nova_qga import errors
from nova_qga.guest import host
from nova_qga.protocol import commands
from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import controller
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import libvirtd
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import shared

PATIENCE = 60.0
HOST = 'compute-hangs'


class HangTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.libvirtd = self.useFixture(libvirtd.Libvirtd())
        file = self.libvirtd.root / 'run/libvirtd.pid'
        self.pid = int(file.read_text())

    def hang(self):
        os.kill(self.pid, signal.SIGSTOP)
        self.addCleanup(self.go_on)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def start_host(self, direct=guest_vm.DIRECT):
        started = host.Host(
            host.HostSettings(self.libvirtd.uri, direct, sync_timeout=3.0)
        )
        started.start()
        self.addCleanup(started.stop)
        return started

    def refuse(self, words, ask):
        with self.assertRaisesRegex(errors.ServiceUnavailable, words):
            ask()

    def wait_until_it_serves(self, ask):
        def served():
            try:
                ask()
            except errors.ServiceUnavailable:
                return False
            return True

        self.assertTrue(process.wait_until(served, PATIENCE))


class StartTest(HangTest):
    def test_a_host_starts_and_lists_its_guests_later(self):
        self.hang()
        started = self.start_host()
        self.refuse('it has not answered yet', started.guests)
        self.go_on()
        self.wait_until_it_serves(started.guests)

    def run_program(self):
        return self.useFixture(
            agent_program.AgentProgram(
                self.libvirtd.uri, shared.broker().url, host=HOST
            )
        )

    def test_the_program_starts_and_stops_all_the_same(self):
        self.hang()
        program = self.run_program()
        self.assertIn('it has not answered yet', program.logged())
        client = self.useFixture(controller.Controller(shared.broker().url))
        listed = client.api.list_guests(HOST)
        self.assertEqual('service_unavailable', listed['error']['code'])
        status, _ = program.stop()
        self.assertEqual(0, status)


class RunTest(HangTest):
    def test_requests_go_on_where_there_is_a_direct_channel(self):
        vm = self.useFixture(guest_vm.GuestVM(self.libvirtd))
        both, standard = self.start_host(), self.start_host(direct='')

        def ask(of):
            agent = of.agent(vm.uuid, PATIENCE)
            name = agent.execute(commands.get_host_name())
            self.assertEqual('testguest', name)
            return agent.channel_kind

        self.assertEqual('standard', ask(standard))
        self.hang()
        for _ in range(3):
            self.assertEqual('direct', ask(both))
        self.refuse('does not answer within', lambda: ask(standard))
        self.refuse('has stopped answering', lambda: ask(standard))
        # A second one waits for nothing.
        self.refuse('has stopped answering', both.guests)
        self.go_on()
        self.wait_until_it_serves(lambda: both.find(vm.uuid))
        self.wait_until_it_serves(lambda: ask(standard))
