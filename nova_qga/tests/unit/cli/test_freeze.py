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

"""freeze, freeze show and thaw: what is sent, and what is shown."""

import json
import unittest

from nova_qga.cli import freeze_group
from nova_qga.cli import outcome
from nova_qga.cli import target
from nova_qga import errors
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID
OTHER = '00000000-0000-4000-8000-000000000003'
UNTIL = '2026-11-24T12:56:17.487+00:00'


class FreezeTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()
        self.api.results['freeze'] = {'frozen': 1, 'until': UNTIL}
        self.api.results['thaw'] = {'thawed': 1}

    def run_it(self, *argv, **more):
        return run_cli.run(*argv, api=self.api, **more)

    def rows(self, *argv):
        self.ended = self.run_it(*argv, '-f', 'json')
        return json.loads(self.ended.out)

    def asked(self):
        return [method for method, _ in self.api.asked]

    def test_a_guest_is_frozen(self):
        [row] = self.rows('freeze', UUID)
        self.assertEqual((1, UNTIL), (row['Filesystems'], row['Until']))
        self.run_it(
            *('freeze', UUID, '--for', '5'),
            *('--mount-point', '/', '--mount-point', '/var'),
        )
        self.assertEqual(
            [
                ('freeze', {'duration': 60, 'mountpoints': None}),
                ('freeze', {'duration': 5, 'mountpoints': ['/', '/var']}),
            ],
            self.api.asked,
        )

    def test_an_outcome_from_the_journal_has_no_end(self):
        del self.api.results['freeze']['until']
        [row] = self.rows('freeze', UUID)
        self.assertIsNone(row['Until'])

    def test_what_makes_no_sense_is_refused(self):
        for argv in (
            ('freeze',),
            ('freeze', UUID, OTHER),
            ('freeze', UUID, UUID, '--group'),
            ('freeze', UUID, '--for', '0'),
            ('freeze', UUID, '--for', '3601'),
            ('freeze', UUID, '--for', 'ever'),
        ):
            with self.subTest(argv=argv):
                self.assertEqual(2, self.run_it(*argv).code)
        self.assertEqual([], self.api.asked)

    def test_nothing_is_frozen_where_nobody_would_thaw_it(self):
        ended = self.run_it('freeze', UUID, host=('--local',))
        self.assertEqual(2, ended.code)
        self.assertIn('nova-qga-agent', ended.err)
        self.assertEqual(0, self.run_it('thaw', UUID, host=('--local',)).code)
        self.assertEqual(['thaw'], self.asked())

    def test_a_group_is_frozen(self):
        rows = self.rows('freeze', UUID, OTHER, '--group')
        self.assertEqual([UUID, OTHER], [row['UUID'] for row in rows])
        self.assertEqual(['freeze'] * 2, self.asked())

    def test_a_group_of_which_one_is_not_frozen_is_thawed(self):
        self.api.failures['freeze'] = [
            None,
            fake_api.error('guest_unavailable', 'the guest is off'),
        ]
        ended = self.run_it('freeze', UUID, OTHER, '--group')
        self.assertEqual(3, ended.code)
        self.assertIn(f'{OTHER} could not be frozen', ended.err)
        self.assertIn('1 of 1 was thawed again', ended.err)
        self.assertEqual(['freeze', 'freeze', 'thaw'], self.asked())

    def test_guests_are_thawed_each_for_itself(self):
        self.api.failures['thaw'] = [
            fake_api.error('operation_failed', 'it came too late'),
            None,
        ]
        rows = self.rows('thaw', UUID, OTHER)
        self.assertEqual(
            [(None, 'it came too late'), (1, None)],
            [(row['Filesystems'], row['Error']) for row in rows],
        )
        self.assertEqual(1, self.ended.code)

    def test_one_that_came_too_late_fails(self):
        self.api.failures['thaw'] = [
            fake_api.error('operation_failed', 'it came too late')
        ]
        ended = self.run_it('thaw', UUID)
        self.assertEqual(1, ended.code)
        self.assertIn('it came too late', ended.err)

    def test_the_state_is_shown(self):
        self.api.results['get_freeze'] = {
            'frozen': True,
            'until': UNTIL,
            'request_id': 'r1',
            'channels': [
                {'channel': 'standard', 'status': 'frozen', 'message': None},
                {'channel': 'direct', 'status': None, 'message': 'it hangs'},
            ],
        }
        self.assertEqual(
            {
                'uuid': UUID,
                'frozen': True,
                'until': UNTIL,
                'request_id': 'r1',
                'standard': 'frozen',
                'direct': 'unknown: it hangs',
            },
            self.rows('freeze', 'show', UUID),
        )
        self.api.results['get_freeze']['channels'] = []
        self.assertEqual('closed', self.rows('freeze', 'show', UUID)['direct'])


class GroupTest(unittest.TestCase):
    """All or none, with guests that are only noted."""

    def setUp(self):
        self.done = []
        self.failures = {}
        self.targets = [
            target.Target(None, 'compute-1', name) for name in 'abc'
        ]

    def step(self, verb, each):
        self.done.append(f'{verb} {each.instance}')
        failure = self.failures.get(self.done[-1])
        if failure is not None:
            raise failure
        return {'frozen': 1}

    def freeze(self, duration=60):
        return freeze_group.freeze(
            self.targets,
            lambda each: self.step('freeze', each),
            lambda each: self.step('thaw', each),
            duration,
        )

    def fail(self, code, **more):
        with self.assertRaises(outcome.Failure) as caught:
            self.freeze(**more)
        self.assertEqual(code, caught.exception.exit_code)
        return str(caught.exception)

    def test_all_are_frozen_in_their_order(self):
        self.assertEqual([{'frozen': 1}] * 3, self.freeze())
        self.assertEqual(['freeze a', 'freeze b', 'freeze c'], self.done)

    def test_where_one_is_not_those_before_it_are_thawed_in_reverse(self):
        self.failures['freeze c'] = outcome.Failure(
            'it is off', outcome.ExitCode.NO_GUEST
        )
        said = self.fail(outcome.ExitCode.NO_GUEST)
        self.assertEqual(
            ['freeze a', 'freeze b', 'freeze c', 'thaw b', 'thaw a'], self.done
        )
        self.assertIn('2 of 2 were thawed again', said)

    def test_one_of_which_it_is_not_known_is_thawed_too(self):
        self.failures['freeze b'] = errors.OutcomeUnknown('no answer came')
        self.fail(outcome.ExitCode.UNKNOWN)
        self.assertEqual(
            ['freeze a', 'freeze b', 'thaw b', 'thaw a'], self.done
        )

    def test_what_cannot_be_thawed_is_told(self):
        self.failures['freeze c'] = errors.OutcomeUnknown('no answer came')
        self.failures['thaw b'] = errors.ServiceUnavailable('no broker')
        said = self.fail(outcome.ExitCode.UNKNOWN)
        self.assertIn('2 of 3 were thawed again', said)
        self.assertIn('b: no broker', said)
        self.assertEqual('thaw a', self.done[-1])

    def test_where_it_took_too_long_all_are_thawed(self):
        said = self.fail(outcome.ExitCode.FAILED, duration=0)
        self.assertIn('a longer --for', said)
        self.assertIn('3 of 3 were thawed again', said)
        self.assertEqual(['thaw c', 'thaw b', 'thaw a'], self.done[3:])

    def test_one_alone_may_take_its_time(self):
        del self.targets[1:]
        self.assertEqual([{'frozen': 1}], self.freeze(duration=0))

    def test_ctrl_c_thaws_too(self):
        self.failures['freeze b'] = KeyboardInterrupt()
        with self.assertRaises(KeyboardInterrupt):
            self.freeze()
        self.assertEqual(['thaw b', 'thaw a'], self.done[2:])

    def test_the_first_one_that_fails_fails_as_it_is(self):
        self.failures['freeze a'] = errors.Denied('the policy forbids it')
        with self.assertRaises(errors.Denied):
            self.freeze()
        self.assertEqual(['freeze a'], self.done)
