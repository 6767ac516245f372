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


"""The agent is killed at each step of a request.

In the middle of a guest command, and before its outcome is sent, are in
``functional/rpc/test_outbox.py``.
"""

import sqlite3
import threading
import unittest

import fixtures

from nova_qga.tests.fixtures import fault_run
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import process

HOST = fault_run.HOST


class StepsTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.run_ = self.useFixture(fault_run.FaultRun())
        self.agent = self.run_.agent

    def ask(self):
        """Ask by the API, on a thread; return what gives how it ended."""
        ended = []
        label = known_host.UUID

        def ask():
            outcome = self.run_.controller.api.change(
                HOST,
                'execute',
                self.run_.guest.uuid,
                **self.run_.arguments(label),
            )
            ended.append((label, outcome['request_id'], outcome['state']))

        asking = threading.Thread(target=ask)
        asking.start()

        def end():
            asking.join(120)
            return ended

        return end

    def check(self, figures):
        self.assertEqual(1, figures.sent)
        self.assertEqual([0] * 5, list(figures[3:]), figures)

    def wait_until(self, condition):
        self.assertTrue(process.wait_until(condition, 60))

    def requests(self):
        """States of the requests in the journal."""
        file = f'file:{self.agent.state_path / "journal.db"}?mode=ro'
        with sqlite3.connect(file, uri=True) as journal:
            rows = journal.execute(
                "SELECT state FROM requests WHERE operation = 'execute'"
            )
            return [state for (state,) in rows]

    def test_before_it_is_noted_it_is_asked_for_again_and_run_once(self):
        journal = sqlite3.connect(
            self.agent.state_path / 'journal.db', isolation_level=None
        )
        self.addCleanup(journal.close)
        journal.execute('BEGIN IMMEDIATE')
        end = self.ask()
        self.run_.wait_until_read()
        self.assertEqual([], self.requests())
        self.agent.kill()
        journal.execute('ROLLBACK')
        self.agent.start()
        figures = self.run_.figures(end())
        self.check(figures)
        self.assertEqual({'succeeded': 1}, figures.states)

    def test_noted_and_not_begun_it_has_failed_and_never_runs(self):
        self.run_.qga.stop()
        self.run_.controller.cast(
            HOST,
            'execute',
            **self.run_.request('held'),
            wait_for_agent=True,
        )
        self.wait_until(lambda: self.requests() == ['accepted'])
        self.agent.kill()
        self.agent.start()
        self.wait_until(lambda: self.requests() == ['failed'])
        self.run_.qga.start()
        figures = self.run_.figures([('held', 'held', 'failed')])
        self.check(figures)

    def test_held_it_runs_when_the_guests_agent_comes(self):
        self.run_.qga.stop()
        self.run_.controller.cast(
            HOST,
            'execute',
            **self.run_.request('held'),
            wait_for_agent=True,
        )
        self.wait_until(lambda: self.requests() == ['accepted'])
        self.run_.qga.start()
        self.wait_until(lambda: self.requests() == ['succeeded'])
        self.check(self.run_.figures([('held', 'held', 'succeeded')]))

    def test_begun_it_is_unknown_and_told_so(self):
        self.run_.controller.api.ping(HOST, self.run_.guest.uuid)
        self.run_.qga.freeze()
        self.addCleanup(self.run_.qga.unfreeze)
        end = self.ask()
        self.wait_until(lambda: self.requests() == ['running'])
        self.agent.kill()
        self.run_.qga.unfreeze()
        self.agent.start()
        figures = self.run_.figures(end())
        self.check(figures)
        self.assertEqual({'unknown': 1}, figures.states)
