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

"""The example package, installed beside nova-qga, and a real extended agent.

The agent runs on this machine, so what it says can be looked up here.
"""

import json
import os
import unittest

import fixtures

from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.fixtures import simulated_host
from nova_qga.tests.fixtures import wire
from nova_qga_statvfs import protocol

AGENT = os.environ['NOVA_QGA_EXTENDED_AGENT']


class StatvfsTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.extended = self.guest('extended', binary=AGENT)
        self.stock = self.guest('stock')
        host = self.useFixture(
            simulated_host.SimulatedHost(self.extended, self.stock)
        )
        self.cli = self.useFixture(cli_program.local(host.uri))

    def guest(self, name, **more):
        """A guest whose agent runs on this machine."""
        agent = self.useFixture(qemu_ga.QemuGa(**more))
        return simulated_host.Simulated(name, agent.socket)

    def stat(self, path, *words):
        return self.cli.out(
            *('filesystem', 'stat', self.extended.uuid, path), *words
        )

    def failed(self, code, guest, path):
        """What it says of a command that must end so."""
        done = self.cli.run('filesystem', 'stat', guest.uuid, path)
        self.assertEqual(code, done.returncode, done)
        return done.stderr.decode()

    def test_it_says_what_this_machine_says(self):
        # Nobody else writes into a file of its own.
        folder = self.useFixture(process.ShortFolder()).path
        told = json.loads(self.stat(folder, '-f', 'json'))
        known = os.statvfs(folder)
        self.assertEqual(self.extended.uuid, told['uuid'])
        self.assertEqual(known.f_frsize * known.f_blocks, told['size'])
        self.assertEqual(known.f_files or None, told['inodes'])
        self.assertEqual(told['size'], told['used'] + told['free'])

    def test_a_table_is_for_people(self):
        self.assertRegex(self.stat('/'), r'\| size +\| \d+\.\d [KMGTP]iB +\|')

    def test_what_the_guest_refuses_is_told_in_its_words(self):
        self.assertIn(
            "failed to statvfs '/nowhere': No such file or directory",
            self.failed(1, self.extended, '/nowhere'),
        )

    def test_a_path_that_is_not_absolute_is_refused_here(self):
        self.assertIn('must start with', self.failed(2, self.extended, 'etc'))

    def test_an_agent_of_the_distribution_has_no_such_command(self):
        self.assertIn('guest-get-statvfs', self.failed(1, self.stock, '/'))

    def test_coverage_tells_which_guests_have_it(self):
        found = {
            guest['UUID']: guest['Lost Operations']
            for guest in json.loads(
                self.cli.out('guest', 'coverage', '--long', '-f', 'json')
            )
        }
        self.assertNotIn('get_statvfs', found[self.extended.uuid])
        self.assertIn('get_statvfs', found[self.stock.uuid])

    def test_inodes_are_measured_of_its_filesystems_alone(self):
        told = self.filesystems(self.extended, 'inodes.total')
        self.assertTrue(told)
        for mountpoint, inodes in told.items():
            self.assertEqual(os.statvfs(mountpoint).f_files, inodes)
        self.assertEqual({}, self.filesystems(self.stock, 'inodes.total'))
        self.assertLessEqual(
            set(told), set(self.filesystems(self.stock, 'size'))
        )

    def filesystems(self, guest, what):
        """Mount point -> value, of one metric."""
        shown = self.cli.out('metrics', 'show', guest.uuid, '-f', 'json')
        return {
            row['Labels']['mountpoint']: row['Value']
            for row in json.loads(shown)
            if row['Name'] == f'guest.filesystem.{what}'
        }

    def test_what_was_recorded_of_it_has_what_it_says(self):
        asked = protocol.get_statvfs('/')
        with wire.Client(self.extended.socket) as client:
            [told] = client.sync(asked)
        recorded = recordings.reply('extended', asked.name)
        self.assertEqual(set(told), set(recorded))
        self.assertIn(asked.name, recordings.enabled('extended'))
