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

"""The keys of the real nova-qga-agent, as an operator meets them."""

import subprocess
import unittest

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import controller
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host

HOST = 'compute-1'


class KeysTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        broker = shared.broker()
        host = self.useFixture(simulated_host.SimulatedHost())
        self.program = self.useFixture(
            agent_program.AgentProgram(host.uri, broker.url)
        )
        self.api = self.useFixture(controller.Controller(broker.url)).api
        self.file = self.program.state_path / 'key_pairs.json'

    def key_id(self):
        return self.api.get_public_key(HOST)['result']['key_id']

    def rotate(self, *options):
        return subprocess.run(
            [str(agent_program.PROGRAM), *options, '--rotate-key'],
            capture_output=True,
            text=True,
        )

    def test_it_is_made_at_the_first_start_and_outlives_the_agent(self):
        self.assertEqual(0o600, self.file.stat().st_mode & 0o7777)
        made = self.key_id()
        self.program.stop()
        self.program.start()
        self.assertEqual(made, self.key_id())

    def test_an_agent_that_runs_notices_that_it_was_replaced(self):
        before = self.key_id()
        pid = self.program.pid
        printed = self.program.rotate_key()
        self.assertEqual(printed, self.key_id())
        self.assertNotEqual(before, printed)
        self.assertEqual(pid, self.program.pid)
        self.assertIn(before, self.file.read_text(), 'it is still accepted')

    def test_the_time_of_the_old_one_is_an_option(self):
        before = self.key_id()
        self.program.configure('[qga_operations]\nold_key_lifetime = 0\n')
        self.program.rotate_key()
        self.assertNotIn(before, self.file.read_text())

    def test_a_broken_file_is_said_to_be_and_all_else_goes_on(self):
        self.program.stop()
        self.file.write_text('{"key_pairs": [')
        self.program.start()
        self.assertIn(
            'cannot use its keys (it is broken)', self.program.logged()
        )
        answer = self.api.get_public_key(HOST)
        self.assertEqual('service_unavailable', answer['error']['code'])
        self.assertIn(str(self.file.parent), answer['error']['message'])
        self.assertEqual('succeeded', self.api.list_guests(HOST)['state'])
        with self.assertRaisesRegex(RuntimeError, 'no key was made.*broken'):
            self.program.rotate_key()
        self.file.unlink()
        self.assertTrue(self.key_id(), 'another is made at once')

    def test_a_folder_that_is_missing_is_not_made_nor_is_a_log(self):
        folder = self.program.folder
        (folder / 'other.conf').write_text(
            f'[DEFAULT]\nlog_file = {folder}/other.log\n'
            f'[qga_agent]\nstate_path = {folder}/missing\n'
        )
        done = self.rotate(f'--config-file={folder}/other.conf')
        self.assertEqual((1, ''), (done.returncode, done.stdout))
        self.assertIn('no key was made', done.stderr)
        self.assertIn('No such file', done.stderr)
        self.assertFalse((folder / 'missing').exists())
        self.assertFalse((folder / 'other.log').exists())
