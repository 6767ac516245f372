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

"""What is said where a real RabbitMQ does not take a controller."""

import unittest
import urllib.parse

import fixtures
import oslo_messaging as messaging

from nova_qga import errors
from nova_qga.rpc import caller
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import shared


class BrokerTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.port = urllib.parse.urlsplit(shared.broker().url).port

    def refused(self, url, **overrides):
        conf = self.useFixture(notifications.Messaging(url)).conf
        transport = messaging.get_rpc_transport(conf)
        self.addCleanup(transport.cleanup)
        for name, value in overrides.items():
            conf.set_override(name, value, 'oslo_messaging_rabbit')
        with self.assertRaises(errors.ServiceUnavailable) as caught:
            caller.RpcCaller(transport, {}).call('nobody', 'ping', {}, 30)
        self.assertNotIsInstance(caught.exception, caller.NoAnswer)
        told = str(caught.exception)
        self.assertNotIn('pa55word', told)
        return told

    def test_a_wrong_password_is_said(self):
        told = self.refused(f'rabbit://guest:pa55word@127.0.0.1:{self.port}/')
        self.assertIn('user and password', told)

    def test_a_wrong_virtual_host_is_said(self):
        told = self.refused(f'rabbit://guest:guest@127.0.0.1:{self.port}/no')
        self.assertIn('virtual host', told)

    def test_tls_against_a_plain_port_is_said(self):
        told = self.refused(
            f'rabbit://guest:guest@127.0.0.1:{self.port}/', ssl=True
        )
        self.assertIn('TLS', told)

    def test_the_first_broker_that_answers_is_used(self):
        told = self.refused(
            'rabbit://guest:guest@127.0.0.1:1,guest:guest@localhost:1,'
            f'guest:guest@127.0.0.1:{self.port}/'
        )
        self.assertIn('nova-qga-agent on nobody is not connected', told)
