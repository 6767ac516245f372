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

"""All agents of a host asked at once: real qemu-ga, real libvirt API."""

import time
import unittest

import fixtures

from nova_qga.guest import host
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import simulated_host


class SurveyTest(fixtures.TestWithFixtures, unittest.TestCase):
    """Hung, closed and healthy agents on one host."""

    def setUp(self):
        super().setUp()
        self.agents = [self.useFixture(qemu_ga.QemuGa()) for _ in range(3)]
        self.guests = [
            simulated_host.Simulated(f'instance-0000000{n}', agent.socket)
            for n, agent in enumerate(self.agents)
        ]
        without = simulated_host.Simulated('instance-0000000f', None)
        simulated = self.useFixture(
            simulated_host.SimulatedHost(*self.guests, without)
        )
        self.host = host.Host(
            host.HostSettings(
                simulated.uri, 'org.qemu.guest_agent.1', sync_timeout=1.0
            )
        )
        self.host.start()
        self.addCleanup(self.host.stop)
        self.assertTrue(
            process.wait_until(
                lambda: len(self.host.directory.guests()) == 4, 30
            )
        )

    def survey(self, timeout=20.0):
        found = self.host.survey(timeout)
        return {each.guest.description.domain: each for each in found}

    def test_one_that_hangs_costs_the_others_nothing(self):
        self.agents[1].freeze()
        self.addCleanup(self.agents[1].unfreeze)
        found = self.survey()
        for number in (0, 2):
            well = found[f'instance-0000000{number}']
            self.assertEqual('direct', well.channel)
            self.assertIn('guest-info', well.info.commands)
        hung = found['instance-00000001']
        self.assertIsNone(hung.channel)
        self.assertEqual('channel_timeout', hung.fault.code)
        self.assertAlmostEqual(time.time(), hung.fault.since, delta=60)
        without = found['instance-0000000f']
        self.assertIsNone(without.fault)
        self.assertIsNone(without.channel)

    def test_what_is_not_known_in_time_is_said(self):
        for agent in self.agents:
            agent.freeze()
            self.addCleanup(agent.unfreeze)
        found = self.survey(timeout=0.2)
        self.assertEqual(
            {'not_asked'},
            {
                found[f'instance-0000000{number}'].fault.code
                for number in range(3)
            },
        )

    def test_one_that_answers_again_is_well_again(self):
        self.agents[0].freeze()
        self.assertIsNotNone(self.survey()['instance-00000000'].fault)
        self.agents[0].unfreeze()

        def well():
            return self.survey()['instance-00000000'].fault is None

        self.assertTrue(process.wait_until(well, 30))
