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

"""nova-qga --local: what a guest has, what it runs, and how it ends."""

import json
import pathlib

import fixtures
import libvirt

from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import shared

CONFIGURATION = """
[DEFAULT]
host = here
[qga_agent]
libvirt_uri = {uri}
[qga_operations]
policy_file = {policy}
allowed_commands = guest-get-host-name,guest-fstrim,guest-exec
"""
POLICY = '"qga:run_command": "rule:qga:admin"\n'


class GuestCommandTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.vm = shared.guest()
        self.folder = self.useFixture(process.ShortFolder()).path
        policy = self.folder / 'policy.yaml'
        policy.write_text(POLICY)
        self.cli = self.useFixture(
            cli_program.CliProgram(
                '--local',
                configuration=CONFIGURATION.format(
                    uri=self.vm.host.uri, policy=policy
                ),
            )
        )

    def test_a_command_that_is_allowed_is_run(self):
        named = self.cli.out(
            'run-command', self.vm.uuid, 'guest-get-host-name'
        )
        self.assertEqual({'host-name': 'testguest'}, json.loads(named))
        trimmed = self.cli.out(
            *('run-command', self.vm.uuid, 'guest-fstrim'),
            *('--arguments-file', '-'),
            stdin=b'{"minimum": 4096}',
        )
        self.assertEqual('/mnt', json.loads(trimmed)['paths'][0]['path'])

    def test_others_are_not(self):
        for name, code in (
            ('guest-get-time', 6),
            ('guest-exec', 2),
            ('ls', 2),
        ):
            with self.subTest(name=name):
                done = self.cli.run('run-command', self.vm.uuid, name)
                self.assertEqual(code, done.returncode, done)

    def test_what_the_guest_has_is_listed(self):
        for noun, column, wanted in (
            ('user', 'User', 'ubuntu'),
            ('interface', 'Name', 'eth0'),
            ('disk', 'Name', '/dev/vda'),
            ('filesystem', 'Mount Point', '/mnt'),
        ):
            with self.subTest(noun=noun):
                listed = self.cli.out(
                    *(noun, 'list', self.vm.uuid, '-f', 'json')
                )
                self.assertIn(
                    wanted, [row[column] for row in json.loads(listed)]
                )
        done = self.cli.run('device', 'list', self.vm.uuid)
        self.assertEqual(1, done.returncode, done)

    def test_a_file_gets_its_mode_and_owner(self):
        local = pathlib.Path(self.folder, 'local')
        local.write_text('secret')
        self.cli.out(
            *('file', 'put', self.vm.uuid, local, '/tmp/of-ubuntu'),
            *('--mode', '0640', '--owner', 'ubuntu:ubuntu', '--verify'),
        )
        self.assertEqual(
            '640 ubuntu ubuntu\n',
            self.vm.inspect("stat -c '%a %U %G' /tmp/of-ubuntu"),
        )


class PowerTest(fixtures.TestWithFixtures):
    def test_a_guest_is_shut_down(self):
        vm = self.useFixture(
            guest_vm.GuestVM(shared.host(), name='instance-0000000d')
        )
        cli = self.useFixture(cli_program.local(vm.host.uri))
        said = cli.out('guest', 'shutdown', vm.uuid)
        self.assertEqual(f'{vm.uuid} is off.\n', said)
        with vm.domain() as domain:
            self.assertEqual(libvirt.VIR_DOMAIN_SHUTOFF, domain.state()[0])
        done = cli.run('guest', 'shutdown', vm.uuid)
        self.assertEqual(3, done.returncode, done)
