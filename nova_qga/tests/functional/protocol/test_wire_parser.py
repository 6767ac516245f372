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
"""How a real agent reads bytes: what it answers, swallows and keeps.

The rules of the session rest on this. Each test sends bytes as they are and
looks at the lines that come back; the texts are those of qemu-ga 5.2 to 10.
"""

import json
import unittest

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import wire

PING = b'{"execute":"guest-ping"}\n'
PONG = b'{"return": {}}'
STRAY = (
    b'{"error": {"class": "GenericError",'
    b' "desc": "JSON parse error, stray \'\\uFFFD\'"}}'
)


def sync_delimited(number):
    return (
        b'{"execute":"guest-sync-delimited","arguments":{"id":%d}}\n' % number
    )


def sync(number):
    return b'{"execute":"guest-sync","arguments":{"id":%s}}\n' % number


class _AgentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.agent = cls.enterClassContext(qemu_ga.QemuGa())

    def setUp(self):
        super().setUp()
        self.wire = self.enterContext(wire.Wire(self.agent.socket))
        # What an earlier test left in the agent's parser goes here.
        self.wire.send(b'\xff' + sync_delimited(1))
        self.assertEqual([STRAY, b'\xff{"return": 1}'], self.wire.lines(2))

    def ask(self, request, count=1):
        """Send bytes; the lines that answer them, and no more come."""
        self.wire.send(request)
        lines = self.wire.lines(count)
        self.wire.send(b'\xff' + sync_delimited(2))
        self.assertEqual([STRAY, b'\xff{"return": 2}'], self.wire.lines(2))
        return lines

    def refusal(self, request):
        """Class and text of the one error that answers."""
        [line] = self.ask(request)
        error = json.loads(line)['error']
        return error['class'], error['desc']

    def assert_refused(self, request, text):
        self.assertEqual(('GenericError', text), self.refusal(request))


class SentinelTest(_AgentTest):
    def test_0xff_brings_an_error_line_before_the_syncs_answer(self):
        self.wire.send(b'\xff' + sync_delimited(12345))
        self.assertEqual([STRAY, b'\xff{"return": 12345}'], self.wire.lines(2))

    def test_a_sync_without_0xff_is_answered_with_one(self):
        self.assertEqual(
            [b'\xff{"return": 12345}'], self.ask(sync_delimited(12345))
        )

    def test_each_0xff_brings_an_error_line_of_its_own(self):
        self.assertEqual(
            [STRAY, STRAY, STRAY, PONG], self.ask(b'\xff\xff\xff\n' + PING, 4)
        )

    def test_open_brackets_swallow_all_up_to_0xff(self):
        self.wire.send(b'{"execute":"guest-ping","arguments":{"x":[')
        self.wire.send(sync_delimited(77) + PING)
        self.wire.send(b'\xff' + sync_delimited(78))
        self.assertEqual([STRAY, b'\xff{"return": 78}'], self.wire.lines(2))

    def test_a_session_comes_through_all_of_it(self):
        for before in (
            b'\xff\xff\xff\n',
            b'hello world\n',
            b'{"execute":"guest-pi',
            b'{"execute":"guest-ping","arguments":{"x":[',
            sync_delimited(77) + PING,
        ):
            with self.subTest(before=before):
                self.wire.close()
                with wire.Client(self.agent.socket) as client:
                    client.wire.send(before)
                    [info] = client.sync(commands.info())
                    self.assertIn('version', info)


class FragmentTest(_AgentTest):
    def test_an_agent_acts_at_the_closing_brace(self):
        self.wire.send(PING.rstrip())
        self.assertEqual(PONG, self.wire.line())

    def test_a_newline_ends_a_string_that_is_open(self):
        self.wire.send(b'{"execute":"guest-pi\n' + PING)
        error, pong = self.wire.lines(2)
        self.assertEqual(
            'JSON parse error, stray \'"guest-pi\n\'',
            json.loads(error)['error']['desc'],
        )
        self.assertEqual(PONG, pong)

    def leave_half_a_command(self):
        """Be the client that goes in the middle of a command."""
        self.wire.send(b'{"execute":"guest-pi')
        self.wire.close()

    def test_half_a_command_spoils_the_next_clients(self):
        self.leave_half_a_command()
        with wire.Wire(self.agent.socket) as second:
            second.send(PING)
            for line in second.lines(2):
                self.assertEqual(
                    'GenericError', json.loads(line)['error']['class']
                )
            second.send(b'\xff' + sync_delimited(3) + PING)
            self.assertEqual(
                [STRAY, b'\xff{"return": 3}', PONG], second.lines(3)
            )

    def test_half_a_command_does_not_spoil_a_session(self):
        self.leave_half_a_command()
        with wire.Client(self.agent.socket) as second:
            self.assertEqual([], second.sync())

    def test_words_are_errors_one_each(self):
        lines = self.ask(b'hello world\n', 2)
        self.assertEqual(
            [
                "JSON parse error, invalid keyword 'hello'",
                "JSON parse error, invalid keyword 'world'",
            ],
            [json.loads(line)['error']['desc'] for line in lines],
        )


class RequestTest(_AgentTest):
    def test_an_id_is_echoed_whatever_it_is(self):
        for text in ('5', '"5"', '{"a": [1, null]}'):
            [line] = self.ask(
                b'{"execute":"guest-ping","id":%s}\n' % text.encode()
            )
            self.assertEqual(
                {'return': {}, 'id': json.loads(text)}, json.loads(line)
            )

    def test_an_id_is_echoed_with_an_error(self):
        [line] = self.ask(b'{"execute":"nope","id":1}\n')
        reply = json.loads(line)
        self.assertEqual({'id', 'error'}, set(reply))
        self.assertEqual(1, reply['id'])
        self.assertEqual('CommandNotFound', reply['error']['class'])

    def test_a_session_knows_its_reply_by_the_id(self):
        self.wire.close()
        with wire.Client(self.agent.socket) as client:
            self.assertEqual(
                {}, client.run(command.Command('guest-ping', dict))
            )
            with self.assertRaises(errors.CommandUnsupported):
                client.run(command.Command('nope', dict))

    def test_an_unknown_member_is_refused(self):
        self.assert_refused(
            b'{"execute":"guest-ping","foo":1}\n',
            "QMP input member 'foo' is unexpected",
        )

    def test_members_of_another_type_are_refused(self):
        self.assert_refused(
            b'{"execute":1}\n', "QMP input member 'execute' must be a string"
        )
        self.assert_refused(
            b'{"execute":"guest-ping","arguments":[]}\n',
            "QMP input member 'arguments' must be an object",
        )

    def test_what_is_no_object_is_refused(self):
        for request in (b'[1, 2]\n', b'5\n', b'"abc"\n', b'null\n'):
            with self.subTest(request=request):
                self.assert_refused(request, 'QMP input must be a JSON object')

    def test_a_repeated_key_is_refused(self):
        self.assert_refused(
            b'{"execute":"guest-ping","execute":"guest-ping"}\n',
            'JSON parse error, duplicate key',
        )

    def test_single_quotes_are_taken(self):
        self.assertEqual([PONG], self.ask(b"{'execute':'guest-ping'}\n"))

    def test_commands_of_one_write_are_answered_in_order(self):
        self.assertEqual(
            [b'{"return": 1}', b'{"return": 2}', b'{"return": 3}'],
            self.ask(sync(b'1') + sync(b'2') + sync(b'3'), 3),
        )

    def test_a_session_gets_a_batchs_replies_in_order(self):
        self.wire.close()
        asked = [
            command.Command('guest-sync', int, {'id': number}, False)
            for number in range(50)
        ]
        with wire.Client(self.agent.socket) as client:
            self.assertEqual(list(range(50)), client.sync(*asked))


class SyncIdTest(_AgentTest):
    def test_an_id_must_be_there(self):
        self.assert_refused(
            b'{"execute":"guest-sync"}\n', "Parameter 'id' is missing"
        )

    def test_an_id_must_be_an_integer_of_64_bits(self):
        for text in (b'"5"', b'5.0', b'9223372036854775808', b'1e400'):
            with self.subTest(text=text):
                self.assert_refused(
                    sync(text),
                    "Invalid parameter type for 'id', expected: integer",
                )

    def test_the_ends_of_the_range_are_echoed(self):
        for text in (b'9223372036854775807', b'-9223372036854775808'):
            with self.subTest(text=text):
                self.assertEqual(
                    [b'{"return": %s}' % text], self.ask(sync(text))
                )


class HostileRequestTest(_AgentTest):
    def test_nesting_ends_at_1024(self):
        self.assert_refused(
            b'[' * 1025 + b'\n', 'JSON nesting depth limit exceeded'
        )
        # One fewer is only an open bracket, which 0xFF closes.
        self.wire.send(b'[' * 1024 + b'\n\xff' + sync_delimited(4))
        self.assertEqual([STRAY, b'\xff{"return": 4}'], self.wire.lines(2))

    def test_a_string_of_65_mib_is_refused_and_0xff_repairs(self):
        self.wire.send(b'{"execute":"guest-ping","id":"')
        self.wire.send(b'a' * (65 << 20))
        self.wire.send(b'"}\n\xff' + sync_delimited(5))
        refused = []
        while not (line := self.wire.line()).startswith(b'\xff'):
            refused.append(json.loads(line)['error'])
        self.assertEqual(b'\xff{"return": 5}', line)
        self.assertEqual({'GenericError'}, {each['class'] for each in refused})
        self.assertRegex(
            refused[0]['desc'],
            'JSON token size limit exceeded|JSON parse error, expecting value',
        )

    def test_bad_utf8_in_a_string_is_refused(self):
        self.assert_refused(
            b'{"execute":"gu\xc3\x28st"}\n',
            'JSON parse error, invalid UTF-8 sequence in string',
        )

    def test_a_name_with_escapes_comes_back_escaped(self):
        [line] = self.ask(b'{"execute":"a\\u001bb\\nc"}\n')
        self.assertIn(rb'The command a\u001Bb\nc has not been found', line)
        self.assertEqual('CommandNotFound', json.loads(line)['error']['class'])

    def test_a_session_shows_such_a_name_on_one_line(self):
        self.wire.close()
        with (
            wire.Client(self.agent.socket) as client,
            self.assertRaises(errors.CommandUnsupported) as caught,
        ):
            client.run(command.Command('a\x1bb\nc', dict))
        self.assertTrue(str(caught.exception).isprintable())
        self.assertIn(r'a\x1bb\nc', str(caught.exception))
