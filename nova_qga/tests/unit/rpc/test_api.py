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

"""Tests of the controller's client."""

import datetime
import time
import unittest

from passlib import hash as password_hash

from nova_qga import errors
from nova_qga.rpc import api
from nova_qga.rpc import local
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import scripted_caller

UUID = known_host.UUID
HOST = known_host.HOST


class RequestTest(unittest.TestCase):
    def setUp(self):
        self.caller = scripted_caller.ScriptedCaller()
        self.api = api.Api(self.caller, timeout=30)

    def sent(self):
        return self.caller.calls[-1]

    def test_each_request_has_an_id_of_its_own_and_an_expiry(self):
        ids = set()
        for _ in range(3):
            self.api.ping(HOST, UUID)
            _, _, arguments, _ = self.sent()
            ids.add(arguments['request_id'])
            expires = datetime.datetime.fromisoformat(arguments['expires_at'])
            left = expires.timestamp() - time.time()
            self.assertTrue(0 < left <= 30, left)
        self.assertEqual(3, len(ids))

    def test_a_password_is_hashed_before_it_leaves(self):
        self.api.set_password(HOST, UUID, 'root', 'pa55word')
        host, method, arguments, _ = self.sent()
        self.assertEqual((HOST, 'set_password'), (host, method))
        self.assertTrue(arguments['crypted'])
        self.assertNotIn('pa55word', repr(arguments))
        self.assertTrue(arguments['password'].startswith('$6$'))
        self.assertTrue(
            password_hash.sha512_crypt.verify(
                'pa55word', arguments['password']
            )
        )

    def test_two_hashes_of_one_password_differ(self):
        self.assertNotEqual(api.hash_password('x'), api.hash_password('x'))

    def test_a_guest_that_takes_no_hash_gets_the_clear_text(self):
        self.api.set_password(HOST, UUID, 'Admin', 'pa55word', crypt=False)
        _, _, arguments, _ = self.sent()
        self.assertEqual('pa55word', arguments['password'])
        self.assertFalse(arguments['crypted'])

    def test_what_the_api_sends_is_what_the_endpoint_takes(self):
        host = known_host.KnownHost()
        client = api.Api(
            local.LocalCaller(host.endpoint, known_host.ADMIN), timeout=30
        )
        key = (
            'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICijG/6/pWkqQrplBqqI/'
            'Mx1RIaxSzAc8+rt1wQYKLpK'
        )
        for ended in (
            client.set_password(HOST, UUID, 'root', 'pa55word'),
            client.add_ssh_keys(HOST, UUID, 'root', [key], replace=True),
            client.remove_ssh_keys(HOST, UUID, 'root', (key,)),
            client.list_ssh_keys(HOST, UUID, 'root'),
            client.write_file(HOST, UUID, '/x', b'abc', size=3),
            client.read_file(HOST, UUID, '/x', length=3),
            client.get_info(HOST, UUID),
            client.ping(HOST, UUID),
            client.list_guests(HOST),
            client.get_metrics(HOST, UUID),
        ):
            with self.subTest(operation=ended['operation']):
                self.assertEqual(
                    ('succeeded', None), (ended['state'], ended['error'])
                )


class LocalCallerTest(unittest.TestCase):
    def test_only_what_is_exposed_can_be_called(self):
        host = known_host.KnownHost()
        called = local.LocalCaller(host.endpoint, known_host.ADMIN)
        for method in ('_operations', '__init__', 'no_such', ''):
            with self.subTest(method=method):
                with self.assertRaises(errors.InvalidRequest):
                    called.call(HOST, method, {}, 1)
