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

"""Streams made at random: however they are cut, whatever they hold.

How many reads a stream comes in must not matter, no bytes may raise anything
but ProtocolError, and none may make a session keep more than it is allowed.
"""

import tracemalloc
import unittest

import hypothesis
from hypothesis import strategies

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import session

SYNC_ID = 77
SMALL = 96
BATCH = command.Batch(
    [
        command.Command(name, dict, {}, False, SMALL)
        for name in ('guest-a', 'guest-b', 'guest-c', 'guest-d')
    ]
)
ANSWER = b'\xff{"return": 77}\n'
RESULT = b'{"return": {"a": [1, 2], "b": "\xc3\xa9"}}\n'
REFUSAL = b'{"error": {"class": "GenericError", "desc": "no such file"}}\n'
REPLIES = RESULT + REFUSAL + b'{"return": "c"}\n{"return": "d"}\n'
STRAY = b'{"error": {"class": "GenericError", "desc": "JSON parse error"}}\n'


def outcome(chunks):
    """What a stream that comes in these chunks leads to.

    :returns: the replies, as text; None while they are not complete; or the
        kind of error
    """
    talk = session.Session(lambda: SYNC_ID)
    talk.sync(BATCH)
    done = None
    for chunk in chunks:
        try:
            replies = talk.receive(chunk)
        except errors.ProtocolError as error:
            return type(error)
        if replies is not None:
            done = [repr(reply) for reply in replies] or done
    return done


def cut(stream, places):
    """Cut ``stream`` at these places."""
    edges = [0, *sorted({place % (len(stream) + 1) for place in places})]
    edges.append(len(stream))
    return [
        stream[start:end] for start, end in zip(edges, edges[1:], strict=False)
    ]


class CutTest(unittest.TestCase):
    STREAMS = {
        'plain': ANSWER + REPLIES,
        'after our own error line': STRAY + ANSWER + REPLIES,
        'after a stale line': b'{"return": 1}\n' + STRAY + ANSWER + REPLIES,
        'after a fragment': b'{"return": {"cou\xff' + ANSWER + REPLIES,
        'after another sync': b'\xff{"return": 78}\n' + ANSWER + REPLIES,
        'with carriage returns': (ANSWER + REPLIES).replace(b'\n', b'\r\n'),
        'with lines that answer nothing': ANSWER
        + b'\n{"event": "X"}\n'
        + REPLIES.replace(REFUSAL, REFUSAL + b'\r\n'),
    }

    def setUp(self):
        self.expected = outcome([ANSWER + REPLIES])
        self.assertEqual(4, len(self.expected))

    def test_every_cut_in_two_gives_the_same_replies(self):
        for name, stream in self.STREAMS.items():
            for place in range(len(stream) + 1):
                replies = outcome([stream[:place], stream[place:]])
                self.assertEqual(self.expected, replies, (name, place))

    def test_every_size_of_read_gives_the_same_replies(self):
        for name, stream in self.STREAMS.items():
            for size in range(1, len(stream)):
                chunks = [
                    stream[start : start + size]
                    for start in range(0, len(stream), size)
                ]
                self.assertEqual(self.expected, outcome(chunks), (name, size))


# Long lines among them, for the limits on an answer and on a reply.
PIECES = strategies.sampled_from(
    [b'\xff', b'\xfe', b'\n', b'\r\n', b' ', b'\0', b'77', b'7', b'{', b'}']
    + [b'"', b'\\', b'[', b'{"return": ', b'{"return": 77}', b'true', b'1']
    + [b'{"return": 77}\n', ANSWER, REPLIES, STRAY, b'{"return": {}}\n']
    + [RESULT, REFUSAL, b'{"return": [{}\n', b'{}]}\n', b'{"return": "}\n']
    + [b'{"}\n', b'{"return": 1},{"return": 2}\n', b'{"return": 1, "id": 5}']
    + [b'{"event": "X"}\n', b'{"QMP": {}}\n', b'{"execute": "guest-x"}\n']
    + [b'\xff{"execute": "guest-sync-delimited"}', b',"id": 77', b'"id"']
    + [b' ' * 60, b'x' * 200, b' ' * 250, b'\n' * 63]
)
# About as many of these as there are commands.
LINES = strategies.sampled_from(
    [RESULT, REFUSAL, b'{"return": 1}\n', b'{"return": 1}\r\n', b'\n']
    + [b'{"event": "X"}\n', b'{"return": 1, "return": 2}\n', b'{}\n']
    + [b'{"return": 1},{"return": 2}\n', b'{"return": [{}\n', b'{}]}\n']
    + [b'{"return": "}\n', b'{"}\n', b'{"return": 1, "id": 5}\n', b'[]\n']
    + [b'{"error": {}}\n', b'{"error": 1}\n', b'\xff{"return": 1}\n']
    + [b'{"return": 1} \n', b'{"return": "%s"}\n' % (b'x' * SMALL), b'{}']
    + [b'{"return": %s1%s}\n' % (b'[' * 33, b']' * 33)]
    + [b'{"return" : 1, "return": 2}\n', b'{"return": "\\":", "a": 1}\n']
)
STREAMS = strategies.lists(PIECES, max_size=24).map(b''.join)
PLACES = strategies.lists(strategies.integers(0, 4000), max_size=12)


class RandomStreamTest(unittest.TestCase):
    @hypothesis.settings(max_examples=1000, deadline=None)
    @hypothesis.given(stream=STREAMS, places=PLACES)
    def test_how_a_stream_is_cut_does_not_matter(self, stream, places):
        self.assertEqual(outcome([stream]), outcome(cut(stream, places)))

    @hypothesis.settings(max_examples=500, deadline=None)
    @hypothesis.given(stream=STREAMS, places=PLACES)
    def test_nor_does_it_after_the_sync(self, stream, places):
        chunks = cut(stream, places)
        self.assertEqual(outcome([ANSWER, stream]), outcome([ANSWER, *chunks]))

    @hypothesis.settings(max_examples=1000, deadline=None)
    @hypothesis.given(
        lines=strategies.lists(LINES, min_size=4, max_size=5),
        places=PLACES,
    )
    def test_nor_does_it_with_as_many_lines_as_commands(self, lines, places):
        stream = b''.join(lines)
        chunks = cut(stream, places)
        self.assertEqual(outcome([ANSWER, stream]), outcome([ANSWER, *chunks]))

    def test_lines_that_answer_nothing_count_however_they_come(self):
        event = b'{"event": "%s"}\n' % (b'x' * 70)
        self.assertLess(len(event), SMALL)
        self.assertGreater(len(event + RESULT), SMALL)
        for chunks in ([event + REPLIES], [event, REPLIES]):
            self.assertIs(errors.MessageTooLarge, outcome([ANSWER, *chunks]))

    def test_lines_that_are_objects_only_together_are_none(self):
        for lines in (
            (b'{"return": 1},{"return": 2}', b'{"x": [{}', b'{}]}'),
            (b'{"return": 1},{"return": 2}', b'{"return": "}', b'{"}'),
            (b'{"return": 1}', b'{"return": [{}', b'{}],"a":{}},{}'),
        ):
            stream = ANSWER + b'\n'.join([*lines, b'{"return": "d"}', b''])
            with self.subTest(lines=lines):
                self.assertIs(errors.MalformedMessage, outcome([stream]))

    @hypothesis.settings(max_examples=500, deadline=None)
    @hypothesis.given(
        before=strategies.lists(PIECES, max_size=8).map(b''.join)
    )
    def test_what_stands_before_the_answer_does_not_change_it(self, before):
        # Neither an answer, nor an echo, nor enough for a flood.
        hypothesis.assume(b'77' not in before)
        self.assertEqual(
            outcome([ANSWER + REPLIES]), outcome([before + ANSWER + REPLIES])
        )

    @hypothesis.settings(max_examples=500, deadline=None)
    @hypothesis.given(
        chunks=strategies.lists(strategies.binary(max_size=200), max_size=20)
    )
    def test_any_bytes_give_replies_or_a_protocol_error(self, chunks):
        outcome(chunks)
        outcome([ANSWER, *chunks])

    @hypothesis.settings(max_examples=200, deadline=None)
    @hypothesis.given(
        chunks=strategies.lists(
            strategies.binary(min_size=1, max_size=40)
            | PIECES.map(lambda piece: piece * 10),
            min_size=1,
            max_size=20,
        ),
        synced=strategies.booleans(),
    )
    def test_no_stream_makes_a_session_keep_more_than_a_read(
        self, chunks, synced
    ):
        talk = session.Session(lambda: SYNC_ID)
        talk.sync(BATCH)
        if synced:
            talk.receive(ANSWER)
        tracemalloc.start()
        try:
            for _ in range(20):
                for chunk in chunks:
                    try:
                        talk.receive(chunk)
                    except errors.ProtocolError:
                        return
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertLess(kept, 20_000)
