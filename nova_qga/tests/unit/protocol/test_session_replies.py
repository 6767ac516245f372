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

"""Replies to commands: whose answer is whose, and what is no answer.

All of it is after a sync: from there on a line either answers the oldest
command that is out, or is one of the few kinds that may be passed over, or
the connection is of no more use.
"""

import tracemalloc
import unittest

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import session

SYNC_ID = 1001
REPLY_ID = 1002


def ask(name='guest-x', *, has_effect=False, max_reply=4096):
    return command.Command(name, dict, {}, has_effect, max_reply)


def answer(sync_id=SYNC_ID):
    return b'\xff{"return": %d}\n' % sync_id


def piped(*asked):
    """A session that has sent read-only commands behind an answered sync."""
    talk = session.Session(lambda: SYNC_ID)
    talk.sync(command.Batch(asked))
    talk.receive(answer())
    return talk


def sent(single=None):
    """A session that has sent one command, alone, after its sync."""
    ids = iter([SYNC_ID, REPLY_ID])
    talk = session.Session(lambda: next(ids))
    talk.sync()
    talk.receive(answer())
    talk.send(single or ask(has_effect=True))
    return talk


class OrderTest(unittest.TestCase):
    def test_replies_come_in_the_order_of_the_commands(self):
        lines = [b'{"return": "%c"}\n' % letter for letter in b'abc']
        for first in range(3):
            with self.subTest(first=first):
                talk = piped(ask(), ask(), ask())
                self.assertIsNone(talk.receive(b''.join(lines[:first])))
                self.assertEqual(
                    ['a', 'b', 'c'], talk.receive(b''.join(lines[first:]))
                )
                self.assertTrue(talk.synced)

    def test_exchanges_follow_each_other_however_long_the_replies_are(self):
        """What was noted of one reply must not be taken for the next."""
        talk = session.Session(lambda: SYNC_ID)
        batch = command.Batch([ask(), ask()])
        for text in (b'x' * 3000, b'x', b'', b'x' * 3000, b''):
            talk.sync(batch)
            stream = b'{"return": "%s"}\n' % text
            self.assertIsNone(talk.receive(answer() + stream))
            self.assertIsNone(talk.receive(stream[:-3]))
            self.assertEqual([text.decode()] * 2, talk.receive(stream[-3:]))
            talk.sync(batch)
            self.assertIsNone(talk.receive(answer() + (stream * 2)[:-3]))
            self.assertEqual([text.decode()] * 2, talk.receive(stream[-3:]))
            talk.sync(batch)
            self.assertIsNone(talk.receive(answer() + stream[:-3]))
            self.assertEqual(
                [text.decode()] * 2, talk.receive(stream[-3:] + stream)
            )
            talk.sync(command.Batch([ask()]))
            self.assertEqual([5], talk.receive(answer() + b'{"return": 5}\n'))

    def test_replies_may_come_with_the_sync_in_one_read(self):
        talk = session.Session(lambda: SYNC_ID)
        talk.sync(command.Batch([ask(), ask()]))
        self.assertEqual(
            [1, 2], talk.receive(answer() + b'{"return": 1}\n{"return": 2}\n')
        )

    def test_any_value_is_handed_on_unread(self):
        for text, value in {
            b'null': None,
            b'false': False,
            b'0': 0,
            b'[]': [],
            b'{}': {},
            b'18446744071564165121': 18446744071564165121,
        }.items():
            with self.subTest(text=text):
                [reply] = piped(ask()).receive(b'{"return": %s}\n' % text)
                self.assertEqual((type(value), value), (type(reply), reply))

    def test_a_refused_command_does_not_end_the_others(self):
        replies = piped(ask(), ask()).receive(
            b'{"error": {"class": "GenericError", "desc": "no such file"}}\n'
            b'{"return": 2}\n'
        )
        self.assertIs(errors.CommandError, type(replies[0]))
        self.assertEqual(2, replies[1])

    def test_a_reply_that_is_cut_off_is_waited_for(self):
        talk = piped(ask())
        self.assertIsNone(talk.receive(b'{"return": {}}'))
        self.assertFalse(talk.synced)
        self.assertEqual([{}], talk.receive(b'\n'))

    def test_one_sync_allows_one_command(self):
        talk = sent()
        talk.receive(b'{"return": {}}\n')
        with self.assertRaises(ValueError):
            talk.send(ask())
        self.assertFalse(talk.synced)

    def test_a_batch_may_go_before_a_command(self):
        talk = piped(ask())
        self.assertEqual([1], talk.receive(b'{"return": 1}\n'))
        self.assertTrue(talk.synced)
        talk.send(ask(has_effect=True))
        self.assertEqual([2], talk.receive(b'{"return": 2}\n'))

    def test_nothing_is_sent_while_a_reply_is_out(self):
        talk = sent()
        with self.assertRaises(ValueError):
            talk.sync()
        with self.assertRaises(ValueError):
            talk.send(ask())


class UnaskedTest(unittest.TestCase):
    """A reply before its request, and one too many, cannot be told apart."""

    def test_an_early_reply_is_told_when_it_comes_with_the_sync(self):
        talk = session.Session(lambda: SYNC_ID)
        talk.sync()
        with self.assertRaises(errors.ProtocolError):
            talk.receive(answer() + b'{"return": {}}\n')

    def test_an_early_reply_is_told_before_the_command_is_sent(self):
        for early in (b'{"return": {}}\n', b'{', b'\n', b' ', b'\xff', b'\0'):
            with self.subTest(early=early):
                talk = session.Session(lambda: SYNC_ID)
                talk.sync()
                self.assertEqual([], talk.receive(answer()))
                with self.assertRaises(errors.ProtocolError):
                    talk.receive(early)
                with self.assertRaises(errors.ProtocolError):
                    talk.send(ask())

    def test_a_second_reply_is_told(self):
        with self.assertRaises(errors.ProtocolError):
            piped(ask()).receive(b'{"return": 1}\n{"return": 2}\n')
        talk = sent()
        self.assertEqual([1], talk.receive(b'{"return": 1}\n'))
        with self.assertRaises(errors.ProtocolError):
            talk.receive(b'{"return": 2}\n')

    def test_more_replies_than_commands_are_told(self):
        talk = piped(ask(), ask())
        with self.assertRaises(errors.ProtocolError):
            talk.receive(b'{"return": 1}\n' * 3)

    def test_bytes_on_an_idle_connection_are_told(self):
        with self.assertRaises(errors.ProtocolError):
            session.Session().receive(b'{"return": 1}\n')

    def test_a_second_answer_to_the_sync_is_told(self):
        talk = session.Session(lambda: SYNC_ID)
        talk.sync()
        with self.assertRaises(errors.ProtocolError):
            talk.receive(answer() * 2)


class IdTest(unittest.TestCase):
    def test_a_command_that_goes_alone_carries_an_id(self):
        ids = iter([SYNC_ID, REPLY_ID])
        talk = session.Session(lambda: next(ids))
        talk.sync()
        talk.receive(answer())
        self.assertEqual(
            b'{"execute":"guest-x","id":1002}\n', talk.send(ask())
        )

    def test_a_reply_with_our_id_is_ours(self):
        self.assertEqual(
            ['x'], sent().receive(b'{"return": "x", "id": 1002}\n')
        )

    def test_a_reply_with_no_id_is_ours_for_old_agents_send_none(self):
        self.assertEqual(['x'], sent().receive(b'{"return": "x"}\n'))

    def test_an_error_with_our_id_is_ours(self):
        [reply] = sent().receive(
            b'{"id": 1002, "error": {"class": "GenericError", "desc": "x"}}\n'
        )
        self.assertIsInstance(reply, errors.CommandError)

    def test_a_reply_with_another_id_is_passed_over(self):
        for value in (b'1003', b'1001', b'-1002', b'0'):
            with self.subTest(value=value):
                talk = sent()
                stale = b'{"return": "stale", "id": %s}\n' % value
                self.assertIsNone(talk.receive(stale))
                self.assertEqual(['x'], talk.receive(b'{"return": "x"}\n'))

    def test_an_error_with_another_id_is_passed_over(self):
        talk = sent()
        stale = b'{"error": {"class": "GenericError", "desc": "x"}, "id": 5}\n'
        self.assertIsNone(talk.receive(stale))

    def test_our_id_as_another_type_is_not_our_id(self):
        for value in (
            b'"1002"',
            b'1002.0',
            b'1.002e3',
            b'[1002]',
            b'true',
            b'null',
            b'{}',
        ):
            with self.subTest(value=value):
                stale = b'{"return": 1, "id": %s}\n' % value
                self.assertIsNone(sent().receive(stale))

    def test_true_is_not_the_id_1(self):
        ids = iter([SYNC_ID, 1])
        talk = session.Session(lambda: next(ids))
        talk.sync()
        talk.receive(answer())
        talk.send(ask())
        self.assertIsNone(talk.receive(b'{"return": 1, "id": true}\n'))
        self.assertEqual([2], talk.receive(b'{"return": 2, "id": 1}\n'))

    def test_an_id_that_nobody_sent_is_passed_over(self):
        talk = piped(ask())
        self.assertIsNone(talk.receive(b'{"return": "stale", "id": 5}\n'))
        self.assertEqual(['x'], talk.receive(b'{"return": "x"}\n'))

    def test_nor_is_it_taken_where_all_replies_come_at_once(self):
        talk = piped(ask(), ask())
        stale = b'{"return": "stale", "id": 5}\n'
        self.assertIsNone(talk.receive(stale + b'{"return": "x"}\n'))
        self.assertEqual(['x', 'y'], talk.receive(b'{"return": "y"}\n'))


class PassedOverTest(unittest.TestCase):
    """Lines that answer nothing: a few are let pass, many are not."""

    GREETING = b'{"QMP": {"version": {}, "capabilities": []}}\n'
    EVENT = b'{"event": "SHUTDOWN", "timestamp": {"seconds": 1}}\n'

    def test_greetings_events_and_empty_lines_are_passed_over(self):
        talk = piped(ask())
        for line in (self.GREETING, self.EVENT, b'\n', b' \t\r\n', b'\r\n'):
            self.assertIsNone(talk.receive(line))
        self.assertEqual([1], talk.receive(b'{"return": 1}\n'))

    def test_too_many_of_them_are_not(self):
        for line in (
            self.GREETING,
            self.EVENT,
            b'\n',
            b' \r\n',
            b'{"return": 1, "id": 5}\n',
        ):
            with self.subTest(line=line):
                talk = sent(ask(max_reply=1 << 20))
                self.assertIsNone(talk.receive(line * 64))
                with self.assertRaises(errors.ProtocolError):
                    talk.receive(line)

    def test_they_count_against_the_bytes_of_the_reply(self):
        line = b'{"event": "%s"}\n' % (b'x' * 1000)
        talk = piped(ask(max_reply=4096))
        self.assertIsNone(talk.receive(line * 3))
        with self.assertRaises(errors.MessageTooLarge):
            talk.receive(line * 2)

    def test_a_blank_line_with_no_end_counts_as_well(self):
        talk = piped(ask(max_reply=4096))
        with self.assertRaises(errors.MessageTooLarge):
            talk.receive(b' ' * 5000)

    def test_a_good_reply_does_not_take_from_the_next_ones_bytes(self):
        line = b'{"return": "%s"}\n' % (b'x' * 3000)
        talk = piped(*[ask(max_reply=4096)] * 10)
        replies = talk.receive(line * 10)
        self.assertEqual(10, len(replies))


class BrokenTest(unittest.TestCase):
    def assert_broken(self, line, kind=errors.ProtocolError):
        good = b'{"return": 0}\n'
        # As the only line, and among as many as there are commands.
        for talk, data in (
            (sent(), line),
            (piped(ask(), ask()), line),
            (piped(ask(), ask()), line + good),
            (piped(ask(), ask()), good + line),
        ):
            with self.assertRaises(kind) as caught:
                talk.receive(data)
        return caught.exception

    def test_0xff_within_a_reply_breaks_it(self):
        self.assert_broken(b'{"return": \xff{"return": 1}\n')
        self.assert_broken(b'\xff{"return": 1}\n')
        self.assert_broken(b'{"return": 1}\xff\n')
        error = self.assert_broken(b'{"return": "\xff"}\n')
        self.assertIn('0xFF', str(error))

    def test_0xfe_within_a_reply_breaks_it(self):
        self.assert_broken(b'\xfe{"return": 1}\n')

    def test_a_nul_breaks_it_and_is_read_up_to_the_newline(self):
        talk = piped(ask())
        self.assertIsNone(talk.receive(b'\0{"return": 1}\0'))
        with self.assertRaises(errors.MalformedMessage):
            talk.receive(b'\n')

    def test_a_carriage_return_and_blanks_at_the_ends_do_not(self):
        for line in (
            b'{"return": 1}\r\n',
            b' \t {"return": 1}\n',
            b'{"return": 1} \r\n',
        ):
            with self.subTest(line=line):
                self.assertEqual([1], piped(ask()).receive(line))

    def test_two_objects_on_a_line_break_it(self):
        self.assert_broken(
            b'{"return": 1} {"return": 2}\n', errors.MalformedMessage
        )

    def test_one_object_on_two_lines_breaks_it(self):
        self.assert_broken(b'{"return":\n1}\n', errors.MalformedMessage)

    def test_other_encodings_break_it(self):
        for encoding in ('utf-8-sig', 'utf-16', 'utf-16-be', 'utf-32'):
            with self.subTest(encoding=encoding):
                self.assert_broken('{"return": 1}'.encode(encoding) + b'\n')
        self.assert_broken(b'{"return": "\xc0\xaf"}\n')
        self.assert_broken(b'{"return": "\\ud800"}\n')

    def test_text_that_is_no_object_breaks_it(self):
        for line in (
            b'debian login: \n',
            b'[1]\n',
            b'"x"\n',
            b'5\n',
            b'null\n',
            b'{"return": NaN}\n',
            b'{"return": %s}\n' % (b'1' * 3000),
            b'{"return": %s}\n' % (b'[' * 2000),
        ):
            with self.subTest(line=line[:20]):
                self.assert_broken(line, errors.MalformedMessage)

    def test_a_repeated_key_breaks_it(self):
        self.assert_broken(b'{"return": 1, "return": 2}\n')

    def test_a_result_with_an_error_breaks_it(self):
        error = b'"error": {"class": "GenericError", "desc": "x"}'
        self.assert_broken(b'{"return": 1, %s}\n' % error)
        self.assert_broken(b'{%s, "return": 1}\n' % error)
        self.assert_broken(b'{"return": 1, "error": null}\n')

    def test_neither_result_nor_error_breaks_it(self):
        self.assert_broken(b'{}\n')
        self.assert_broken(b'{"id": 1002}\n')
        self.assert_broken(b'{"result": 1}\n')

    def test_an_error_of_another_form_breaks_it(self):
        for error in (
            b'"random error"',
            b'null',
            b'[]',
            b'{}',
            b'{"class": "GenericError"}',
            b'{"desc": "x"}',
            b'{"class": 5, "desc": "x"}',
            b'{"class": ["GenericError"], "desc": "x"}',
            b'{"class": "GenericError", "desc": null}',
            b'{"class": "GenericError", "desc": {"x": 1}}',
        ):
            with self.subTest(error=error):
                self.assert_broken(b'{"error": %s}\n' % error)

    def test_an_echo_of_the_request_breaks_it_and_says_so(self):
        error = self.assert_broken(b'{"execute":"guest-x"}\n')
        self.assertIn('echo', str(error))

    def test_no_exchange_starts_on_a_broken_session(self):
        talk = piped(ask())
        with self.assertRaises(errors.ProtocolError):
            talk.receive(b'hello\n')
        with self.assertRaises(ValueError):
            talk.sync()

    def test_no_error_quotes_what_was_received(self):
        error = self.assert_broken(b'{"czNjcmV0": "\x1b[2J"}\n')
        self.assertNotIn('czNjcmV0', str(error))


class RefusalTest(unittest.TestCase):
    def refusal(self, error):
        [reply] = piped(ask()).receive(b'{"error": %s}\n' % error)
        return reply

    def test_a_command_that_is_blocked_or_unknown_is_unsupported(self):
        for name in (b'CommandNotFound', b'CommandDisabled'):
            with self.subTest(name):
                refused = self.refusal(b'{"class": "%s", "desc": ""}' % name)
                self.assertIsInstance(refused, errors.CommandUnsupported)

    def test_any_other_class_is_a_refusal_of_this_command(self):
        for name in (b'GenericError', b'commandnotfound', b'', b'X' * 1000):
            with self.subTest(name):
                refused = self.refusal(b'{"class": "%s", "desc": ""}' % name)
                self.assertIs(errors.CommandError, type(refused))

    def test_members_beside_class_and_text_do_no_harm(self):
        refused = self.refusal(
            b'{"class": "GenericError", "desc": "no", "data": {}}'
        )
        self.assertEqual('no', refused.description)

    def test_the_agents_text_is_one_line_of_harmless_characters(self):
        refused = self.refusal(
            rb'{"class": "Ge\u001bneric", "desc": "chpasswd:\n'
            rb'\u001b]52;c;eA==\u0007\u202e\u2028\r\u0000"}'
        )
        for shown in (str(refused), refused.error_class, repr(refused)):
            with self.subTest(shown=shown):
                self.assertTrue(shown.isprintable())

    def test_the_agents_text_is_no_format(self):
        refused = self.refusal(
            b'{"class": "GenericError", "desc": "%s {0.__class__} ${jndi:x}"}'
        )
        self.assertIn('%s {0.__class__} ${jndi:x}', str(refused))

    def test_the_agents_text_is_cut(self):
        [refused] = piped(ask(max_reply=1 << 21)).receive(
            b'{"error": {"class": "GenericError", "desc": "%s"}}\n'
            % (b'x' * 1_000_000)
        )
        self.assertLess(len(str(refused)), 400)


class LimitTest(unittest.TestCase):
    def line(self, size):
        """A reply of so many bytes before its newline."""
        return b'{"return": "%s"}' % (b'x' * (size - 14))

    def test_a_reply_may_be_as_long_as_the_command_says(self):
        for size, whole in ((100, True), (101, False)):
            with self.subTest(size=size):
                talk = piped(ask(max_reply=100))
                if whole:
                    talk.receive(self.line(size) + b'\n')
                    self.assertTrue(talk.synced)
                else:
                    with self.assertRaises(errors.MessageTooLarge) as caught:
                        talk.receive(self.line(size) + b'\n')
                    self.assertEqual(101, caught.exception.size)
                    self.assertEqual(100, caught.exception.limit)

    def test_the_limit_holds_before_the_newline_comes(self):
        talk = piped(ask(max_reply=100))
        self.assertIsNone(talk.receive(b'x' * 100))
        with self.assertRaises(errors.MessageTooLarge):
            talk.receive(b'x')

    def test_each_reply_is_held_to_its_own_command(self):
        talk = piped(ask(max_reply=100), ask(max_reply=50))
        with self.assertRaises(errors.MessageTooLarge):
            talk.receive(self.line(100) + b'\n' + self.line(51) + b'\n')
        talk = piped(ask(max_reply=50), ask(max_reply=100))
        with self.assertRaises(errors.MessageTooLarge):
            talk.receive(self.line(51) + b'\n')

    def test_brackets_and_strings_with_no_end_are_held_to_it(self):
        for unit in (b'[', b'{"a":', b'"', b'\\', b'9', b'\0'):
            with self.subTest(unit=unit):
                talk = piped(ask(max_reply=4096))
                with self.assertRaises(errors.MessageTooLarge):
                    talk.receive(unit * 5000)

    def test_no_more_is_kept_than_the_reply_may_have(self):
        talk = piped(ask(max_reply=100_000))
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for _ in range(99):
            talk.receive(b'x' * 1000)
        kept, _ = tracemalloc.get_traced_memory()
        self.assertLess(kept, 250_000)

    def test_nothing_is_kept_of_replies_that_were_handed_over(self):
        talk = session.Session(lambda: SYNC_ID)
        batch = command.Batch([ask(max_reply=1 << 20)])
        stream = answer() + self.line(1 << 19) + b'\n'
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for _ in range(5):
            talk.sync(batch)
            self.assertEqual(1, len(talk.receive(stream)))
        kept, _ = tracemalloc.get_traced_memory()
        self.assertLess(kept, 10_000)
