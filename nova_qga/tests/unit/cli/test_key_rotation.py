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


"""key rotate: a fleet, some guests at a time, and where it stops."""

import json
import pathlib
import signal
import threading
import unittest

import fixtures

from nova_qga.cli import fleet
from nova_qga import errors
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

ONE = fake_api.UUID
OTHERS = [f'5a30e6de-ad6a-4f40-91a4-{number:012d}' for number in range(5)]


class RotateTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.api = fake_api.FakeApi()
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file = folder / 'new.pub'
        self.file.write_text(f'{fake_api.ED25519}\n')

    def run_it(self, *argv, stdin=''):
        return run_cli.run(
            'key', 'rotate', '--key-file', str(self.file), '-f', 'json', *argv,
            api=self.api, stdin=stdin,
        )  # fmt: skip

    def rows(self, ended):
        return json.loads(ended.out)

    def test_one_guest_says_what_was_done(self):
        ended = self.run_it(ONE)
        self.assertEqual(0, ended.code, ended.err)
        [row] = self.rows(ended)
        self.assertEqual(
            (1, 0, 2), (row['Added'], row['Present'], row['Removed'])
        )
        self.assertEqual(
            [(fake_api.HOST, ONE, 'root', [fake_api.ED25519])],
            self.api.rotated,
        )

    def test_many_come_from_standard_input_each_once(self):
        ended = self.run_it('-', ONE, stdin='\n'.join([*OTHERS, ONE, '']))
        self.assertEqual(0, ended.code, ended.err)
        self.assertEqual(
            [*OTHERS, ONE], [row['UUID'] for row in self.rows(ended)]
        )

    def test_it_stops_after_a_failure_and_says_what_was_not_begun(self):
        self.api.failures['rotate_ssh_keys'] = [
            None,
            fake_api.error('guest_unavailable', 'it is off'),
        ]
        ended = self.run_it(*OTHERS, '--at-once', '1')
        self.assertEqual(7, ended.code)
        self.assertEqual(
            [None, 'it is off', *['not begun'] * 3],
            [row['Error'] for row in self.rows(ended)],
        )

    def test_more_failures_may_be_allowed(self):
        self.api.failures['rotate_ssh_keys'] = [fake_api.error('x')] * 2
        ended = self.run_it(*OTHERS, '--at-once', '1', '--max-failures', '3')
        self.assertEqual(7, ended.code)
        self.assertEqual(5, len(self.api.rotated))

    def test_a_single_guest_that_fails_has_its_own_exit_code(self):
        self.api.failures['rotate_ssh_keys'] = [errors.OutcomeUnknown('lost')]
        ended = self.run_it(ONE)
        self.assertEqual(5, ended.code)
        self.assertEqual('lost', self.rows(ended)[0]['Error'])

    def test_wrong_numbers_and_no_key_are_refused(self):
        for argv in (('--at-once', '0'), ('--max-failures', 'x')):
            with self.subTest(argv=argv):
                self.assertEqual(2, self.run_it(ONE, *argv).code)
        ended = run_cli.run('key', 'rotate', ONE, api=self.api)
        self.assertEqual(2, ended.code)
        self.assertEqual([], self.api.rotated)


class FleetTest(unittest.TestCase):
    def test_no_more_are_worked_on_at_once_than_allowed(self):
        lock, active, most = threading.Lock(), 0, 0
        together = threading.Barrier(3)

        def work(target):
            nonlocal active, most
            with lock:
                active += 1
                most = max(most, active)
            together.wait(30)
            with lock:
                active -= 1
            return {'n': target}

        done = fleet.apply(list(range(9)), work, at_once=3, max_failures=1)
        self.assertEqual(3, most)
        self.assertEqual(list(range(9)), [each.result['n'] for each in done])

    def test_ctrl_c_begins_no_more_and_tells_what_was_done(self):
        interrupted = threading.Event()

        def work(target):
            if target == 1:
                main = threading.main_thread().ident
                signal.pthread_kill(main, signal.SIGINT)
                self.assertTrue(interrupted.wait(30))
            return {'n': target}

        def note(number, frame):
            interrupted.set()
            raise KeyboardInterrupt

        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(2))
        signal.signal(signal.SIGINT, note)
        done = fleet.apply(list(range(9)), work, at_once=1, max_failures=1)
        self.assertEqual([{'n': 0}, {'n': 1}], [d.result for d in done[:2]])
        self.assertEqual([None] * 7, [d.error for d in done[2:]])
        self.assertIn(fleet.Done(None, None), done)

    def test_a_fault_of_ours_is_raised(self):
        def work(target):
            raise ZeroDivisionError

        with self.assertRaises(ZeroDivisionError):
            fleet.apply([1], work, at_once=1, max_failures=1)
