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

"""nova-qga without --host: hosts looked up, then asked through RabbitMQ.

Everything but keystone and Nova is real; these are stand-ins that speak HTTP.
"""

import json
import os
import secrets

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import openstack_apis
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host

DOWN = '00000000-0000-4000-8000-000000000003'


class LookUpTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.apis = self.useFixture(openstack_apis.OpenStackApis())
        for name in [each for each in os.environ if each.startswith('OS_')]:
            self.useFixture(fixtures.EnvironmentVariable(name))
        for name, value in self.apis.environment.items():
            self.useFixture(fixtures.EnvironmentVariable(name, value))
        self.url = shared.broker().url
        self.cli = self.useFixture(cli_program.remote(None, self.url))

    def host_of(self, guest):
        """Run an agent whose host has that guest; return the host's name."""
        libvirt = self.useFixture(simulated_host.SimulatedHost(guest))
        name = f'compute-{secrets.token_hex(4)}'
        self.useFixture(
            agent_program.AgentProgram(libvirt.uri, self.url, host=name)
        )
        return name

    def test_servers_are_found_on_their_hosts_and_hosts_are_listed(self):
        ga = self.useFixture(qemu_ga.QemuGa())
        web = simulated_host.Simulated('instance-1', ga.socket)
        dark = simulated_host.Simulated('instance-2', None)
        first, second = self.host_of(web), self.host_of(dark)
        self.apis.servers = [
            openstack_apis.server(web.uuid, 'web', first),
            openstack_apis.server(dark.uuid, 'dark', second),
            openstack_apis.server(DOWN, 'down', 'down'),
        ]
        self.apis.services = [
            openstack_apis.service(first),
            openstack_apis.service(second),
            openstack_apis.service('gone'),
            openstack_apis.service('down', 'down'),
        ]
        for named in (web.uuid, 'web'):
            with self.subTest(named=named):
                said = self.cli.out('guest', 'ping', named, '-f', 'json')
                self.assertEqual(web.uuid, json.loads(said)['uuid'])
        done = self.cli.run('guest', 'ping', dark.uuid)
        self.assertEqual(3, done.returncode, done)
        self.assertIn(b'no guest-agent channel', done.stderr)
        self.list_all(web, first, dark, second)
        self.log_nothing(web)

    def list_all(self, web, first, dark, second):
        done = self.cli.run('guest', 'list', '-f', 'json')
        self.assertEqual(7, done.returncode, done)
        rows = {row['UUID']: row for row in json.loads(done.stdout)}
        self.assertEqual({web.uuid, dark.uuid}, set(rows))
        self.assertEqual(first, rows[web.uuid]['Host'])
        self.assertEqual(second, rows[dark.uuid]['Host'])
        said = done.stderr.decode()
        self.assertEqual(2, said.count('\n'), said)
        self.assertIn('No answer of gone: nova-qga-agent on gone', said)
        self.assertIn('No answer of down: nova-compute is down there', said)

    def log_nothing(self, web):
        done = self.cli.run('-v', '-v', '--debug', 'guest', 'ping', web.uuid)
        said = done.stdout + done.stderr
        self.assertIn(b'/compute/v2.1/servers/', said)
        for secret in (openstack_apis.PASSWORD, openstack_apis.TOKEN):
            self.assertNotIn(secret.encode(), said)

    def test_without_an_administrator_it_is_2_and_nothing_is_asked(self):
        del self.apis.servers[0]['OS-EXT-SRV-ATTR:host']
        done = self.cli.run('guest', 'ping', openstack_apis.SERVER)
        self.assertEqual(2, done.returncode, done)
        self.assertEqual(1, done.stderr.count(b'\n'), done.stderr)
        self.assertNotIn(openstack_apis.PASSWORD.encode(), done.stderr)
