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


"""A real agent samples the guests that it may, and no others."""

import collections
import dataclasses
import json
import pathlib
import unittest

import fixtures

from nova_qga.nova_extension import monitoring
from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import guest_xml
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host

NOTE = (
    f"<qga:instance xmlns:qga='{monitoring.NAMESPACE}'>"
    '<qga:monitoring>no</qga:monitoring></qga:instance></metadata>'
)
#: Rounds of one guest within which another would have had one too.
ROUNDS = 3


class Refusing(guest_xml.Owner):
    """An owner whose image or flavor says no."""

    def xml(self, memory, vcpus):
        return super().xml(memory, vcpus).replace('</metadata>', NOTE)


class MonitoredTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file = folder / 'samples'
        owner = guest_xml.Owner()
        self.web, self.db, self.quiet = (
            self.guest(number, owner)
            for number, owner in enumerate(
                (
                    owner,
                    dataclasses.replace(owner, project_uuid='5' * 32),
                    Refusing(),
                )
            )
        )
        host = self.useFixture(
            simulated_host.SimulatedHost(self.web, self.db, self.quiet)
        )
        self.program = self.useFixture(
            agent_program.AgentProgram(
                host.uri, shared.broker().url, self.options()
            )
        )

    def guest(self, number, owner):
        agent = self.useFixture(qemu_ga.QemuGa())
        return simulated_host.Simulated(
            f'instance-0000000{number}', agent.socket, owner=owner
        )

    def options(self, *lines):
        return '\n'.join(
            (
                '[qga_jsonl]',
                f'path = {self.file}',
                '[qga_monitor]',
                'interval = 1',
                'collectors = uptime',
                'publishers = jsonl',
                *lines,
                '',
            )
        )

    def reload(self, *lines):
        known = len(self.program.logged())
        self.program.reload(self.options(*lines))
        self.assertTrue(
            process.wait_until(
                lambda: 'sampling every' in self.program.logged()[known:], 30
            )
        )

    def rounds(self, since):
        """How often each guest was sampled after so many lines."""
        lines = self.file.read_text().splitlines()[since:]
        return collections.Counter(
            json.loads(line)['instance_id'] for line in lines
        )

    def lines(self):
        return len(self.file.read_text().splitlines())

    def wait_for(self, *guests):
        """Wait until these were sampled a few times from now on.

        :returns: whoever was, from some time after the beginning on
        """
        since = self.lines() if self.file.exists() else 0
        for _ in range(2):  # the first time, what was under way may end
            sampled = process.wait_until(
                lambda since=since: (
                    self.file.exists()
                    and all(
                        self.rounds(since)[each.uuid] >= ROUNDS
                        for each in guests
                    )
                ),
                60,
            )
            self.assertTrue(sampled, self.program.logged()[-2000:])
            found, since = self.rounds(since), self.lines()
        return set(found)

    def test_those_are_left_out_that_metadata_and_options_name(self):
        web, db = self.web.uuid, self.db.uuid
        self.assertEqual({web, db}, self.wait_for(self.web, self.db))
        self.reload(f'excluded_instances = {web}')
        self.assertEqual({db}, self.wait_for(self.db))
        self.reload(f'excluded_projects = {self.db.owner.project_uuid}')
        self.assertEqual({web}, self.wait_for(self.web))
        self.reload()
        self.assertEqual({web, db}, self.wait_for(self.web, self.db))

    def test_a_project_has_a_period_of_its_own(self):
        # No burst is left over: in a period of a second there is none.
        self.reload(f'project_intervals = {self.db.owner.project_uuid}: 86400')
        self.assertEqual({self.web.uuid}, self.wait_for(self.web))
        self.reload(f'project_intervals = {self.db.owner.project_uuid}: 1.5')
        self.assertEqual(
            {self.web.uuid, self.db.uuid}, self.wait_for(self.web, self.db)
        )

    def test_a_bad_period_leaves_all_as_it_was(self):
        known = len(self.program.logged())
        self.program.reload(
            self.options(
                'project_intervals = p:0',
                f'excluded_instances = {self.web.uuid}',
            )
        )
        self.assertTrue(
            process.wait_until(
                lambda: 'stays as it was' in self.program.logged()[known:], 30
            )
        )
        self.assertIn("has '0' for project p", self.program.logged()[known:])
        self.assertEqual(
            {self.web.uuid, self.db.uuid}, self.wait_for(self.web, self.db)
        )
