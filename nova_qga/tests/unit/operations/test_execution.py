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

"""Programs in a guest: what is refused, what is waited for."""

import base64
import unittest

from nova_qga import errors
from nova_qga.operations import execution
from nova_qga.tests.fixtures import scripted_guest

RUNS = {'exited': False}
ENDED = {'exited': True, 'exitcode': 0}


class ExecuteTest(unittest.TestCase):
    def guest(self, *statuses, **more):
        return scripted_guest.ScriptedGuest(
            {
                'guest-exec': {'pid': 42},
                'guest-exec-status': scripted_guest.in_turn(*statuses),
            },
            **more,
        )

    def execute(self, guest, *command, timeout=30.0, **more):
        return execution.execute(
            guest, command=command or ['/bin/true'], timeout=timeout, **more
        )

    def test_it_is_asked_until_it_has_ended(self):
        guest = self.guest(RUNS, RUNS, {**ENDED, 'exitcode': 3})
        result = self.execute(guest)
        self.assertEqual((42, 3), (result['pid'], result['exit_code']))
        self.assertEqual(
            ['guest-exec'] + 3 * ['guest-exec-status'], guest.names
        )

    def test_one_that_does_not_end_in_time_is_unknown_and_named(self):
        with self.assertRaisesRegex(
            errors.OutcomeUnknown, 'process 42.*runs'
        ) as caught:
            self.execute(self.guest(RUNS), timeout=0.1)
        self.assertEqual(42, caught.exception.pid)

    def test_one_whose_end_cannot_be_read_is_unknown_and_named(self):
        for answer in (
            scripted_guest.refusal('PID 42 does not exist'),
            {'exited': 'yes'},
            errors.ChannelTimeout('too late'),
        ):
            with self.subTest(answer=answer):
                guest = self.guest(RUNS, answer)
                with self.assertRaisesRegex(
                    errors.OutcomeUnknown, 'started as process 42'
                ) as caught:
                    self.execute(guest)
                self.assertEqual(42, caught.exception.pid)

    def test_one_that_the_guest_does_not_start_has_failed(self):
        guest = self.guest(ENDED)
        guest.replies['guest-exec'] = scripted_guest.refusal('no such file')
        with self.assertRaisesRegex(errors.CommandError, 'no such file'):
            self.execute(guest)

    def test_words_that_repeat_what_it_was_given_are_left_out(self):
        guest = self.guest(ENDED)
        guest.replies['guest-exec'] = scripted_guest.refusal(
            'cannot start: S3cr3t-word'
        )
        for given in (
            {'data': b'S3cr3t-word\n'},
            {'environment': ['A=b', 'WORD=S3cr3t-word']},
        ):
            with self.assertRaises(errors.CommandError) as caught:
                self.execute(guest, **given)
            self.assertNotIn('S3cr3t', str(caught.exception))

    def test_none_is_started_whose_end_cannot_be_asked_for(self):
        guest = scripted_guest.ScriptedGuest(
            {'guest-exec': {'pid': 1}}, blocked=['guest-exec-status']
        )
        with self.assertRaises(errors.CommandUnsupported):
            self.execute(guest)
        self.assertEqual([], guest.names)

    def test_more_than_is_returned_is_cut_and_said(self):
        much = base64.b64encode(b'x' * (execution.MAX_OUTPUT + 1)).decode()
        result = self.execute(self.guest({**ENDED, 'out-data': much}))
        self.assertTrue(result['stdout_truncated'])
        self.assertFalse(result['stderr_truncated'])
        self.assertEqual(
            execution.MAX_OUTPUT, len(base64.b64decode(result['stdout']))
        )

    def test_what_no_program_can_be_given_is_refused(self):
        for command, environment in (
            ([], []),
            ([''], []),
            (['a\0b'], []),
            (['a', 'b\0'], []),
            (['a'], ['A']),
            (['a'], ['=1']),
            (['a'], ['1A=1']),
            (['a'], ['A=\0']),
        ):
            with self.subTest(command=command, environment=environment):
                guest = self.guest(ENDED)
                with self.assertRaises(errors.InvalidRequest):
                    execution.execute(
                        guest,
                        command=command,
                        environment=environment,
                        timeout=1,
                    )
                self.assertEqual([], guest.names)
