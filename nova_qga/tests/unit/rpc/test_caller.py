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
        made = caller.RpcCaller(transport)
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


class AddressesTest(fixtures.TestWithFixtures, unittest.TestCase):
    def addresses(self, url):
        conf = self.useFixture(notifications.Messaging()).conf
        return caller._addresses(messaging.TransportURL.parse(conf, url))

    def test_every_broker_is_tried_at_its_own_port(self):
        self.assertEqual(
            [('a', 5672), ('b', 1234)],
            self.addresses('rabbit://u:p@a,u:p@b:1234/'),
        )

    def test_what_has_no_address_is_not_tried(self):
        for url in ('fake://', 'rabbit://'):
            with self.subTest(url=url):
                self.assertEqual([], self.addresses(url))
