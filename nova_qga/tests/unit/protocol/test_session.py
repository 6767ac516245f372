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

"""The sync: what completes it, what does not, and what it may cost.

Whatever an earlier client, another program or a hostile guest has put into
the channel stands before the answer to our own sync.
"""

import secrets
import tracemalloc
import unittest

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import replies
from nova_qga.protocol import session

ID = 4611686018427387905
STRAY = (
    b'{"error": {"class": "GenericError", "desc": "JSON parse error,'
    b' stray \'\\uFFFD\'"}}\n'
)
ANSWER = b'\xff{"return": %d}\n' % ID
PING = command.Command('guest-ping', replies.read_nothing, {}, False)


def waiting(sync_id=ID):
    """A session whose sync is out and unanswered."""
    waits = session.Session(lambda: sync_id)
    waits.sync()
    return waits


class RequestTest(unittest.TestCase):
    def test_a_sync_starts_with_0xff_and_carries_its_id(self):
        self.assertEqual(
            b'\xff{"execute":"guest-sync-delimited",'
            b'"arguments":{"id":4611686018427387905}}\n',
            session.Session(lambda: ID).sync(),
        )

    def test_read_only_commands_follow_in_one_write(self):
        request = session.Session(lambda: 7).sync(command.Batch([PING, PING]))
        first, _, rest = request.partition(b'\n')
        self.assertIn(b'"id":7', first)
        self.assertEqual(b'{"execute":"guest-ping"}\n' * 2, rest)

    def test_nothing_with_an_effect_goes_out_behind_a_sync(self):
        effect = command.Batch([command.Command('guest-x', dict)])
        with self.assertRaises(ValueError):
            session.Session().sync(effect)

    def test_each_sync_has_an_id_of_its_own(self):
        talk = session.Session()
        first = talk.sync()
        sent = int(first[first.rindex(b':') + 1 :].rstrip(b'}\n'))
        self.assertEqual([], talk.receive(b'\xff{"return": %d}\n' % sent))
        self.assertNotEqual(first, talk.sync())

    def test_ids_are_those_that_agents_take(self):
        drawn = {session.random_id() for _ in range(2000)}
        self.assertEqual(2000, len(drawn))
        self.assertGreater(min(drawn), 0)
        self.assertLess(max(drawn), 1 << 63)
        # Not a clock's nor a counter's: they are spread over the range.
        self.assertLess(min(drawn), 1 << 57)
        self.assertGreater(max(drawn), 1 << 61)

    def test_a_second_sync_does_not_start_while_one_is_out(self):
        talk = waiting()
        with self.assertRaises(ValueError):
            talk.sync()

    def test_a_command_does_not_go_out_while_a_sync_is_unanswered(self):
        talk = waiting()
        with self.assertRaises(ValueError):
            talk.send(PING)
        self.assertFalse(talk.synced)

    def test_a_command_does_not_go_out_on_a_new_connection(self):
        with self.assertRaises(ValueError):
            session.Session().send(PING)


class AnswerTest(unittest.TestCase):
    def assert_completes(self, stream, sync_id=ID):
        talk = waiting(sync_id)
        self.assertEqual([], talk.receive(stream))
        self.assertTrue(talk.synced)

    def assert_waits(self, stream, sync_id=ID):
        """``stream`` does not end the wait, and does not spoil it."""
        talk = waiting(sync_id)
        self.assertIsNone(talk.receive(stream))
        self.assertFalse(talk.synced)
        self.assertEqual([], talk.receive(b'\xff{"return": %d}\n' % sync_id))
        self.assertTrue(talk.synced)

    def test_the_answer_completes_it(self):
        self.assert_completes(ANSWER)

    def test_the_error_that_our_own_0xff_brings_is_dropped(self):
        self.assert_completes(STRAY + ANSWER)

    def test_what_an_earlier_client_left_is_dropped(self):
        self.assert_completes(b'{"return": {}}\n' + STRAY + ANSWER)
        self.assert_completes(b'n": "cut off"}\n' + STRAY + ANSWER)
        self.assert_completes(b'\xff{"return": 1}\n' + STRAY + ANSWER)

    def test_a_fragment_before_0xff_on_the_same_line_is_dropped(self):
        self.assert_completes(b'{"return": {"count": 12' + ANSWER)
        self.assert_completes(b'{"ret\xff\xfe{"retur' + ANSWER)

    def test_a_large_stale_reply_is_dropped(self):
        large = b'{"return": {"buf-b64": "%s"}}\n' % (b'A' * 2_000_000)
        self.assert_completes(large + STRAY + ANSWER)

    def test_an_answer_ends_with_its_newline(self):
        talk = waiting()
        self.assertIsNone(talk.receive(ANSWER[:-1]))
        self.assertFalse(talk.synced)
        self.assertEqual([], talk.receive(b'\n'))

    def test_a_carriage_return_and_blanks_around_the_answer_are_nothing(self):
        self.assert_completes(b'\xff \t{"return": %d} \r\n' % ID)

    def test_another_id_is_ignored(self):
        self.assert_waits(b'\xff{"return": %d}\n' % (ID + 1))
        self.assert_waits(b'\xff{"return": -%d}\n' % ID)
        self.assert_waits(b'\xff{"return": %d0}\n' % ID)

    def test_an_id_of_another_type_is_ignored(self):
        for value in (
            b'"5"',
            b'5.0',
            b'5e0',
            b'[5]',
            b'{"id": 5}',
            b'null',
            b'true',
        ):
            with self.subTest(value=value):
                self.assert_waits(b'\xff{"return": %s}\n' % value, 5)
        self.assert_waits(b'\xff{"return": true}\n', 1)
        self.assert_waits(b'\xff{"return": 1.0}\n', 1)

    def test_a_float_that_equals_the_id_is_ignored(self):
        self.assert_waits(b'\xff{"return": 4611686018427387904.0}\n', 1 << 62)

    def test_an_answer_without_0xff_is_ignored(self):
        self.assert_waits(b'{"return": %d}\n' % ID)
        self.assert_waits(b'\xfe{"return": %d}\n' % ID)
        self.assert_waits(b'\xff\n{"return": %d}\n' % ID)

    def test_an_error_is_no_answer(self):
        self.assert_waits(
            b'\xff{"error": {"class": "CommandNotFound",'
            b' "desc": "The command guest-sync-delimited has been disabled"}}'
            b'\n'
        )

    def test_a_result_with_an_error_beside_it_is_no_answer(self):
        self.assert_waits(b'\xff{"return": %d, "error": {}}\n' % ID)

    def test_an_answer_that_repeats_a_key_is_ignored(self):
        self.assert_waits(b'\xff{"return": 1, "return": %d}\n' % ID)

    def test_two_answers_on_one_line_are_ignored(self):
        self.assert_waits(b'\xff{"return": %d} {"return": 2}\n' % ID)

    def test_a_nul_does_not_hide_what_follows(self):
        self.assert_completes(b'\0\0{"return": 1}\0\n' + STRAY + ANSWER)
        self.assert_completes(b'\0' + ANSWER)
        self.assert_waits(b'\xff\0{"return": %d}\n' % ID)
        self.assert_waits(b'\xff{"return": %d}\0\n' % ID)

    def test_a_byte_order_mark_and_utf_16_are_ignored(self):
        text = f'{{"return": {ID}}}'
        for encoding in ('utf-8-sig', 'utf-16', 'utf-16-be', 'utf-32'):
            with self.subTest(encoding=encoding):
                self.assert_waits(b'\xff' + text.encode(encoding) + b'\n')

    def test_any_number_of_0xff_is_taken(self):
        self.assert_completes(b'\xff' * 100_000 + ANSWER)
        self.assert_completes(b'\xff\n' * 100_000 + ANSWER)
        self.assert_completes(b'\xfe' * 100_000 + ANSWER)

    def test_a_shell_or_a_kernel_that_talks_is_waited_out(self):
        self.assert_waits(
            b'[    0.000000] Linux version 6.1.0\r\n'
            b'\x1b[2J\x1b]52;c;bWFs\x07\r\ndebian login: \r\n'
            b"-bash: {execute:guest-sync-delimited: command not found\r\n"
        )

    def test_empty_lines_are_waited_out(self):
        self.assert_waits(b'\n' * 100_000)
        self.assert_waits(b' \t\r\n' * 100_000)


class EchoTest(unittest.TestCase):
    def test_our_own_sync_sent_back_is_told_as_an_echo(self):
        talk = session.Session()
        request = talk.sync()
        with self.assertRaisesRegex(errors.MalformedMessage, 'echo'):
            talk.receive(request)

    def test_an_echo_with_other_line_ends_is_told_too(self):
        talk = session.Session()
        request = talk.sync().replace(b'\n', b'\r\n')
        with self.assertRaisesRegex(errors.MalformedMessage, 'echo'):
            talk.receive(request)

    def test_an_echo_of_an_earlier_client_is_dropped(self):
        earlier = session.Session(lambda: ID - 1).sync()
        self.assertEqual([], waiting().receive(earlier + ANSWER))


class CostTest(unittest.TestCase):
    """A guest that never answers costs a bounded number of bytes."""

    def feed_until_refused(self, piece, times):
        talk = waiting()
        with self.assertRaises(errors.ProtocolError) as caught:
            for _ in range(times):
                self.assertIsNone(talk.receive(piece))
        return caught.exception

    def test_whatever_comes_instead_of_an_answer_is_cut_off(self):
        piece = 64 * 1024
        for name, unit in {
            'newlines': b'\n',
            'blanks': b' ',
            'a line with no end': b'a',
            '0xFF': b'\xff',
            '0xFF on lines': b'\xff\n',
            'NUL': b'\0',
            'brackets': b'[',
            'valid answers to others': b'\xff{"return": 1}\n',
            'valid objects': b'{"return": {}}\n',
        }.items():
            with self.subTest(name):
                error = self.feed_until_refused(
                    unit * (piece // len(unit)), 1000
                )
                self.assertIsInstance(error, errors.MessageTooLarge)
                self.assertEqual(session.MAX_SYNC_BYTES, error.limit)
                self.assertLess(error.size, session.MAX_SYNC_BYTES + 2 * piece)

    def test_a_line_that_starts_like_an_answer_is_cut_off(self):
        talk = waiting()
        talk.receive(b'\xff{"return": ')
        with self.assertRaises(errors.MessageTooLarge):
            for _ in range(1000):
                talk.receive(b' ' * 65536)

    def test_lines_that_hold_our_id_and_answer_nothing_are_cut_off(self):
        error = self.feed_until_refused(b'\xff{"id": %d}\n' % ID, 1000)
        self.assertNotIsInstance(error, errors.MessageTooLarge)

    def test_the_answer_counts_as_the_last_of_the_bytes(self):
        before = session.MAX_SYNC_BYTES - len(ANSWER)
        self.assertEqual([], waiting().receive(b'\n' * before + ANSWER))
        with self.assertRaises(errors.MessageTooLarge):
            waiting().receive(b'\n' * (before + 1) + ANSWER)

    def test_each_exchange_has_an_allowance_of_its_own(self):
        talk = waiting()
        for _ in range(3):
            talk.receive(b'\n' * (session.MAX_SYNC_BYTES - 1000))
            self.assertEqual([], talk.receive(ANSWER))
            talk.sync()

    def test_an_answer_that_is_far_too_long_is_ignored_however_it_comes(self):
        long = b'\xff{"return": %s%d}\n' % (b' ' * 300, ID)
        self.assertIsNone(waiting().receive(long))
        talk = waiting()
        for start in range(0, len(long), 7):
            self.assertIsNone(talk.receive(long[start : start + 7]))
        self.assertEqual([], talk.receive(ANSWER))

    def test_no_more_than_one_read_is_kept(self):
        pieces = {
            'no line end': secrets.token_bytes(65536).replace(b'\n', b'a'),
            'brackets': b'[' * 65536,
            'after 0xFF': b'\xff' + b'a' * 65535,
        }
        for name, piece in pieces.items():
            with self.subTest(name):
                talk = waiting()
                tracemalloc.start()
                self.addCleanup(tracemalloc.stop)
                talk.receive(b'\xff')
                for _ in range(100):
                    talk.receive(piece)
                kept, _ = tracemalloc.get_traced_memory()
                tracemalloc.stop()
                self.assertLess(kept, 4 * len(piece))
