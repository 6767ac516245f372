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

"""Programs that really run in the guest."""

import base64

from nova_qga import errors
from nova_qga.operations import execution
from nova_qga.tests.functional.operations import base


class ExecuteTest(base.OperationTest):
    def execute(self, *command, timeout=60.0, **more):
        return execution.execute(
            self.agent(), command=command, timeout=timeout, **more
        )

    def sh(self, script, **more):
        return self.execute('/bin/sh', '-c', script, **more)

    def streams(self, result):
        return tuple(
            base64.b64decode(result[name]) for name in ('stdout', 'stderr')
        )

    def test_exit_code_and_both_streams_come_back(self):
        result = self.sh('echo out; echo err >&2; exit 3')
        self.assertEqual((3, None), (result['exit_code'], result['signal']))
        self.assertEqual((b'out\n', b'err\n'), self.streams(result))

    def test_arguments_are_no_shell_words(self):
        path = f'/tmp/never-{self.number}'
        result = self.execute('/bin/echo', f'$(touch {path})', '; ls', '*')
        self.assertEqual(
            f'$(touch {path}) ; ls *\n'.encode(), self.streams(result)[0]
        )
        there = self.vm.inspect(f'ls {path} || echo none')
        self.assertIn('none', there)

    def test_input_and_environment_reach_it(self):
        result = self.sh(
            'cat; echo "$GREETING"',
            data=bytes(range(256)),
            environment=['GREETING=good day'],
        )
        self.assertEqual(
            bytes(range(256)) + b'good day\n', self.streams(result)[0]
        )

    def test_a_signal_that_ended_it_is_told(self):
        result = self.sh('kill -9 $$')
        self.assertEqual((None, 9), (result['exit_code'], result['signal']))

    def test_a_program_that_is_not_there_has_failed(self):
        with self.assertRaises(errors.CommandError):
            self.execute('/no/such/program')

    def test_one_that_takes_too_long_runs_on_and_is_named(self):
        with self.assertRaises(errors.OutcomeUnknown) as caught:
            self.execute('/bin/sleep', '987', timeout=1.0)
        [pid] = [
            word.rstrip(' ')
            for word in str(caught.exception).split()
            if word.isdigit()
        ]
        self.assertIn('987', self.vm.inspect(f'cat /proc/{pid}/cmdline'))
        self.vm.inspect(f'kill {pid}')

    def test_output_that_is_not_wanted_is_not_kept(self):
        result = self.sh('echo out', capture=False)
        self.assertEqual((b'', b''), self.streams(result))


class DirectTest(ExecuteTest):
    number = 1

    def test_output_that_is_too_much_to_fetch_is_said(self):
        """Over the standard channel libvirt could not go on afterwards."""
        with self.assertRaisesRegex(errors.OutcomeUnknown, 'process'):
            self.sh('head -c 12000000 /dev/zero')
        self.assertEqual(0, self.sh('true')['exit_code'])
