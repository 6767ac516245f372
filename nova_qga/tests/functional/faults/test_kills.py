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


"""Kills and restarts while requests come in, at random times.

The short form; ``tox -e faults`` runs the long one.
"""

import threading
import unittest

import fixtures

from nova_qga.tests.fixtures import fault_run


class KillsTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.run_ = self.useFixture(fault_run.FaultRun())

    def check(self, figures):
        faults = figures._asdict()
        for name in ('sent', 'kills', 'states'):
            del faults[name]
        self.assertEqual(dict.fromkeys(faults, 0), faults, figures)
        # Else there was little to lose.
        self.assertGreater(
            figures.states.get('succeeded', 0), figures.sent / 2, figures
        )

    def test_kills_of_the_agent_lose_no_request_and_double_none(self):
        stop = threading.Event()
        load = self.run_.call(stop, threads=6)
        for _ in range(4):
            self.run_.kill(longest=1.0)
        stop.set()
        self.check(self.run_.figures(load.join()))

    def test_nor_does_a_restart_of_the_broker(self):
        stop = threading.Event()
        load = self.run_.call(stop, threads=6)
        while not load:
            stop.wait(0.1)
        self.run_.broker.stop()
        self.run_.broker.start()
        before = len(load)
        while len(load) == before:
            stop.wait(0.1)
        stop.set()
        self.check(self.run_.figures(load.join()))
