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

"""The example package, installed for the real programs.

A guest answers what a real extended agent was recorded to; that agent itself
is tried by tools/extended_agent/run.sh.
"""

import json

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import example
from nova_qga.tests.fixtures import hostile_guest
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host

HOST = 'compute-extended'


@example.needs_it
class ExtendedAgentTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.useFixture(example.Installed())
        self.extended = self.guest('extended')
        self.stock = self.guest('debian-12')
        self.host = self.useFixture(
            simulated_host.SimulatedHost(self.extended, self.stock)
        )

    def guest(self, recorded):
        """A guest that answers what was recorded of an agent."""
        guest = self.useFixture(hostile_guest.HostileGuest(hostile_guest.good))
        guest.replies['guest-info'] = recordings.reply(recorded, 'guest-info')
        guest.replies['guest-get-statvfs'] = recordings.reply(
            'extended', 'guest-get-statvfs'
        )
        return simulated_host.Simulated(recorded, guest.path)

    def test_a_guest_is_asked_on_its_host(self):
        cli = self.useFixture(cli_program.local(self.host.uri))
        asked = ('filesystem', 'stat', self.extended.uuid, '/')
        self.assertEqual(
            {
                'uuid': self.extended.uuid,
                'path': '/',
                'size': 270553174016,
                'used': 36629049344,
                'free': 233924124672,
                'available': 72315244544,
                'inodes': 16777216,
                'inodes_free': 15903136,
                'inodes_available': 15903136,
            },
            json.loads(cli.out(*asked, '-f', 'json')),
        )
        self.assertRegex(cli.out(*asked), r'size +\| 252.0 GiB +\|')
        stock = cli.run('filesystem', 'stat', self.stock.uuid, '/')
        self.assertEqual(1, stock.returncode, stock)
        self.assertIn(b'guest-get-statvfs', stock.stderr)
        rows = json.loads(cli.out('guest', 'coverage', '--long', '-f', 'json'))
        lost = {row['UUID']: row['Lost Operations'] for row in rows}
        self.assertNotIn('get_statvfs', lost[self.extended.uuid])
        self.assertIn('get_statvfs', lost[self.stock.uuid])

    def test_a_guest_is_asked_over_the_broker(self):
        url = shared.broker().url
        listener = self.useFixture(notifications.Listener(url))
        self.useFixture(
            agent_program.AgentProgram(self.host.uri, url, host=HOST)
        )
        cli = self.useFixture(cli_program.remote(HOST, url))
        told = cli.out(
            *('filesystem', 'stat', self.extended.uuid, '/'),
            *('-f', 'value', '-c', 'size'),
        )
        self.assertEqual('270553174016\n', told)
        heard = listener.next('instance.guest.get_statvfs.end')
        self.assertEqual(self.extended.uuid, heard['instance_id'])
