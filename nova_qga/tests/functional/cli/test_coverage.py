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

"""nova-qga guest coverage over a real agent, libvirtd and guests."""

import json
import secrets

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import shared

#: As RHEL does; it takes writing and reading files away.
BLOCKED = 'guest-exec,guest-file-open,guest-file-write'


class CoverageTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.vm = shared.guest()
        self.name = f'compute-{secrets.token_hex(4)}'
        url = shared.broker().url
        self.useFixture(
            agent_program.AgentProgram(self.vm.host.uri, url, host=self.name)
        )
        self.cli = self.useFixture(cli_program.remote(self.name, url))
        self.addCleanup(self.vm.wait_for_agents)

    def covered(self, uuid=None):
        said = self.cli.out('guest', 'coverage', '--long', '-f', 'json')
        return {row['UUID']: row for row in json.loads(said)}[
            uuid or self.vm.uuid
        ]

    def other_guest(self, **options):
        return self.useFixture(
            guest_vm.GuestVM(self.vm.host, boot=False, **options)
        )

    def test_each_guest_is_told_with_why_it_is_dark(self):
        off = self.other_guest(name='instance-0000c0ff')
        bare = self.other_guest(name='instance-0000baee', channels=[])
        bare.start()
        well = self.covered()
        self.assertEqual('direct,standard', well['Channel'])
        self.assertEqual('ok', well['Status'])
        self.assertIs(True, well['Agent'])
        self.assertRegex(well['Version'], r'^\d')
        self.assertIsNone(well['Reason'])
        self.assertEqual('shutoff', self.covered(off.uuid)['Reason'])
        found = self.covered(bare.uuid)
        self.assertEqual(('none', 'no_channel'), two(found))
        self.assertIn('channel attach', found['Message'])
        said = self.cli.out(
            *('guest', 'coverage', '--totals', 'host', '-f', 'json')
        )
        [row] = json.loads(said)
        self.assertEqual(self.name, row['Host'])
        self.assertLessEqual({'shutoff', 'no_channel'}, set(row['Reasons']))
        dark = self.cli.out('guest', 'coverage', '--dark', '-f', 'value')
        self.assertNotIn(self.vm.uuid, dark)
        self.assertIn(bare.uuid, dark)

    def test_a_guest_whose_agent_changes_is_told_as_it_is_now(self):
        self.assertEqual('ok', self.covered()['Status'])
        self.addCleanup(self.vm.start_agent, 1)
        self.vm.stop_agent(1)
        self.vm.stop_agent(0)
        self.vm.wait_for_ports()
        found = self.covered()
        self.assertEqual('not_opened', found['Reason'])
        self.assertIs(False, found['Agent'])
        self.assertIsNone(found['Version'])
        self.vm.start_agent(0, f'-b {BLOCKED}')
        self.addCleanup(self.vm.start_agent, 0)
        self.addCleanup(self.vm.stop_agent, 0)
        self.vm.wait_for_ports(guest_vm.STANDARD)
        found = self.covered()
        self.assertEqual('limited', found['Status'])
        self.assertEqual('blocked', found['Reason'])
        # It has some that its system cannot do, and calls them so too.
        self.assertLessEqual(
            set(BLOCKED.split(',')), set(found['Blocked Commands'])
        )
        self.assertEqual(['read_file', 'write_file'], found['Lost Operations'])

    def test_a_guest_that_is_frozen_or_paused_is_dark_until_it_is_not(self):
        self.addCleanup(self.vm.start_agent, 1)
        self.vm.stop_agent(1)
        self.vm.wait_for_ports(guest_vm.STANDARD)
        self.assertEqual('ok', self.covered()['Status'])
        with self.vm.domain() as domain:
            domain.fsFreeze()
            try:
                found = self.covered()
            finally:
                domain.fsThaw()
        self.assertEqual('frozen', found['Reason'])
        self.assertIs(True, found['Agent'])
        self.vm.suspend()
        try:
            found = self.covered()
        finally:
            self.vm.resume()
        self.assertEqual('paused', found['Reason'])
        self.assertEqual('ok', self.covered()['Status'])


def two(row):
    return row['Channel'], row['Reason']
