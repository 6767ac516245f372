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

"""execute: what is sent, and what is shown of what comes back."""

import base64
import unittest

from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID


def result(out=b'', err=b'', exit_code=0, signal=None, **more):
    return {
        'pid': 42,
        'exit_code': exit_code,
        'signal': signal,
        'stdout': base64.b64encode(out).decode(),
        'stderr': base64.b64encode(err).decode(),
        'stdout_truncated': False,
        'stderr_truncated': False,
        **more,
    }


class ExecuteTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()
        self.api.results['execute'] = result()

    def run_it(self, *argv, **more):
        return run_cli.run('execute', UUID, *argv, api=self.api, **more)

    def test_what_stands_behind_the_dashes_is_the_command(self):
        ended = self.run_it('--env', 'A=1', '--', 'ls', '-l', '--host', 'x')
        self.assertEqual(0, ended.code, ended.err)
        [(method, arguments)] = self.api.asked
        self.assertEqual('execute', method)
        self.assertEqual(['ls', '-l', '--host', 'x'], arguments['command'])
        self.assertEqual(['A=1'], arguments['env'])

    def test_both_streams_come_out_as_they_are(self):
        self.api.results['execute'] = result(b'\0\xff out', b'err\n')
        ended = self.run_it('--', 'x')
        self.assertEqual(b'\0\xff out', ended.raw)
        self.assertEqual('err\n', ended.err)

    def test_standard_input_is_handed_on(self):
        self.run_it('--input', '-', '--', 'x', stdin=b'a\nb')
        [(_, arguments)] = self.api.asked
        self.assertEqual(b'a\nb', base64.b64decode(arguments['input']))

    def test_input_that_is_too_long_is_refused(self):
        ended = self.run_it('--input', '-', '--', 'x', stdin=bytes(1 << 21))
        self.assertEqual(2, ended.code)
        self.assertIn('file put', ended.err)
        self.assertEqual([], self.api.asked)

    def test_a_program_that_fails_is_a_failure_with_its_output(self):
        self.api.results['execute'] = result(b'out', exit_code=3)
        ended = self.run_it('--', 'x')
        self.assertEqual((1, 'out'), (ended.code, ended.out))
        self.assertIn('exit code 3', ended.err)

    def test_so_is_one_that_a_signal_ended(self):
        self.api.results['execute'] = result(exit_code=None, signal=9)
        ended = self.run_it('--', 'x')
        self.assertEqual(1, ended.code)
        self.assertIn('signal 9', ended.err)

    def test_output_that_was_cut_is_said(self):
        self.api.results['execute'] = result(
            b'out', b'err\n', stdout_truncated=True
        )
        ended = self.run_it('--', 'x')
        self.assertEqual((1, 'out'), (ended.code, ended.out))
        self.assertIn('its beginning', ended.err)
        self.assertTrue(ended.err.startswith('err\n'), 'the other one too')

    def test_without_a_command_it_says_so(self):
        self.assertEqual(2, self.run_it().code)
