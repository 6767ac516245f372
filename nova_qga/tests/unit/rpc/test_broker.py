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

"""Tests of finding out whether a broker is there."""

import socket
import threading
import unittest

import fixtures
import oslo_messaging as messaging

from nova_qga import errors
from nova_qga.rpc import broker
from nova_qga.tests.fixtures import notifications


class AddressesTest(fixtures.TestWithFixtures, unittest.TestCase):
    def addresses(self, url):
        conf = self.useFixture(notifications.Messaging()).conf
        return broker.addresses(messaging.TransportURL.parse(conf, url))

    def test_every_broker_is_named_with_its_own_port(self):
        self.assertEqual(
            ['a:5672', '[::1]:1234'],
            self.addresses('rabbit://u:p@a,u:p@[::1]:1234/'),
        )

    def test_what_has_no_address_is_not_named(self):
        for url in ('fake://', 'rabbit://'):
            with self.subTest(url=url):
                self.assertEqual([], self.addresses(url))


class ConnectTest(fixtures.TestWithFixtures, unittest.TestCase):
    def test_one_that_does_not_answer_costs_one_thread_in_all(self):
        silent = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(silent.close)
        port = silent.getsockname()[1]
        url = f'rabbit://u:pa55word@127.0.0.1:{port}/'
        conf = self.useFixture(notifications.Messaging(url)).conf
        made = broker.Broker(messaging.get_rpc_transport(conf))
        before = threading.active_count()
        for _ in range(3):
            with self.assertRaisesRegex(
                errors.ServiceUnavailable, f'127.0.0.1:{port}.*not answer'
            ) as caught:
                made.connect(0.05)
            self.assertNotIn('pa55word', str(caught.exception))
        self.assertLessEqual(threading.active_count(), before + 1)
