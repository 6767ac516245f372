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

"""A direct channel to a guest that breaks the rules, one way at a time.

Each way is tried with a command that reads and with one that has an effect.
Whatever the guest does: whoever asked is told once and in time, what was
sent and not answered is unknown and never sent again, the neighbours on the
same loop are served meanwhile, and a guest that becomes good is served
again.
"""

import tracemalloc

import fixtures

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.protocol import replies
from nova_qga.protocol import session
from nova_qga.tests.fixtures import channels
from nova_qga.tests.fixtures import hostile_guest as hostile
from nova_qga.tests.fixtures import process

HOST_NAME = {'host-name': 'well-behaved'}
LIMIT = 256 * 1024
#: A reply of this one may have LIMIT bytes.
READING = command.Command(
    'guest-get-host-name', replies.read_host_name, {}, False, LIMIT
)
EFFECT = command.Command(
    'guest-set-user-password', replies.read_nothing, {}, True, LIMIT
)
#: Seconds for a request that is not expected to be answered.
SHORT = 1.0
#: What two sockets' buffers hold, and more.
BUFFERS = 1024 * 1024


class EnduranceTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.channels = self.useFixture(channels.Channels())
        self.neighbour = self.useFixture(hostile.HostileGuest(hostile.good))
        self.next_door = self.channels.direct(self.neighbour.path)

    def meet(self, behaviour, sync_timeout=channels.PATIENCE):
        """A guest that behaves so, and the channel to it."""
        guest = self.useFixture(hostile.HostileGuest(behaviour))
        channel = self.channels.direct(guest.path, sync_timeout=sync_timeout)
        return guest, channel

    def assert_others_served(self):
        for _ in range(3):
            asked = self.channels.ask(self.next_door, READING)
            self.assertEqual([HOST_NAME], asked.replies())

    def assert_recovers(self, guest, channel):
        guest.behave(hostile.good)
        guest.go.set()

        def served():
            asked = self.channels.ask(channel, READING, seconds=10)
            asked.wait()
            [(answered, _)] = asked.outcomes
            # Nothing else is taken for its answer, however late it comes.
            self.assertIn(answered, (None, [HOST_NAME]))
            return answered is not None

        self.assertTrue(process.wait_until(served, channels.PATIENCE))
        self.assertEqual([], guest.offences)
        self.assertLessEqual(guest.names().count(EFFECT.name), 1)

    def endure(self, *cases, seconds=SHORT, **options):
        """Ask guests all at once.

        :param cases: command, behaviour, and the class of error expected
        :returns: the guests, once they are good again
        """
        met = [self.meet(behaviour, **options) for _, behaviour, _ in cases]
        asked = [
            self.channels.ask(channel, single, seconds=seconds)
            for (single, _, _), (_, channel) in zip(cases, met, strict=True)
        ]
        self.assert_others_served()
        for (single, _, expected), (guest, channel), each in zip(
            cases, met, asked, strict=True
        ):
            with self.subTest(command=single.name, case=asked.index(each)):
                self.assertIs(expected, type(each.error()), each.outcomes)
                self.assert_recovers(guest, channel)
        return [guest for guest, _ in met]

    def assert_endured(self, *behaviours, reading, effect, **options):
        """Ask each with both commands."""
        return self.endure(
            *[(READING, behaviour, reading) for behaviour in behaviours],
            *[(EFFECT, behaviour, effect) for behaviour in behaviours],
            **options,
        )

    def assert_nothing_was_run(self, *behaviours, error, **options):
        """Both commands fail so, and the guest has seen but a sync."""
        for guest in self.assert_endured(
            *behaviours, reading=error, effect=error, **options
        ):
            # The one that made sure of the recovery is the first of all.
            self.assertEqual(READING.name, guest.names()[0])
            self.assertNotIn(EFFECT.name, guest.names())


class SilenceTest(EnduranceTest):
    def test_a_guest_that_answers_no_sync_sees_nothing_else(self):
        self.assert_nothing_was_run(
            hostile.silent,
            hostile.deaf,
            hostile.absent,
            error=errors.ChannelTimeout,
            sync_timeout=SHORT,
        )

    def test_a_command_that_is_never_answered_is_unknown(self):
        self.assert_endured(
            hostile.only_sync,
            reading=errors.ChannelTimeout,
            effect=errors.OutcomeUnknown,
        )

    def test_a_late_answer_is_not_taken_for_the_next_ones(self):
        self.assert_endured(
            hostile.late,
            reading=errors.ChannelTimeout,
            effect=errors.OutcomeUnknown,
        )

    def test_a_byte_now_and_then_does_not_keep_a_command_alive(self):
        self.assert_endured(
            hostile.drip,
            reading=errors.ChannelTimeout,
            effect=errors.OutcomeUnknown,
        )

    def test_a_guest_that_stops_reading_does_not_hold_what_is_sent(self):
        # More than the buffers of the sockets take.
        batch = [READING] * 30000
        guest, channel = self.meet(hostile.stop_reading(1))
        asked = self.channels.ask(channel, *batch, seconds=SHORT)
        self.assert_others_served()
        self.assertIs(errors.ChannelTimeout, type(asked.error()))
        self.assert_recovers(guest, channel)

    def test_an_effect_that_is_half_sent_is_unknown(self):
        large = commands.write_file(1000, b'x' * commands.CHUNK)
        guest, channel = self.meet(hostile.stop_reading(2))
        asked = self.channels.ask(channel, large, seconds=SHORT)
        self.assert_others_served()
        self.assertIs(errors.OutcomeUnknown, type(asked.error()))
        self.assert_recovers(guest, channel)
        self.assertNotIn(large.name, guest.names())


class EndlessTest(EnduranceTest):
    def assert_capped(self, guests, limit):
        for guest in guests:
            self.assertLess(guest.sent, limit + BUFFERS)

    def test_a_line_with_no_end_is_cut_off(self):
        guests = self.assert_endured(
            hostile.endless(b'x' * 65536),
            reading=errors.MessageTooLarge,
            effect=errors.OutcomeUnknown,
        )
        self.assert_capped(guests, LIMIT)

    def test_so_are_blanks_with_no_end(self):
        guests = self.assert_endured(
            hostile.endless(b' ' * 65536),
            reading=errors.MessageTooLarge,
            effect=errors.OutcomeUnknown,
        )
        self.assert_capped(guests, LIMIT)

    def test_and_empty_lines(self):
        guests = self.assert_endured(
            hostile.endless(b'\n' * 65536),
            reading=errors.ProtocolError,
            effect=errors.OutcomeUnknown,
        )
        self.assert_capped(guests, LIMIT)

    def test_and_objects_that_answer_nothing(self):
        guests = self.assert_endured(
            hostile.endless(b'{"event": "RESET"}\n' * 1000),
            reading=errors.ProtocolError,
            effect=errors.OutcomeUnknown,
        )
        self.assert_capped(guests, LIMIT)

    def test_no_flood_completes_a_sync(self):
        guests = self.assert_endured(
            *[
                hostile.endless(piece, synced=False)
                for piece in (
                    b'x' * 65536,
                    b' ' * 65536,
                    b'\n' * 65536,
                    b'\xff' * 65536,
                    b'{"return": {}}\n' * 4000,
                    b'\xff{"return": 1}\n' * 4000,
                )
            ],
            reading=errors.MessageTooLarge,
            effect=errors.MessageTooLarge,
            seconds=channels.PATIENCE,
        )
        self.assert_capped(guests, session.MAX_SYNC_BYTES)
        for guest in guests:
            self.assertNotIn(EFFECT.name, guest.names())

    def test_a_flood_before_the_sync_is_not_kept(self):
        flood = hostile.endless(b'x' * 65536, synced=False)
        _, channel = self.meet(flood)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        asked = self.channels.ask(channel, READING)
        self.assertIs(errors.MessageTooLarge, type(asked.error()))
        _, peak = tracemalloc.get_traced_memory()
        self.assertLess(peak, session.MAX_SYNC_BYTES / 4)

    def test_a_guest_that_talks_unasked_is_left(self):
        for piece in (b'x', b'{"return": {}}\n', b'x' * 65536):
            with self.subTest(piece=piece[:20]):
                guest, channel = self.meet(hostile.flood_when_idle(piece))
                asked = self.channels.ask(channel, READING)
                self.assertEqual([HOST_NAME], asked.replies())
                guest.go.set()
                self.assertTrue(
                    process.wait_until(
                        lambda on=channel: on.failing, channels.PATIENCE
                    )
                )
                self.assert_others_served()
                self.assertLess(guest.sent, BUFFERS)
                self.assert_recovers(guest, channel)


class NonsenseTest(EnduranceTest):
    def test_what_is_no_reply_ends_the_exchange(self):
        lines = (
            b'[1, 2]',
            b'"text"',
            b'5',
            b'null',
            b'hello world',
            b'{}',
            b'{"return": 1',
            b'{"return": 1, "return": 2}',
            b'{"return": 1} {"return": 2}',
            b'{"return": 1, "error": {"class": "a", "desc": "b"}}',
            b'{"error": "random error"}',
            b'{"error": {"class": "GenericError"}}',
            b'{"error": {"class": 5, "desc": "b"}}',
            b'{"execute": "guest-ping"}',
            b'{"return": NaN}',
            b'{"return": "\xc3\x28"}',
            b'{"return": "\\ud800"}',
            b'{"return": "a\0b"}',
            b'\xef\xbb\xbf{"return": 1}',
            b'{"return": %s1%s}' % (b'[' * 50, b']' * 50),
            b'[' * 100_000,
            b'{"return": %s}' % (b'[' + b'{},' * 70_000 + b'{}]'),
        )
        self.assert_endured(
            *[hostile.answer_with(line + b'\n') for line in lines],
            reading=errors.MalformedMessage,
            effect=errors.OutcomeUnknown,
            seconds=channels.PATIENCE,
        )

    def test_so_does_the_mark_of_a_sync_within_a_reply(self):
        self.assert_endured(
            hostile.answer_with(b'{"return": \xff{}}\n'),
            reading=errors.ProtocolError,
            effect=errors.OutcomeUnknown,
        )

    def test_an_end_in_mid_line_is_no_answer(self):
        self.assert_endured(
            hostile.end_in_mid_line,
            reading=errors.ChannelClosed,
            effect=errors.OutcomeUnknown,
        )

    def test_a_reply_with_somebody_elses_id_is_no_answer(self):
        self.assert_endured(
            *[
                hostile.answer_with(b'{"return": {}, "id": %s}\n' % wrong)
                for wrong in (b'5', b'"5"', b'5.0', b'true', b'null', b'[]')
            ],
            reading=errors.ChannelTimeout,
            effect=errors.OutcomeUnknown,
        )

    def test_no_effect_follows_an_answer_that_came_too_early(self):
        [guest] = self.endure(
            (EFFECT, hostile.answer_early, errors.ProtocolError),
            seconds=channels.PATIENCE,
        )
        self.assertNotIn(EFFECT.name, guest.names())

    def test_a_refusal_is_an_answer(self):
        guest, channel = self.meet(
            hostile.answer_with(
                b'{"error": {"class": "GenericError", "desc": "no"}}\n'
            )
        )
        for single in (READING, EFFECT, READING):
            [refused] = self.channels.ask(channel, single).replies()
            self.assertIs(errors.CommandError, type(refused))
        self.assertEqual(1, guest.clients)


class SyncTest(EnduranceTest):
    def test_only_our_own_id_behind_the_mark_completes_a_sync(self):
        answers = (
            b'\xff{"return": "ID"}\n',
            b'\xff{"return": ID.0}\n',
            b'\xff{"return": 1ID}\n',
            b'\xff{"return": true}\n',
            b'\xff{"return": [ID]}\n',
            b'\xff{"id": ID, "return": {}}\n',
            b'\xff{"return": ID, "error": {}}\n',
            b'{"return": ID}\n',
            b'\xff{"return": ID}',
        )

        def instead(answer):
            return hostile.answer_sync_with(
                lambda sync_id: answer.replace(b'ID', b'%d' % sync_id)
            )

        self.assert_nothing_was_run(
            *[instead(answer) for answer in answers],
            hostile.refuse_sync,
            error=errors.ChannelTimeout,
            sync_timeout=SHORT,
        )

    def test_an_echo_is_told_from_an_agent(self):
        guests = self.assert_endured(
            hostile.echo,
            reading=errors.MalformedMessage,
            effect=errors.MalformedMessage,
        )
        for guest in guests:
            self.assertNotIn(EFFECT.name, guest.names())

    def test_what_stands_before_its_answer_is_dropped(self):
        def after_garbage(sync_id):
            return (
                b'{"return": {"host-name": "stale"}}\nlogin: \0\xfe\r\n'
                b'\xff\xff{"return": 7}\n{"retu\xff{"return": %d}\n' % sync_id
            )

        guest = self.useFixture(
            hostile.HostileGuest(hostile.answer_sync_with(after_garbage))
        )
        channel = self.channels.direct(guest.path)
        for single, answer in ((READING, HOST_NAME), (EFFECT, {})):
            asked = self.channels.ask(channel, single)
            self.assertEqual([answer], asked.replies())
        self.assertEqual([], guest.offences)


class HangUpTest(EnduranceTest):
    def test_a_guest_that_closes_at_once_is_closed(self):
        self.assert_nothing_was_run(
            hostile.hang_up, error=errors.ChannelClosed
        )

    def test_one_that_opens_and_closes_is_left_alone(self):
        guest, channel = self.meet(hostile.hang_up)
        asked = [
            self.channels.ask(channel, READING, urgent=False)
            for _ in range(200)
        ]
        told = {type(each.error()) for each in asked}
        self.assertLessEqual(
            told, {errors.ChannelClosed, errors.GuestUnavailable}
        )
        self.assertLess(guest.clients, 5)
        self.assert_others_served()
        self.assert_recovers(guest, channel)
