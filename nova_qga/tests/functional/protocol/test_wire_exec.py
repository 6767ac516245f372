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
"""Programs run by a real agent: what their end looks like, and when.

They are harmless ones: the agent runs them on this machine.
"""

import base64
import os
import unittest

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import decoding
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import wire

#: A stream of a program is cut here by the agent.
MAX_STREAM = 16 << 20


def run_shell(script):
    return command.Command(
        'guest-exec',
        lambda reply: reply['pid'],
        {
            'path': '/bin/sh',
            'arg': ['-c', script],
            'capture-output': True,
        },
    )


def status(pid, max_reply=64 << 20):
    return command.Command(
        'guest-exec-status', dict, {'pid': pid}, True, max_reply
    )


class ExecTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.agent = self.enterContext(qemu_ga.QemuGa())
        self.client = self.enterContext(wire.Client(self.agent.socket))

    def end_of(self, script):
        self.pid = self.client.run(run_shell(script))
        return self.client.run_until(status(self.pid), 'exited')

    def test_exit_status_and_both_streams_are_told(self):
        reply = self.end_of('echo out; echo err >&2; exit 3')
        self.assertEqual(3, reply['exitcode'])
        self.assertEqual(b'out\n', base64.b64decode(reply['out-data']))
        self.assertEqual(b'err\n', base64.b64decode(reply['err-data']))
        self.assertNotIn('signal', reply)
        # Agents from 8 on leave these out where they are false.
        self.assertFalse(reply.get('out-truncated', False))
        self.assertFalse(reply.get('err-truncated', False))

    def test_the_end_is_told_once(self):
        self.end_of('exit 3')
        with self.assertRaises(errors.CommandError) as caught:
            self.client.run(status(self.pid))
        self.assertEqual('GenericError', caught.exception.error_class)
        self.assertRegex(
            caught.exception.description,
            "Invalid parameter 'pid'|PID .* does not exist",
        )

    def test_20_mb_are_cut_at_16_mib_and_come_in_one_line(self):
        reply = self.end_of('head -c 20000000 /dev/zero; kill -KILL $$')
        self.assertEqual(9, reply['signal'])
        self.assertNotIn('exitcode', reply)
        data = base64.b64decode(reply['out-data'], validate=True)
        self.assertEqual(MAX_STREAM, len(data))
        # 7.2 says that it was cut; 10.0 says that it was not.
        self.assertIs(bool, type(reply['out-truncated']))

    def test_that_line_is_over_the_limit_of_a_common_command(self):
        pid = self.client.run(
            run_shell('head -c 20000000 /dev/zero; kill -KILL $$')
        )
        with self.assertRaises(errors.MessageTooLarge):
            self.client.run_until(
                status(pid, command.DEFAULT_MAX_REPLY), 'exited'
            )

    def test_its_bytes_are_as_many_as_were_seen_of_other_agents(self):
        pid = self.client.run(
            run_shell('head -c 20000000 /dev/zero; kill -KILL $$')
        )
        request = status(pid).encode()
        end = b''
        while b'"exited": true' not in end:
            self.client.wire.send(request)
            end = self.client.wire.line()
        # With "out-truncated" true or false, and the newline.
        self.assertIn(len(end) + 1, (22_369_705, 22_369_706))
        self.assertEqual(9, decoding.decode(end)['return']['signal'])

    def test_a_child_left_behind_keeps_it_from_ending(self):
        pipe = self.agent.files / 'pipe'
        os.mkfifo(pipe)
        pid = self.client.run(run_shell(f'cat {pipe} & exit 0'))
        # The shell itself is soon gone, and the agent has seen that.
        gone = process.wait_until(
            lambda: not os.path.exists(f'/proc/{pid}'), wire.PATIENCE
        )
        self.assertTrue(gone)
        self.assertEqual({'exited': False}, self.client.run(status(pid)))
        pipe.write_bytes(b'at last')
        reply = self.client.run_until(status(pid), 'exited')
        self.assertEqual(b'at last', base64.b64decode(reply['out-data']))
        self.assertEqual(0, reply['exitcode'])

    def test_a_program_that_is_not_there_is_not_started(self):
        asked = command.Command('guest-exec', dict, {'path': '/no/such'})
        with self.assertRaises(errors.CommandError) as caught:
            self.client.run(asked)
        self.assertEqual('GenericError', caught.exception.error_class)
        self.assertIn(
            'Failed to execute child process', caught.exception.description
        )
