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


"""Tests of requests that are held until their guest's agent is there."""

import pathlib
import threading
import unittest

import fixtures

from nova_qga import errors
from nova_qga.rpc import outcome
from nova_qga.rpc import runner
from nova_qga.tests.fixtures import known_host

KEY = (
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICijG/6/pWkqQrplBqqI/'
    'Mx1RIaxSzAc8+rt1wQYKLpK alice@example'
)


class HeldTest(unittest.TestCase):
    def setUp(self):
        self.ended = threading.Semaphore(0)
        self.host = known_host.KnownHost(wake=self.ended.release)
        self.host.failure = known_host.unavailable()

    def run_held(self, request_id='r1', seconds=600, **more):
        return self.host.run(
            'add_ssh_keys',
            request_id=request_id,
            seconds=seconds,
            wait_for_agent=True,
            username='root',
            keys=[KEY],
            **more,
        )

    def end(self):
        self.assertTrue(self.ended.acquire(timeout=30))

    def come_up(self):
        """Let the guest's agent come, and libvirt tell of a change."""
        self.host.failure = None
        self.host.directory.update(known_host.DESCRIPTION, 'running')

    def test_it_is_held_and_runs_when_the_agent_is_there(self):
        held = self.run_held()
        self.assertEqual('accepted', held.state)
        self.assertEqual([], self.host.told)
        self.come_up()
        self.end()
        [event] = self.host.told
        self.assertEqual('succeeded', event.payload['state'])
        again = self.run_held()
        self.assertEqual('succeeded', again.state)
        self.assertEqual({'added': 1, 'present': 0}, again.result)
        self.assertEqual(1, len(self.host.told))

    def test_who_asks_again_meanwhile_does_not_wait(self):
        self.run_held()
        self.assertEqual('accepted', self.run_held().state)
        self.come_up()
        self.end()

    def test_several_are_run_each_once(self):
        for request_id in ('r1', 'r2', 'r3'):
            self.run_held(request_id)
        self.come_up()
        for _ in range(3):
            self.end()
        ids = [event.payload['request_id'] for event in self.host.told]
        self.assertEqual(['r1', 'r2', 'r3'], sorted(ids))

    def test_one_that_expires_says_what_it_was_held_for(self):
        self.assertEqual('accepted', self.run_held(seconds=0.3).state)
        self.end()
        [event] = self.host.told
        self.assertEqual('expired', event.payload['state'])
        self.assertIn(
            'the guest is off: start it', event.payload['error']['message']
        )
        self.assertEqual([], self.host.agent_of.executed)

    def test_a_fault_of_ours_strands_no_other(self):
        end, faults = self.host.ledger.end, [KeyError('a fault')]

        def fail_once(*given):
            if faults:
                raise faults.pop()
            end(*given)

        self.host.ledger.end = fail_once
        self.run_held('r1', seconds=0.2)
        self.run_held('r2', seconds=1)
        with self.assertLogs('nova_qga.rpc.waiting', 'ERROR'):
            self.end()
        [event] = self.host.told
        self.assertEqual('r2', event.payload['request_id'])

    def test_one_that_does_not_ask_for_it_fails_at_once(self):
        failed = self.host.run('ping')
        self.assertEqual('failed', failed.state)

    def test_a_guest_that_is_not_here_is_not_waited_for(self):
        self.host.failure = None
        failed = self.run_held(
            instance_uuid='00000000-0000-4000-8000-000000000000'
        )
        self.assertEqual('guest_not_found', failed.error['code'])

    def test_one_whose_guest_leaves_ends(self):
        self.run_held()
        self.host.failure = errors.GuestNotFound('it is gone')
        self.host.directory.update(known_host.DESCRIPTION, 'running')
        self.end()
        [event] = self.host.told
        self.assertEqual('guest_not_found', event.payload['error']['code'])

    def test_what_is_only_read_is_answered_to_who_asks_again(self):
        def ask():
            return self.host.run('ping', seconds=600, wait_for_agent=True)

        self.assertEqual('accepted', ask().state)
        self.come_up()
        self.end()
        self.assertEqual({'seconds': 0.25}, ask().result)

    def test_no_more_are_held_than_allowed(self):
        most = runner.Settings.__dataclass_fields__[
            'max_waiting_per_guest'
        ].default
        for number in range(most):
            self.assertEqual('accepted', self.run_held(f'r{number}').state)
        refused = self.run_held('one-more')
        self.assertEqual('failed', refused.state)
        self.assertEqual('too_many_waiting', refused.error['reason'])
        self.assertIn('the guest is off', refused.error['message'])

    def test_what_only_looks_leaves_places_to_what_changes(self):
        def look(number):
            return self.host.run(
                'ping',
                request_id=f'look{number}',
                seconds=600,
                wait_for_agent=True,
            )

        most = runner.Settings.__dataclass_fields__[
            'max_waiting_per_guest'
        ].default
        for number in range(most // 2):
            self.assertEqual('accepted', look(number).state)
        refused = look(most)
        self.assertEqual('too_many_waiting', refused.error['reason'])
        self.assertIn(f'{most // 2} for this guest', refused.error['message'])
        self.assertEqual('accepted', self.run_held().state)

    def test_a_look_ends_when_the_first_one_expires(self):
        self.run_held(seconds=2)
        self.host.directory.update(known_host.DESCRIPTION, 'running')
        self.end()
        self.assertGreater(len(self.host.reached), 1)
        self.assertLessEqual(max(self.host.reached), 2)

    def test_one_that_was_held_at_a_crash_has_failed_and_did_nothing(self):
        self.run_held()
        other = known_host.KnownHost(self.host.journal)
        other.ledger.keep_up()
        [event] = other.told
        self.assertEqual('failed', event.payload['state'])
        self.assertIn('nothing of it', event.payload['error']['message'])

    def test_what_it_is_while_it_is_held_can_be_asked(self):
        self.run_held()
        asked = self.host.endpoint.get_operation(
            known_host.ADMIN, request_id='r1'
        )
        self.assertEqual('accepted', asked['result']['state'])
        self.assertIsNone(asked['result']['ended'])
        self.assertNotIn(outcome.ACCEPTED, outcome.STATES)


class RecentTest(fixtures.TestWithFixtures, unittest.TestCase):
    def test_the_output_of_a_program_is_told_again_to_who_asks_again(self):
        host = known_host.KnownHost(policy_file=self.allow())
        host.answer_with('guest-exec', {'pid': 7})
        host.answer_with(
            'guest-exec-status',
            {'exited': True, 'exitcode': 0, 'out-data': 'YWJj'},
        )
        first = host.run('execute', command=['/bin/x'])
        self.assertEqual('YWJj', first.result['stdout'])
        again = host.run('execute', command=['/bin/x'])
        self.assertEqual(first, again)
        self.assertEqual(1, host.agent_of.names.count('guest-exec'))

    def allow(self):
        folder = self.useFixture(fixtures.TempDir()).path
        file = pathlib.Path(folder) / 'policy.yaml'
        file.write_text('"qga:execute": "rule:qga:admin"\n')
        return file
