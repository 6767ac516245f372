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

"""Which source tells what, of agents of three Debian releases.

The agents are real, and run on this machine with what RHEL blocks, or allows,
put on them by their own options.
"""

import unittest

import fixtures

from nova_qga.collectors import base
from nova_qga.tests.fixtures import debian_agents
from nova_qga.tests.fixtures import hostile_guest
from nova_qga.tests.fixtures import known_agents
from nova_qga.tests.fixtures import measured_guest
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import windows_guest

LISTS = {
    '': {},
    'block': {'block_rpcs': debian_agents.RHEL_BLOCKS},
    'allow': {'allow_rpcs': debian_agents.RHEL_ALLOWS},
}
#: Each command that a collector may ask, and what is lost with it alone.
LOSSES = {
    'guest-get-cpustats': {},
    'guest-get-diskstats': {},
    'guest-get-load': {},
    'guest-network-get-interfaces': {},
    'guest-get-fsinfo': {
        'filesystems': known_agents.UNKNOWN,
        'drives': known_agents.HYPERVISOR,
    },
    'guest-get-osinfo': {'system': known_agents.UNKNOWN},
    'guest-get-users': {'users': known_agents.UNKNOWN},
}


#: The test's machine need not have these.
MAY_LACK = {'users', 'partitions'}


class AgentsTest(fixtures.TestWithFixtures, unittest.TestCase):
    maxDiff = None
    lacking = None

    def assert_told(self, expected, told):
        """Compare, but for what this machine has not got."""
        if self.lacking is None:
            here = self.told('trixie')
            AgentsTest.lacking = {
                name for name in MAY_LACK if here[name] == known_agents.UNKNOWN
            }
        lacking = dict.fromkeys(self.lacking, known_agents.UNKNOWN)
        self.assertEqual({**expected, **lacking}, told)

    def told(self, release, **filters):
        binary = debian_agents.binary(release)
        with qemu_ga.QemuGa(binary=binary, **filters) as agent:
            # The second one reads the files that the first one has opened.
            samples = measured_guest.take(agent.socket, rounds=2)
        self.assertIn(
            debian_agents.RELEASES[release],
            [
                sample.labels[1].rpartition('.')[0]
                for sample in samples.samples
                if sample.metric.name == 'guest.agent.info'
            ],
        )
        return known_agents.sources(samples)

    def test_each_agent_with_each_list_of_rhel(self):
        for (release, rhel), expected in known_agents.DEBIAN.items():
            with self.subTest(release=release, list=rhel):
                told = self.told(release, **LISTS[rhel])
                self.assert_told(expected, told)

    def test_a_command_that_is_blocked_costs_what_it_alone_tells(self):
        for release in debian_agents.RELEASES:
            for name, lost in LOSSES.items():
                with self.subTest(release=release, blocked=name):
                    told = self.told(release, block_rpcs=[name])
                    expected = {**known_agents.ALL_OF_GUEST, **lost}
                    self.assert_told(expected, told)

    def test_one_command_of_files_that_is_blocked_costs_all_files(self):
        for release in debian_agents.RELEASES:
            expected = known_agents.DEBIAN[release, 'block']
            for name in base.FILE_COMMANDS:
                with self.subTest(release=release, blocked=name):
                    told = self.told(release, block_rpcs=[name])
                    self.assert_told(expected, told)

    def test_windows(self):
        guest = self.useFixture(hostile_guest.HostileGuest(hostile_guest.good))
        guest.replies = windows_guest.measured(hostile_guest.Refusal)
        told = known_agents.sources(measured_guest.take(guest.path, rounds=2))
        self.assertEqual(known_agents.WINDOWS, told)

    def test_windows_with_the_block_list_of_rhel(self):
        guest = self.useFixture(hostile_guest.HostileGuest(hostile_guest.good))
        guest.replies = windows_guest.measured(
            hostile_guest.Refusal, debian_agents.RHEL_BLOCKS
        )
        told = known_agents.sources(measured_guest.take(guest.path, rounds=2))
        self.assertEqual(known_agents.WINDOWS, told)
        self.assertNotIn('guest-file-open', guest.names())

    def test_no_agent(self):
        guest = self.useFixture(
            hostile_guest.HostileGuest(hostile_guest.silent)
        )
        told = known_agents.sources(measured_guest.take(guest.path))
        self.assertEqual(known_agents.NO_AGENT, told)
