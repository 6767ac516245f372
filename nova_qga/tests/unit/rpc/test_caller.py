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

"""Tests of the way to a broker that is not there."""

import socket
import threading
import unittest

import fixtures
import oslo_messaging as messaging

from nova_qga import errors
from nova_qga.rpc import caller
from nova_qga.tests.fixtures import notifications


class RpcCallerTest(fixtures.TestWithFixtures, unittest.TestCase):
    def call(self, url, timeout=1.0):
        conf = self.useFixture(notifications.Messaging()).conf
        conf.set_override('transport_url', url)
        transport = messaging.get_rpc_transport(conf)
        made = caller.RpcCaller(transport, {})
        return made.call('compute-1', 'ping', {}, timeout)

    def test_without_a_broker_it_says_so_at_once(self):
        with socket.socket() as bound:
            bound.bind(('127.0.0.1', 0))
            port = bound.getsockname()[1]
            with self.assertRaises(errors.ServiceUnavailable) as caught:
                self.call(f'rabbit://u:pa55word@127.0.0.1:{port}/')
        self.assertNotIsInstance(caught.exception, caller.NoAnswer)
        self.assertIn('transport_url', str(caught.exception))
        self.assertNotIn('pa55word', str(caught.exception))

    def test_no_answer_is_told_from_nothing_sent(self):
        with self.assertRaisesRegex(caller.NoAnswer, 'compute-1'):
            self.call('fake://', timeout=0.05)

    def test_an_error_of_another_version_is_told_without_its_text(self):
        remote = messaging.RemoteError('KeyError', 'pa55word', ['traceback'])
        told = caller._translated(remote, 'compute-1', 1.0)
        self.assertIsInstance(told, errors.ServiceUnavailable)
        self.assertIn('KeyError', str(told))
        self.assertNotIn('pa55word', str(told))

    def test_a_right_that_the_broker_refuses_is_told_with_advice(self):
        told = caller._translated(Refused(), 'compute-1', 1.0)
        self.assertIsInstance(told, errors.ServiceUnavailable)
        self.assertNotIsInstance(told, caller.NoAnswer)
        self.assertIn('set_permissions', str(told))

    def test_a_host_that_is_not_connected_may_be_in_another_cell(self):
        lost = messaging.MessageUndeliverable(None, '', '', None)
        told = caller._translated(lost, 'compute-1', 1.0)
        self.assertIn('cell', str(told))
        self.assertFalse(str(told).endswith('?'))

    def test_calls_that_are_stuck_do_not_heap_up(self):
        conf = self.useFixture(notifications.Messaging()).conf
        made = caller.RpcCaller(messaging.get_rpc_transport(conf), {})
        go_on = threading.Event()
        for _ in range(caller.MAX_STUCK):
            thread = threading.Thread(target=go_on.wait, args=(30,))
            thread.start()
            self.addCleanup(thread.join)
            made._stuck.append(thread)
        self.addCleanup(go_on.set)
        with self.assertRaises(errors.ServiceUnavailable) as caught:
            made.call('compute-1', 'ping', {}, 0.05)
        self.assertNotIsInstance(caught.exception, caller.NoAnswer)
        go_on.set()
        for thread in made._stuck:
            thread.join(30)
        with self.assertRaises(caller.NoAnswer):
            made.call('compute-1', 'ping', {}, 0.05)


class Refused(Exception):
    """As amqp.exceptions.AccessRefused."""

    reply_code = 403
