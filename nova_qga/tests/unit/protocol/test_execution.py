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

"""guest-exec and guest-exec-status: what is sent, what is read."""

import base64
import unittest

from nova_qga import errors
from nova_qga.protocol import execution


class CommandTest(unittest.TestCase):
    def test_only_what_is_given_is_sent(self):
        command = execution.execute('/bin/true', [])
        self.assertEqual(
            {'path': '/bin/true', 'capture-output': True}, command.arguments
        )
        command = execution.execute(
            'sh', ['-c', 'x'], environment=['A=1'], data=b'in', capture=False
        )
        self.assertEqual(
            {
                'path': 'sh',
                'arg': ['-c', 'x'],
                'env': ['A=1'],
                'input-data': base64.b64encode(b'in').decode(),
                'capture-output': False,
            },
            command.arguments,
        )

    def test_both_have_an_effect(self):
        self.assertTrue(execution.execute('x', []).has_effect)
        self.assertTrue(execution.get_status(1).has_effect)

    def test_the_process_id_is_read(self):
        read = execution.execute('x', []).read
        self.assertEqual(7, read({'pid': 7}))
        for reply in ({}, {'pid': '7'}, {'pid': -1}, {'pid': True}, 7):
            with self.subTest(reply=reply):
                with self.assertRaises(errors.InvalidReply):
                    read(reply)


class StatusTest(unittest.TestCase):
    def test_one_that_runs_says_no_more(self):
        status = execution.read_status({'exited': False, 'exitcode': 3})
        self.assertEqual(execution.Status(False), status)

    def test_one_that_has_ended_says_how(self):
        self.assertEqual(
            execution.Status(True, 3, None, b'out', b'err', False, True),
            execution.read_status(
                {
                    'exited': True,
                    'exitcode': 3,
                    'out-data': base64.b64encode(b'out').decode(),
                    'err-data': base64.b64encode(b'err').decode(),
                    'out-truncated': False,
                    'err-truncated': True,
                }
            ),
        )

    def test_a_signal_stands_in_place_of_the_exit_code(self):
        status = execution.read_status({'exited': True, 'signal': 9})
        self.assertEqual((None, 9), (status.exit_code, status.signal))

    def test_windows_codes_are_32_bits_with_or_without_a_sign(self):
        for code in (-1, -(1 << 31), (1 << 32) - 1):
            status = execution.read_status({'exited': True, 'exitcode': code})
            self.assertEqual(code, status.exit_code)

    def test_what_is_none_of_this_is_refused(self):
        large = base64.b64encode(bytes(execution.MAX_STREAM + 1)).decode()
        for reply in (
            {},
            [],
            {'exited': 1},
            {'exited': True, 'exitcode': '0'},
            {'exited': True, 'exitcode': 1 << 32},
            {'exited': True, 'exitcode': None},
            {'exited': True, 'out-data': 'no base64'},
            {'exited': True, 'out-data': large},
            {'exited': True, 'out-truncated': 'no'},
        ):
            with self.subTest(reply=repr(reply)[:60]):
                with self.assertRaises(errors.InvalidReply):
                    execution.read_status(reply)

    def test_a_reply_with_two_full_streams_fits(self):
        full = base64.b64encode(bytes(execution.MAX_STREAM)).decode()
        self.assertLess(2 * len(full), execution.get_status(1).max_reply)
