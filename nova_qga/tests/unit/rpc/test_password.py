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

"""set_password: what it takes, and how its sealed form ends."""

import base64
import itertools
import unittest

from nova_qga import errors
from nova_qga.rpc import password
from nova_qga.rpc import sealing
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import scripted_guest

UUID = known_host.UUID
HASH = '$6$rounds=5000$salt$' + 'x' * 86
BOX = base64.b64encode(b'box').decode()
COMMAND = 'guest-set-user-password'
#: No two requests have the same id.
NUMBERS = itertools.count()


class ArgumentsTest(unittest.TestCase):
    def setUp(self):
        self.host = known_host.KnownHost()

    def refuse(self, words, **arguments):
        ended = self.host.run(
            'set_password', **{'username': 'root', **arguments}
        )
        self.assertEqual(
            ('failed', 'invalid_request'), (ended.state, ended.error['code'])
        )
        self.assertRegex(ended.error['message'], words)
        self.assertEqual([], self.host.agent_of.executed)
        self.assertEqual([], self.host.reached)

    def test_it_is_a_hash_or_a_box_with_its_key(self):
        both = {'sealed': BOX, 'key_id': 'k'}
        for number, arguments in enumerate(
            (
                {},
                {'crypted': HASH, **both},
                {'crypted': HASH, 'key_id': 'k'},
                {'sealed': BOX},
                {'key_id': 'k'},
                {'crypted': None, 'sealed': None, 'key_id': None},
            )
        ):
            with self.subTest(arguments=arguments):
                self.refuse(
                    'one of them|key_id belongs',
                    request_id=f'r{number}',
                    **arguments,
                )

    def test_clear_text_is_no_argument_and_is_not_repeated(self):
        for number, arguments in enumerate(
            (
                {'password': 'hunter2'},
                {'password': 'hunter2', 'crypted': False},
                {'password': HASH, 'crypted': True},
                {'crypted': 'hunter2'},
                {'sealed': 'hunter2!', 'key_id': 'k'},
            )
        ):
            with self.subTest(arguments=arguments):
                self.refuse('.', request_id=f'r{number}', **arguments)
        for event in self.host.told:
            self.assertNotIn('hunter2', repr(event))

    def test_a_box_has_a_limit(self):
        large = base64.b64encode(bytes(sealing.MAX_SEALED + 1)).decode()
        self.refuse('sealed must be', sealed=large, key_id='k')
        self.refuse(
            'key_id must be', request_id='r2', sealed=BOX, key_id='k' * 65
        )


class SealedTest(unittest.TestCase):
    def setUp(self):
        self.host = known_host.KnownHost()

    def sealed(self, clear='hunter2', uuid=UUID, username='Admin'):
        key = self.host.endpoint.get_public_key(known_host.ADMIN)['result']
        request = known_host.request(f'r-{next(NUMBERS)}', instance_uuid=uuid)
        return {
            **request,
            **password.sealed(key, request, username, clear),
        }

    def fail(self, code, **arguments):
        ended = self.host.run('set_password', **arguments)
        self.assertEqual(('failed', code), (ended.state, ended.error['code']))
        self.assertNotIn('hunter2', repr(ended))
        self.assertNotIn(COMMAND, self.host.agent_of.names)
        return ended

    def test_it_is_opened_for_its_request(self):
        ended = self.host.run('set_password', **self.sealed())
        self.assertEqual('succeeded', ended.state)
        [command] = self.host.agent_of.executed
        self.assertEqual('aHVudGVyMg==', command.arguments['password'])

    def test_whoever_reads_it_cannot_use_it_for_another_guest(self):
        other = '00000000-0000-4000-8000-000000000009'
        read = self.sealed(uuid=other)
        self.fail('invalid_request', **{**read, 'instance_uuid': UUID})

    def test_nor_for_another_account_or_a_request_of_his_own(self):
        read = self.sealed()
        self.fail('invalid_request', **{**read, 'username': 'mallory'})
        self.fail('invalid_request', **{**read, 'request_id': 'again'})

    def test_nor_again_when_its_request_is_long_forgotten(self):
        read = self.sealed()
        self.assertEqual(
            'succeeded', self.host.run('set_password', **read).state
        )
        keys = self.host.keys
        # The journal of this one knows no request.
        self.host = known_host.KnownHost(keys=keys)
        later = {**read, 'expires_at': known_host.in_seconds(3600)}
        self.fail('invalid_request', **later)

    def test_a_key_that_is_not_there_is_said_to_be_so(self):
        ended = self.fail('unknown_key', **{**self.sealed(), 'key_id': 'no'})
        self.assertIn('fetch its public key', ended.error['message'])

    def test_an_old_key_works_for_its_time(self):
        first = self.sealed()
        self.host.keys.rotate(60)
        ended = self.host.run('set_password', **first)
        self.assertEqual('succeeded', ended.state)
        self.assertNotEqual(first['key_id'], self.sealed()['key_id'])

    def test_what_no_guest_takes_is_refused_after_it_was_opened(self):
        for clear in ('', 'hunter2\nroot:x', 'hunter2' * 100):
            with self.subTest(clear=clear):
                self.fail('invalid_request', **self.sealed(clear))

    def test_it_is_not_opened_for_a_guest_that_would_not_take_it(self):
        self.host.agent_of = scripted_guest.ScriptedGuest(blocked=[COMMAND])
        wrong = {**self.sealed(), 'key_id': 'not looked for'}
        self.fail('command_unsupported', **wrong)

    def test_neither_a_hash_nor_what_only_looks_needs_the_direct_channel(self):
        self.host.run('set_password', username='root', crypted=HASH)
        self.assertFalse(self.host.direct_first)


class PublicKeyTest(unittest.TestCase):
    def ask(self, context=known_host.ADMIN):
        self.host = known_host.KnownHost()
        return self.host.endpoint.get_public_key(context)

    def test_it_is_told_with_its_name(self):
        answer = self.ask()
        pair = self.host.keys.current()
        self.assertEqual('succeeded', answer['state'])
        self.assertEqual(
            {
                'key_id': pair.key_id,
                'public_key': base64.b64encode(pair.public_key).decode(),
                'algorithm': 'x25519-xsalsa20-poly1305-sealed',
            },
            answer['result'],
        )

    def test_members_of_projects_may_have_it_and_nobody_else(self):
        for context, state in (
            ({'roles': ['member'], 'project_id': 'p'}, 'succeeded'),
            ({'roles': ['reader']}, 'denied'),
            ({}, 'denied'),
        ):
            with self.subTest(context=context):
                self.assertEqual(state, self.ask(context)['state'])

    def test_keys_that_cannot_be_read_are_said_to_be(self):
        def broken():
            raise errors.ServiceUnavailable('the keys are broken')

        host = known_host.KnownHost()
        host.keys.current = broken
        answer = host.endpoint.get_public_key(known_host.ADMIN)
        self.assertEqual('service_unavailable', answer['error']['code'])
        ended = host.run('set_password', username='root', crypted=HASH)
        self.assertEqual('succeeded', ended.state, 'it needs no key')
