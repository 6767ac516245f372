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
from nova_qga.rpc import password
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import scripted_caller

UUID = known_host.UUID
HOST = known_host.HOST


class Listening:
    """Passes calls on.

    :ivar heard: method and arguments of each
    :ivar before: method -> what is done before its next calls
    """

    def __init__(self, caller):
        self.caller = caller
        self.heard = []
        self.before = {}

    def call(self, host, method, arguments, timeout):
        self.heard.append((method, dict(arguments)))
        waiting = self.before.get(method)
        if waiting:
            waiting.pop()()
        return self.caller.call(host, method, arguments, timeout)


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
        self.assertNotIn('pa55word', repr(arguments))
        self.assertTrue(arguments['crypted'].startswith('$6$'))
        self.assertTrue(
            password_hash.sha512_crypt.verify('pa55word', arguments['crypted'])
        )

    def test_two_hashes_of_one_password_differ(self):
        self.assertNotEqual(password.hashed('x'), password.hashed('x'))

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
            client.set_password(HOST, UUID, 'Admin', 'x', crypt=False),
            client.get_public_key(HOST),
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


class SealedTest(unittest.TestCase):
    """For a guest that takes no hash."""

    def setUp(self):
        self.host = known_host.KnownHost()
        self.caller = Listening(
            local.LocalCaller(self.host.endpoint, known_host.ADMIN)
        )
        self.api = api.Api(self.caller, timeout=30)

    def set(self):
        return self.api.set_password(
            HOST, UUID, 'Admin', 'pa55word', crypt=False
        )

    def methods(self):
        return [method for method, _ in self.caller.heard]

    def test_the_password_reaches_the_guest_and_no_message(self):
        ended = self.set()
        self.assertEqual(('succeeded', None), (ended['state'], ended['error']))
        [command] = self.host.agent_of.executed
        self.assertEqual(
            {
                'username': 'Admin',
                'password': 'cGE1NXdvcmQ=',
                'crypted': False,
            },
            command.arguments,
        )
        self.assertEqual(['get_public_key', 'set_password'], self.methods())
        heard = repr(self.caller.heard)
        self.assertNotIn('pa55word', heard)
        self.assertNotIn('cGE1NXdvcmQ', heard)

    def test_the_direct_channel_is_preferred(self):
        self.set()
        self.assertTrue(self.host.direct_first)

    def test_a_key_that_was_rotated_away_is_fetched_again_once(self):
        self.caller.before = {
            'set_password': [lambda: self.host.keys.rotate(0)]
        }
        ended = self.set()
        self.assertEqual('succeeded', ended['state'])
        self.assertEqual(
            ['get_public_key', 'set_password'] * 2, self.methods()
        )
        ids = {
            arguments['request_id']
            for method, arguments in self.caller.heard
            if method == 'set_password'
        }
        self.assertEqual(2, len(ids), 'the first has had its end')

    def test_one_that_is_always_rotated_away_is_said_to_be(self):
        self.caller.before = {
            'set_password': [lambda: self.host.keys.rotate(0)] * 9
        }
        ended = self.set()
        self.assertEqual('unknown_key', ended['error']['code'])
        self.assertIn('fetch its public key', ended['error']['message'])
        self.assertEqual(4, len(self.caller.heard))
        self.assertEqual([], self.host.agent_of.executed)

    def test_a_key_that_cannot_be_had_is_how_it_ends(self):
        self.api = api.Api(
            local.LocalCaller(self.host.endpoint, {}), timeout=30
        )
        ended = self.set()
        self.assertEqual(
            ('set_password', UUID, 'denied'),
            (ended['operation'], ended['instance_uuid'], ended['state']),
        )

    def test_what_is_no_key_is_not_sealed_to(self):
        for key in ('', '!', 'QUJD', 'A' * 43 + '='):
            answer = {'result': {'public_key': key, 'key_id': 'x'}}
            called = scripted_caller.ScriptedCaller(answer)
            with self.subTest(key=key):
                with self.assertRaises(errors.InvalidRequest):
                    api.Api(called).set_password(
                        HOST, UUID, 'Admin', 'pa55word', crypt=False
                    )
                self.assertEqual(1, len(called.calls))


class LocalCallerTest(unittest.TestCase):
    def test_only_what_is_exposed_can_be_called(self):
        host = known_host.KnownHost()
        called = local.LocalCaller(host.endpoint, known_host.ADMIN)
        for method in ('_operations', '__init__', 'no_such', ''):
            with self.subTest(method=method):
                with self.assertRaises(errors.InvalidRequest):
                    called.call(HOST, method, {}, 1)
