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

"""What a QEMU channel does with a client that follows no rule.

Nothing of nova-qga is here: the rules of its transport layer rest on this,
so it should be noticed when a QEMU does otherwise.
"""

import asyncio
import contextlib
import socket

from nova_qga.tests.fixtures import process
from nova_qga.tests.functional.transport import base

PASSWORD = '$6$stale$' + 's' * 86


class NoAgentTest(base.DirectChannelTest):
    def test_what_a_client_that_stays_sent_is_run_once_an_agent_starts(self):
        self.stop_agent()
        client = self.client()
        self.make_marker(client)
        self.assertTrue(client.hears_nothing())
        self.start_agent()
        self.assertIs(int, type(client.receive()['return']))
        self.assert_marked()

    def test_what_a_client_that_left_had_sent_is_dropped(self):
        self.stop_agent()
        client = self.client()
        self.make_marker(client)
        client.close()
        self.start_agent()
        self.assert_unmarked()

    def test_a_stale_password_is_set_once_an_agent_starts(self):
        self.stop_agent()
        client = self.client()
        self.set_password(client, PASSWORD)
        self.assertTrue(client.hears_nothing())
        self.assertNotEqual(PASSWORD, self.password())
        self.start_agent()
        self.assertEqual({'return': {}}, client.receive())
        self.assertEqual(PASSWORD, self.password())


class SecondClientTest(base.DirectChannelTest):
    def test_it_is_served_when_the_first_leaves(self):
        first = self.client()
        first.sync()
        second = self.client()
        self.make_marker(second)
        self.assertTrue(second.hears_nothing())
        self.assertFalse(self.marker_exists())
        first.close()
        self.assertIs(int, type(second.receive()['return']))
        self.assert_marked()

    def test_what_it_sent_is_run_even_if_it_has_left_before(self):
        first = self.client()
        first.sync()
        second = self.client()
        self.make_marker(second)
        second.close()
        self.assertFalse(self.marker_exists())
        first.close()
        self.assert_marked()

    def test_a_fourth_finds_the_backlog_full(self):
        first = self.client()
        first.sync()
        for _ in range(2):
            self.client()
        with socket.socket(socket.AF_UNIX) as fourth:
            fourth.setblocking(False)
            with self.assertRaises(BlockingIOError):
                fourth.connect(str(self.vm.direct_socket))

    def test_and_asyncio_does_not_notice(self):
        first = self.client()
        first.sync()
        for _ in range(2):
            self.client()

        async def connect():
            path = str(self.vm.direct_socket)
            reader, writer = await asyncio.open_unix_connection(path)
            with contextlib.closing(writer):
                return await reader.read()

        with self.assertRaises(OSError):
            asyncio.run(connect())


class RestartTest(base.DirectChannelTest):
    def test_the_next_agent_runs_what_was_sent_between_two(self):
        client = self.client()
        client.sync()
        self.stop_agent('KILL')
        self.make_marker(client)
        self.assertTrue(client.hears_nothing())
        self.start_agent()
        self.assertIs(int, type(client.receive()['return']))
        self.assert_marked()

    def test_a_reply_that_its_agent_did_not_end_stays_a_fragment(self):
        self.vm.inspect('dd if=/dev/zero of=/tmp/large bs=1M count=4')
        client = self.client()
        handle = client.ask('guest-file-open', path='/tmp/large')
        client.send('guest-file-read', handle=handle, count=4 << 20)
        # Unread, it fills every buffer up to the agent's own.
        self.vm.inspect('sleep 3')
        self.stop_agent('KILL')
        self.start_agent()
        before = client.sync()
        self.assertTrue(before.startswith(b'{"return": {"'))
        self.assertNotIn(b'"eof"', before)

    def test_a_reset_is_not_seen_and_the_next_boot_runs_what_was_sent(self):
        client = self.client()
        client.sync()
        self.vm.reset()
        self.make_marker(client)
        self.assertTrue(client.hears_nothing())
        self.vm.wait_for_agents()
        self.assertIs(int, type(client.receive()['return']))
        self.assert_marked()


class HungAgentTest(base.DirectChannelTest):
    def setUp(self):
        super().setUp()
        client = self.client()
        client.sync()
        self.hang_agent()
        self.make_marker(client)
        self.assertTrue(client.hears_nothing())
        client.close()

    def test_it_runs_what_it_was_sent_and_spins_until_a_client_comes(self):
        self.wake_agent()
        self.assert_marked()
        before = self.ticks()
        self.assertTrue(
            process.wait_until(
                lambda: self.ticks() > before + 30, base.PATIENCE
            )
        )
        # Whoever that is gets an answer to what it has not asked.
        self.assertIs(int, type(self.client().receive()['return']))

    def test_a_client_that_came_before_gets_the_answer(self):
        client = self.client()
        self.wake_agent()
        self.assertIs(int, type(client.receive()['return']))
        self.assert_marked()


class PowerTest(base.DirectChannelTest):
    def test_a_paused_guest_answers_when_it_goes_on(self):
        client = self.client()
        client.sync()
        with self.paused():
            self.make_marker(client)
            self.assertTrue(client.hears_nothing())
        self.assertIs(int, type(client.receive()['return']))

    def test_the_end_of_qemu_is_an_end_of_file(self):
        client = self.client()
        client.sync()
        self.quit()
        self.assertEqual(b'', client.receive())
