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

"""A guest that holds its filesystems for 10 s, as Windows does.

What it says is played, by tests/fixtures/windows_guest.py; the agent, the
broker and libvirt's API are real.
"""

import secrets
import unittest

import fixtures

from nova_qga import errors
from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import controller
from nova_qga.tests.fixtures import hostile_guest
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host
from nova_qga.tests.fixtures import windows_guest


def on_the_wire(reply):
    """Let a reply stand among those of a guest on a socket."""

    def make(arguments):
        value = reply(arguments)
        if isinstance(value, errors.CommandError):
            return hostile_guest.Refusal(windows_guest.REFUSAL)
        return value

    return make


class WindowsTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.windows = windows_guest.WindowsGuest()
        fake = self.useFixture(hostile_guest.HostileGuest(hostile_guest.good))
        replies = {
            name: on_the_wire(reply)
            for name, reply in self.windows.replies.items()
        }
        fake.replies |= replies
        fake.replies['guest-info'] = {
            'version': '110.0.2',
            'supported_commands': [
                {'name': name, 'enabled': True, 'success-response': True}
                for name in replies
            ],
        }
        self.guest = simulated_host.Simulated('instance-1', fake.path)
        host = self.useFixture(simulated_host.SimulatedHost(self.guest))
        broker = shared.broker()
        self.host = f'compute-{secrets.token_hex(4)}'
        self.listener = self.useFixture(notifications.Listener(broker.url))
        self.client = self.useFixture(controller.Controller(broker.url))
        self.useFixture(
            agent_program.AgentProgram(
                host.uri,
                broker.url,
                '[qga_monitor]\ncollectors =\n',
                host=self.host,
            )
        )

    def run_it(self, method, **arguments):
        request_id = f'{method}-{secrets.token_hex(4)}'
        ended = self.client.call(
            self.host,
            method,
            **known_host.request(
                request_id, instance_uuid=self.guest.uuid, **arguments
            ),
        )
        return request_id, ended

    def test_a_thaw_in_time_succeeds(self):
        _, frozen = self.run_it('freeze')
        self.assertEqual(2, frozen['result']['frozen'])
        _, thawed = self.run_it('thaw')
        self.assertEqual({'thawed': 2}, thawed['result'])

    def test_one_after_ten_seconds_fails(self):
        self.run_it('freeze')
        self.windows.late = True
        _, ended = self.run_it('thaw')
        self.assertEqual('failed', ended['state'])
        self.assertEqual('freeze_expired', ended['error']['reason'])

    def test_so_does_the_end_of_a_lease(self):
        self.windows.late = True
        request_id, _ = self.run_it('freeze', duration=1)
        told = self.listener.next(
            'instance.guest.thaw.error', request_id=f'{request_id}:thaw'
        )
        self.assertEqual('failed', told['state'])
        self.assertEqual('freeze_expired', told['error']['reason'])
