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

"""Guests over libvirt: what is sent, what its errors mean, who waits."""

import threading
import time

import fixtures
import libvirt

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import replies
from nova_qga.tests.fixtures import channels
from nova_qga.tests.fixtures import scripted_libvirt
from nova_qga.transport import libvirt_agent
from nova_qga.transport import standard

READING = command.Command('guest-get-something', dict, {}, False)
EFFECT = command.Command('guest-set-something', replies.read_nothing)
PATIENCE = channels.PATIENCE


class LibvirtAgentTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.libvirt = self.useFixture(scripted_libvirt.ScriptedLibvirt())
        self.agents = libvirt_agent.LibvirtAgents('test:///default')
        self.addCleanup(self.agents.close)

    def ask(self, *commands, seconds=PATIENCE):
        return self.agents.ask(
            'a', command.Batch(commands), time.monotonic() + seconds
        )

    def failing(self, code, message, *domain):
        """Have all commands but syncs fail."""
        error = scripted_libvirt.failure(code, message, *domain)

        def play(asked, seconds):
            if asked['execute'] != 'guest-sync':
                raise error
            return scripted_libvirt.answer(asked, seconds)

        self.libvirt.players['a'] = play

    def outcome(self, single):
        """What a command that fails comes to."""
        try:
            [answer] = self.ask(single)
        except errors.QgaError as error:
            return error
        return answer

    def names(self):
        return [name for _, name, _ in self.libvirt.sent]


class DeadlineTest(LibvirtAgentTest):
    def slow(self, name):
        """Have the deadline pass while this command is answered."""
        deadline = time.monotonic() + 0.2

        def play(asked, seconds):
            if asked['execute'] == name:
                while time.monotonic() < deadline:
                    time.sleep(0.01)
            return scripted_libvirt.answer(asked, seconds)

        self.libvirt.players['a'] = play
        return deadline

    def assert_not_sent(self, deadline, *commands):
        with self.assertRaises(errors.ChannelTimeout) as caught:
            self.agents.ask('a', command.Batch(commands), deadline)
        self.assertIn('not sent', str(caught.exception))

    def test_no_effect_follows_a_sync_that_took_all_the_time(self):
        self.assert_not_sent(self.slow('guest-sync'), EFFECT)
        self.assertEqual(['guest-sync'], self.names())

    def test_no_command_follows_one_that_took_all_the_time(self):
        self.assert_not_sent(self.slow(READING.name), READING, READING)
        self.assertEqual([READING.name], self.names())

    def test_nothing_at_all_is_sent_too_late(self):
        for asked in ((), (READING,), (EFFECT,)):
            self.assert_not_sent(time.monotonic(), *asked)
        self.assertEqual([], self.libvirt.sent)

    def test_libvirt_is_told_whole_seconds_and_never_none(self):
        self.ask(READING, seconds=0.5)
        self.ask(READING, seconds=1.5)
        self.assertEqual([1, 2], [each[2] for each in self.libvirt.sent])


class ErrorTest(LibvirtAgentTest):
    def test_an_effect_that_libvirt_did_not_send_did_not_happen(self):
        for code, message, expected in (
            (42, 'Domain not found', errors.GuestNotFound),
            (55, 'domain is not running', errors.GuestUnavailable),
            (68, 'cannot acquire state change lock', errors.ChannelBusy),
            (74, 'agent is not configured', errors.GuestUnavailable),
            (
                86,
                'Guest agent is not responding: '
                'QEMU guest agent is not connected',
                errors.ChannelTimeout,
            ),
        ):
            self.failing(code, message)
            for single in (READING, EFFECT):
                with self.subTest(message, name=single.name):
                    self.assertIs(expected, type(self.outcome(single)))

    def test_what_has_become_of_any_other_effect_is_unknown(self):
        rpc = libvirt.VIR_FROM_RPC
        for code, message, *domain in (
            (86, 'Guest agent not available for now'),
            (86, 'Guest agent disappeared while executing command'),
            (97, 'guest agent replied out of sync'),
            (112, 'guest agent did not respond within the timeout'),
            (38, 'End of file while reading data: Input/output error', rpc),
            (1, 'internal error: client socket is closed', rpc),
            (1, 'internal error: something new'),
        ):
            self.failing(code, message, *domain)
            with self.subTest(message):
                self.assertIs(
                    errors.OutcomeUnknown, type(self.outcome(EFFECT))
                )
                self.assertIsNot(
                    errors.OutcomeUnknown, type(self.outcome(READING))
                )

    def test_a_lost_connection_is_no_fault_of_the_guest(self):
        self.failing(
            1,
            'internal error: client socket is closed',
            libvirt.VIR_FROM_RPC,
        )
        self.assertIs(errors.ServiceUnavailable, type(self.outcome(READING)))

    def test_denied_access_says_what_to_do(self):
        for code in (29, 45, 79, 88, 94):
            self.failing(code, 'access denied')
            for single in (READING, EFFECT):
                failure = self.outcome(single)
                self.assertIs(errors.ServiceUnavailable, type(failure))
                self.assertIn('polkit', str(failure))

    def test_a_connection_that_is_denied_says_it_too(self):
        def deny():
            raise scripted_libvirt.failure(45, 'authentication failed')

        self.libvirt.opening = deny
        self.assertIn('polkit', str(self.outcome(READING)))

    def test_guest_text_is_escaped(self):
        evil = 'a\x1b[2Jb\nc'
        for code in (1, 9, 38, 42, 55, 68, 86, 88):
            self.failing(code, evil)
            for single in (READING, EFFECT):
                self.assertTrue(str(self.outcome(single)).isprintable())


class RefusalTest(LibvirtAgentTest):
    def test_the_agent_is_understood_in_any_language(self):
        for message in (
            "internal error: unable to execute QEMU agent command '%s': %s",
            "Interner Fehler: Agent QEMU-befehl '%s' kann nicht ausgeführt "
            'werden: %s',
            'erreur interne : impossible d’exécuter la commande « %s » : %s',
            '内部错误：无法执行 QEMU agent 命令“%s”：%s',
        ):
            for code in (1, 113):
                self.failing(code, message % (EFFECT.name, 'no: a\nb'))
                refusal = self.outcome(EFFECT)
                with self.subTest(message, code=code):
                    self.assertIs(errors.CommandError, type(refusal))
                    self.assertEqual(r'no: a\nb', refusal.description)

    def test_a_command_that_is_not_there_is_told_from_one_that_fails(self):
        self.failing(
            1,
            f"Interner Fehler: Agent QEMU-befehl '{EFFECT.name}' kann nicht "
            'ausgeführt werden: The command guest-set-something has not been '
            'found',
        )
        self.assertIs(errors.CommandUnsupported, type(self.outcome(EFFECT)))

    def test_another_code_or_command_is_no_refusal(self):
        for code, name in ((86, EFFECT.name), (1, 'guest-other')):
            self.failing(code, f"unable to execute '{name}': no")
            self.assertIs(errors.OutcomeUnknown, type(self.outcome(EFFECT)))


class ConnectionTest(LibvirtAgentTest):
    def test_it_is_kept_alive_and_used_again(self):
        self.ask(READING)
        self.ask(READING)
        [connection] = self.libvirt.connections
        self.assertEqual((5, 3), connection.keepalive)

    def test_it_does_without_keepalive(self):
        self.libvirt.has_keepalive = False
        self.assertEqual([{}], self.ask(READING))

    def test_another_follows_one_that_died(self):
        self.ask(READING)
        self.libvirt.connections[0].alive = False
        self.ask(READING)
        self.assertEqual(2, len(self.libvirt.connections))

    def test_of_two_opened_at_once_one_is_kept(self):
        both = threading.Barrier(2)
        self.libvirt.opening = lambda: both.wait(PATIENCE)
        asked = [
            self.agents.urgent.submit(self.ask, READING) for _ in range(2)
        ]
        for each in asked:
            self.assertEqual([{}], each.result(PATIENCE))
        alive = [each.alive for each in self.libvirt.connections]
        self.assertEqual([False, True], sorted(alive))
        self.libvirt.opening = lambda: None
        self.ask(READING)
        self.assertEqual(2, len(self.libvirt.connections))

    def test_closing_waits_for_no_libvirtd_that_hangs(self):
        opening, go = threading.Event(), threading.Event()
        self.addCleanup(go.set)

        def hang():
            opening.set()
            go.wait(PATIENCE)

        self.libvirt.opening = hang
        asked = self.agents.urgent.submit(self.ask, READING)
        self.assertTrue(opening.wait(PATIENCE))
        self.agents.close()
        self.assertFalse(asked.done())
        go.set()
        self.assertIsInstance(
            asked.exception(PATIENCE), errors.ServiceUnavailable
        )
        [connection] = self.libvirt.connections
        self.assertFalse(connection.alive)
        self.assertEqual([], self.libvirt.sent)


class HungGuestsTest(LibvirtAgentTest):
    """Some guests hang, and go on hanging; others are well."""

    HUNG = [f'hung-{number}' for number in range(5)]

    def setUp(self):
        super().setUp()
        self.go = threading.Event()
        self.addCleanup(self.go.set)
        self.channels = self.useFixture(channels.Channels())
        self.hung = [self.channel(uuid) for uuid in self.HUNG]
        self.well = [self.channel(f'well-{number}') for number in range(5)]

    def channel(self, uuid):
        return self.channels.add(
            standard.Channel(
                uuid, self.channels.loop, self.agents, lambda: None
            )
        )

    def ask_routinely(self, channel):
        return self.channels.ask(channel, READING, urgent=False)

    def fail(self, *_):
        raise scripted_libvirt.failure(86, 'Guest agent not available')

    def hang(self, asked, seconds):
        self.go.wait(PATIENCE)
        return scripted_libvirt.answer(asked, seconds)

    def wait_until(self, ready):
        end = time.monotonic() + PATIENCE
        while not ready():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def fail_once(self):
        """Have the hung ones fail, and wait until they are tried again."""
        for uuid in self.HUNG:
            self.libvirt.players[uuid] = self.fail
        for channel in self.hung:
            self.ask_routinely(channel).error()
            self.assertTrue(channel.failing)
        pauses = [channel._breaker for channel in self.hung]
        self.wait_until(
            lambda: not any(each.waits(time.monotonic()) for each in pauses)
        )
        self.libvirt.sent.clear()

    def test_they_keep_nobody_from_those_that_are_well(self):
        self.fail_once()
        for uuid in self.HUNG:
            self.libvirt.players[uuid] = self.hang
        asked = [self.ask_routinely(channel) for channel in self.hung]
        self.wait_until(lambda: self.libvirt.sent)
        for _ in range(3):
            for channel in self.well:
                self.assertEqual([{}], self.ask_routinely(channel).replies())
        # All of them together hold one thread, for the shortest time.
        held = [each for each in self.libvirt.sent if each[0] in self.HUNG]
        self.assertEqual([(self.HUNG[0], 'guest-sync', 1)], held)
        self.assertEqual(15, len(self.libvirt.sent) - len(held))
        self.assertFalse(any(each.ended for each in asked))
        # What somebody waits for has threads of its own.
        self.assertEqual(
            [{}], self.channels.ask(self.well[0], READING).replies()
        )
        self.go.set()
        for each in asked:
            self.assertEqual([{}], each.replies())

    def test_what_somebody_waits_for_is_not_held_up_by_sampling(self):
        self.fail_once()
        for uuid in self.HUNG[:-1]:
            self.libvirt.players[uuid] = self.hang
        self.libvirt.players[self.HUNG[-1]] = scripted_libvirt.answer
        asked = [self.ask_routinely(channel) for channel in self.hung]
        self.wait_until(lambda: self.libvirt.sent)
        # Its sampling waits for the thread that the others hold.
        urgent = self.channels.ask(self.hung[-1], READING)
        self.assertEqual([{}], urgent.replies())
        # It has answered, so that its sampling has not to wait either.
        self.assertEqual([{}], asked[-1].replies())
        self.assertFalse(any(each.ended for each in asked[:-1]))
        self.go.set()
        for each in asked:
            self.assertEqual([{}], each.replies())

    def test_one_that_answers_again_is_asked_as_before(self):
        self.fail_once()
        for uuid in self.HUNG:
            self.libvirt.players[uuid] = scripted_libvirt.answer
        channel = self.hung[0]
        for _ in range(2):
            self.assertEqual([{}], self.ask_routinely(channel).replies())
        self.assertEqual(
            ['guest-sync', READING.name, READING.name], self.names()
        )
        self.assertFalse(channel.failing)

    def test_one_that_hangs_still_is_sent_no_more_than_a_sync(self):
        self.fail_once()
        self.ask_routinely(self.hung[0]).error()
        self.assertEqual(['guest-sync'], self.names())

    def test_all_threads_leave_libvirtd_a_call_for_its_keepalive(self):
        kinds = (
            libvirt_agent.URGENT,
            libvirt_agent.ROUTINE,
            libvirt_agent.FAILING,
        )
        self.assertLess(sum(kinds), 5)
