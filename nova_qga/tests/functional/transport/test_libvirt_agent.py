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

"""The standard channel over a real libvirtd, to good agents and bad ones."""

import os
import signal
import threading
import time
import unittest

import fixtures

from nova_qga import errors
from nova_qga.guest import events
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import shared
from nova_qga.transport import libvirt_agent

PATIENCE = 60.0
#: libvirt waits 5 s for its own sync, whatever it is told.
SHORT = 1.0
NAME = commands.get_host_name()
ANSWER = {'host-name': 'testguest'}
STALE = '$6$stale$' + 'n' * 86
EFFECT = commands.set_user_password('root', STALE, crypted=True)

#: An agent in shell: so many syncs are answered, anything else by a line.
#: The very first one is libvirt's own.
FAKE = """
left=%d
while read -r line; do
    id=$(echo "$line" | sed -n 's/.*"id": *\\([0-9]*\\).*/\\1/p')
    if [ -n "$id" ] && [ "$left" -gt 0 ]; then
        left=$((left - 1))
        echo "{\\"return\\": $id}"
    else
        echo '%s'
    fi
done
"""
PORT = '/dev/virtio-ports/org.qemu.guest_agent.0'


class StandardChannelTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        events.start()
        self.vm = shared.guest()
        self.libvirtd = shared.host()
        self.agents = libvirt_agent.LibvirtAgents(self.libvirtd.uri)
        self.addCleanup(self.agents.close)

    def ask(self, *asked, seconds=PATIENCE, uuid=None):
        return self.agents.ask(
            uuid or self.vm.uuid,
            command.Batch(asked),
            time.monotonic() + seconds,
        )

    def start_asking(self, *asked):
        """Ask on a thread; its outcome is appended to what is returned."""
        outcome = []

        def run():
            try:
                outcome.append(self.ask(*asked))
            except errors.QgaError as error:
                outcome.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        return outcome

    def password(self):
        return self.vm.inspect('grep ^root: /etc/shadow').split(':')[1]

    def wait_until(self, ready):
        self.assertTrue(process.wait_until(ready, PATIENCE))

    def assert_recovers(self):
        def served():
            try:
                return self.ask(NAME) == [ANSWER]
            except errors.QgaError:
                return False

        self.wait_until(served)

    def restart_agent(self, options=''):
        self.vm.stop_agent(0)
        self.vm.wait_for_ports(guest_vm.DIRECT)
        self.start_agent(options)

    def start_agent(self, options=''):
        self.vm.start_agent(0, options)
        self.vm.wait_for_agents()

    def hang_agent(self):
        self.vm.inspect('kill -STOP $(cat /run/qemu-ga-0.pid)')
        self.addCleanup(self.wake_agent)

    def wake_agent(self):
        self.vm.inspect('kill -CONT $(cat /run/qemu-ga-0.pid)')


class AnswerTest(StandardChannelTest):
    def test_commands_are_run_in_order(self):
        name, zone, again = self.ask(NAME, commands.get_timezone(), NAME)
        self.assertEqual(ANSWER, name)
        self.assertIn('offset', zone)
        self.assertEqual(ANSWER, again)
        self.assertEqual([], self.ask())

    def test_a_refusal_is_an_answer_in_the_agents_words(self):
        [refused] = self.ask(commands.open_file('/none', 'r'))
        self.assertIs(errors.CommandError, type(refused))
        self.assertIn('No such file', refused.description)

    def test_a_blocked_command_is_told_from_a_failed_one(self):
        self.addCleanup(self.restart_agent)
        self.restart_agent(f'-b {NAME.name}')
        [refused] = self.ask(NAME)
        self.assertIs(errors.CommandUnsupported, type(refused))
        [unknown] = self.ask(command.Command('guest-none', dict, {}, False))
        self.assertIs(errors.CommandUnsupported, type(unknown))

    def test_a_reply_over_its_limit_is_refused(self):
        small = command.Command('guest-info', dict, {}, False, 100)
        with self.assertRaises(errors.MessageTooLarge):
            self.ask(small)
        with self.assertRaises(errors.OutcomeUnknown):
            self.ask(command.Command('guest-info', dict, {}, True, 100))
        self.assertEqual([ANSWER], self.ask(NAME))

    def test_no_command_is_sent_past_the_deadline(self):
        with self.assertRaises(errors.ChannelTimeout):
            self.ask(EFFECT, seconds=-1.0)
        self.assertNotEqual(STALE, self.password())


class UnavailableTest(StandardChannelTest):
    def test_nobody_is_told_from_nobody_in(self):
        with self.assertRaises(errors.GuestNotFound):
            self.ask(NAME, uuid='c1d2e3f4-0000-4000-8000-000000000002')
        bare = guest_vm.GuestVM(
            self.libvirtd, name='instance-00000011', channels=(), boot=False
        )
        with bare:
            for single in (NAME, EFFECT):
                with self.assertRaises(errors.GuestUnavailable) as caught:
                    self.ask(single, uuid=bare.uuid)
                self.assertEqual('shutoff', caught.exception.reason)
            bare.start()
            for single in (NAME, EFFECT):
                with self.assertRaises(errors.GuestUnavailable) as caught:
                    self.ask(single, uuid=bare.uuid)
                self.assertEqual('no_channel', caught.exception.reason)

    def test_without_an_agent_nothing_is_left_to_be_run(self):
        self.vm.stop_agent(0)
        self.vm.wait_for_ports(guest_vm.DIRECT)
        for single in (NAME, EFFECT):
            with self.assertRaises(errors.ChannelTimeout):
                self.ask(single)
        self.start_agent()
        self.assert_recovers()
        self.assertNotEqual(STALE, self.password())

    def test_a_hung_agent_runs_nothing_when_it_goes_on(self):
        self.hang_agent()
        for single in (NAME, EFFECT):
            with self.assertRaises(errors.ChannelTimeout):
                self.ask(single, seconds=SHORT)
        self.wake_agent()
        self.assert_recovers()
        self.assertNotEqual(STALE, self.password())

    def test_an_effect_that_hangs_is_unknown_and_not_sent_again(self):
        # A chpasswd that takes long, and notes each of its runs.
        self.vm.inspect(
            'mv /usr/sbin/chpasswd /usr/sbin/chpasswd.real; '
            "printf '#!/bin/sh\\necho $$ >> /tmp/runs\\nexec sleep 600\\n' "
            '> /usr/sbin/chpasswd; chmod 755 /usr/sbin/chpasswd; '
            ': > /tmp/runs'
        )
        self.addCleanup(
            self.vm.inspect,
            'mv /usr/sbin/chpasswd.real /usr/sbin/chpasswd',
        )
        with self.assertRaises(errors.OutcomeUnknown) as caught:
            self.ask(EFFECT, seconds=SHORT)
        self.assertNotIn(STALE, str(caught.exception))
        self.vm.inspect('kill $(cat /tmp/runs)')
        self.assert_recovers()
        self.assertEqual(1, len(self.vm.inspect('cat /tmp/runs').split()))


class NonsenseTest(StandardChannelTest):
    def be_served_by(self, script):
        """Have another program than an agent answer on the port.

        Until libvirt connects to it, its reads end at once.
        """
        self.vm.stop_agent(0)
        self.vm.wait_for_ports(guest_vm.DIRECT)
        self.vm.inspect(
            "cat > /tmp/fake <<'END'\n"
            f'while sleep 0.1; do\n{script}\ndone\nEND\n'
            f'(sh /tmp/fake <> {PORT} >&0 2> /dev/null & '
            'echo $! > /tmp/fake.pid) < /dev/null > /dev/null 2>&1'
        )
        self.vm.wait_for_agents()

    def tearDown(self):
        # libvirt takes an agent for another only if it sees the port closed,
        # and QEMU tells of a port once a second at most.
        self.vm.inspect('kill -9 $(cat /tmp/fake.pid)')
        self.vm.wait_for_ports(guest_vm.DIRECT)
        self.start_agent()
        self.assert_recovers()
        super().tearDown()

    def test_what_is_no_reply_breaks_the_rules(self):
        self.be_served_by(FAKE % (9, '[1]'))
        with self.assertRaises(errors.ProtocolError):
            self.ask(NAME)

    def test_and_leaves_the_outcome_of_an_effect_unknown(self):
        self.be_served_by(FAKE % (9, '{}'))
        with self.assertRaises(errors.OutcomeUnknown):
            self.ask(EFFECT)

    def test_nothing_follows_a_sync_that_is_refused(self):
        self.be_served_by(
            FAKE % (1, r'{"error": {"class": "a", "desc": "evil\u001b[2J"}}')
        )
        with self.assertRaises(errors.ProtocolError) as caught:
            self.ask(EFFECT)
        self.assertTrue(str(caught.exception).isprintable())
        self.assertIn('evil', str(caught.exception))

    def test_nor_one_that_answers_another(self):
        self.be_served_by(FAKE % (1, '{"return": 5}'))
        with self.assertRaises(errors.ProtocolError):
            self.ask(EFFECT)

    def test_an_agent_that_answers_no_sync_is_none(self):
        self.be_served_by(FAKE % (0, '{"return": 5}'))
        for single in (NAME, EFFECT):
            with self.assertRaises(errors.ChannelTimeout):
                self.ask(single)


class LibvirtdTest(StandardChannelTest):
    def test_one_that_is_away_is_told_from_a_guest_that_is(self):
        self.assertEqual([ANSWER], self.ask(NAME))
        self.libvirtd.stop()
        try:
            for single in (NAME, EFFECT):
                with self.assertRaises(errors.ServiceUnavailable):
                    self.ask(single)
        finally:
            self.libvirtd.start()
        self.assert_recovers()

    def test_one_that_goes_away_ends_what_it_was_asked(self):
        self.hang_agent()
        outcome = self.start_asking(NAME)
        time.sleep(1)
        self.libvirtd.stop()
        try:
            self.wait_until(lambda: outcome)
            self.assertIsInstance(outcome[0], errors.ServiceUnavailable)
        finally:
            self.libvirtd.start()
        self.wake_agent()
        self.assert_recovers()

    def test_one_that_hangs_does_not_hold_us_for_ever(self):
        self.assertEqual([ANSWER], self.ask(NAME))
        pid = int((self.libvirtd.root / 'run/libvirtd.pid').read_text())
        os.kill(pid, signal.SIGSTOP)
        try:
            outcome = self.start_asking(NAME)
            self.wait_until(lambda: outcome)
            self.assertIsInstance(outcome[0], errors.ServiceUnavailable)
        finally:
            os.kill(pid, signal.SIGCONT)
        self.assert_recovers()
