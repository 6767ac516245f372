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

"""Tests of the checks of arguments."""

import base64
import datetime
import unittest

import hypothesis
from hypothesis import strategies

from nova_qga import errors
from nova_qga.rpc.catalog import files
from nova_qga.rpc import request
from nova_qga.rpc import user
from nova_qga.rpc import validation
from nova_qga.tests.fixtures import known_host

LIMITS = known_host.LIMITS
KEY = (
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICijG/6/pWkqQrplBqqI/'
    'Mx1RIaxSzAc8+rt1wQYKLpK alice@example'
)
HASH = '$6$rounds=5000$salt$' + 'x' * 86

VALID = {
    'set_password': {'username': 'root', 'crypted': HASH},
    'add_ssh_keys': {'username': 'root', 'keys': [KEY]},
    'remove_ssh_keys': {'username': 'root', 'keys': [KEY]},
    'rotate_ssh_keys': {'username': 'root', 'keys': [KEY]},
    'list_ssh_keys': {'username': 'root'},
    'write_file': {'path': '/tmp/x', 'content': 'YWJj'},
    'read_file': {'path': '/tmp/x'},
    'attach_channel': {},
    'get_time': {},
    'set_time': {'seconds': 1.5},
    'get_vcpus': {},
    'set_vcpus': {'online': {'1': True}},
    'get_memory_blocks': {},
    'set_memory_blocks': {'online': {'1': True}},
    'trim': {},
    'freeze': {'duration': 5, 'mountpoints': ['/', '/mnt']},
    'thaw': {},
    'get_freeze': {},
    'shutdown': {},
    'suspend': {},
    'run_command': {'command': 'guest-get-route', 'arguments': {'a': [1]}},
    'execute': {'command': ['/bin/true']},
    'get_info': {'sections': ['os', 'devices']},
    'ping': {},
}

#: What JSON can hold, and so what a message can.
JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(
        strategies.characters(exclude_categories=()), max_size=40
    ),
    lambda inner: (
        strategies.lists(inner, max_size=4)
        | strategies.dictionaries(
            strategies.text(max_size=8), inner, max_size=4
        )
    ),
    max_leaves=8,
)


def parse(operation, **arguments):
    return request.parse(
        user.User(),
        known_host.OPERATIONS[operation],
        known_host.request(**{**VALID[operation], **arguments}),
        LIMITS,
    )


class ParseTest(unittest.TestCase):
    def refuse(self, words, operation, **arguments):
        with self.assertRaisesRegex(errors.InvalidRequest, words):
            parse(operation, **arguments)

    def test_every_operation_has_arguments_that_are_taken(self):
        self.assertEqual(set(known_host.OPERATIONS), set(VALID))
        for operation in VALID:
            with self.subTest(operation=operation):
                self.assertEqual(
                    known_host.UUID, parse(operation).instance_uuid
                )

    def test_what_is_missing_is_named(self):
        for name in ('instance_uuid', 'request_id', 'expires_at', 'username'):
            given = known_host.request(**VALID['list_ssh_keys'])
            del given[name]
            with self.subTest(missing=name):
                with self.assertRaisesRegex(
                    errors.InvalidRequest, f'{name} is missing'
                ):
                    request.parse(
                        user.User(),
                        known_host.OPERATIONS['list_ssh_keys'],
                        given,
                        LIMITS,
                    )

    def test_what_is_unknown_is_refused(self):
        self.refuse('1 arguments are unknown', 'ping', force=True)

    def test_a_uuid_is_in_novas_form(self):
        for value in (
            known_host.UUID.upper(),
            f'{{{known_host.UUID}}}',
            known_host.UUID.replace('-', ''),
            known_host.UUID + '\n',
            '../../etc/passwd',
            7,
            None,
        ):
            with self.subTest(value=value):
                self.refuse(
                    'instance_uuid must be', 'ping', instance_uuid=value
                )

    def test_a_request_id_is_a_word(self):
        self.assertEqual(
            'req-1:a.b', parse('ping', request_id='req-1:a.b').request_id
        )
        for value in ('', ' ', 'a b', 'a\n', 'x' * 129, '-x', 'ä', 1, None):
            with self.subTest(value=value):
                self.refuse('request_id must be', 'ping', request_id=value)

    def test_an_expiry_is_a_time(self):
        for value in (
            '2026-01-01T00:00:00Z',
            '2026-01-01T01:00:00+01:00',
            '2026-01-01 00:00:00',
        ):
            with self.subTest(value=value):
                self.assertEqual(
                    datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
                    parse('ping', expires_at=value).expires_at,
                )
        for value in (
            '',
            'tomorrow',
            '0001-01-01T00:00:00+14:00',
            '9999-12-31T23:59:59-14:00',
            '2999-01-01T00:00:00Z',
            1767225600,
            None,
        ):
            with self.subTest(value=value):
                self.refuse('expires_at must be', 'ping', expires_at=value)

    def test_a_bool_is_no_integer_and_an_integer_no_bool(self):
        self.refuse('offset must be', 'read_file', offset=True)
        self.refuse('length must be', 'read_file', length=1.0)
        self.refuse('verify must be', 'write_file', verify=1)
        self.refuse('verify must be', 'write_file', verify='yes')

    def test_text_that_cannot_be_sent_is_refused(self):
        self.refuse('username must be', 'list_ssh_keys', username='a\ud800')
        self.refuse('username must be', 'list_ssh_keys', username='x' * 257)
        self.refuse('username must be', 'list_ssh_keys', username=b'root')

    def test_a_user_name_that_chpasswd_would_misread_is_refused(self):
        for name in ('', 'a:b', 'a\nroot:x'):
            with self.subTest(name=name):
                self.refuse('user name', 'set_password', username=name)

    def test_a_password_that_is_no_hash_is_refused_where_one_is_named(self):
        self.refuse('not a crypt', 'set_password', crypted='clear')

    def test_keys_are_a_list_of_public_keys(self):
        for keys in (KEY, [7], [KEY, None], {'0': KEY}, [KEY] * 257):
            with self.subTest(keys=keys):
                self.refuse('keys must be', 'add_ssh_keys', keys=keys)
        self.refuse('no key', 'add_ssh_keys', keys=[])
        self.refuse('key 2', 'add_ssh_keys', keys=[KEY, 'ssh-rsa nonsense'])

    def test_content_is_base64(self):
        for content in ('YWJ', 'YW J', 'ä', '_-_-', 7, None, ['YWJj']):
            with self.subTest(content=content):
                self.refuse('content must be', 'write_file', content=content)

    def test_a_part_has_at_most_one_mib(self):
        large = base64.b64encode(bytes(files.MAX_PART + 1)).decode()
        self.refuse('content must be', 'write_file', content=large)
        self.refuse('length must be', 'read_file', length=files.MAX_PART + 1)
        self.refuse('length must be', 'read_file', length=0)

    def test_a_file_over_the_limit_is_refused_at_its_first_part(self):
        limit = LIMITS.max_file_size
        parse('write_file', size=limit)
        self.refuse('max_file_size', 'write_file', size=limit + 1)
        parse('write_file', offset=limit - 3)
        self.refuse('max_file_size', 'write_file', offset=limit - 2)
        parse('read_file', offset=limit)
        self.refuse('max_file_size', 'read_file', offset=limit + 1)

    def test_a_part_that_ends_behind_the_file_is_refused(self):
        self.refuse('would have 2', 'write_file', size=2)

    def test_mode_and_owner_are_of_the_form_that_programs_take(self):
        parse('write_file', mode='0600', owner='root', group='0')
        for name, values in (
            ('mode', ('', 'u+x', 600, '99', ['0600'])),
            ('owner', ('', '-R', 'a:b', 'a\n', 0)),
            ('group', ('', '--help', 'a\0', True)),
        ):
            for value in values:
                with self.subTest(name=name, value=value):
                    self.refuse(
                        f'{name} must be', 'write_file', **{name: value}
                    )
        self.refuse('offset', 'write_file', mode='0600', offset=1)

    def test_a_path_is_absolute(self):
        for path in ('', 'x', '../x', '/a\0b'):
            with self.subTest(path=path):
                self.refuse('path', 'write_file', path=path)
                self.refuse('path', 'read_file', path=path)

    def test_a_mode_is_one_of_few_words(self):
        for mode in ('', 'off', 'POWERDOWN', None, ['halt'], 1):
            with self.subTest(mode=mode):
                self.refuse('mode must be one of', 'shutdown', mode=mode)

    def test_sections_are_some_that_are_known(self):
        parse('get_info', sections=None)
        for sections in ([], 'os', ['os', 'secrets'], [1], ['os'] * 9):
            with self.subTest(sections=sections):
                self.refuse('sections must be', 'get_info', sections=sections)

    def test_a_guest_command_is_one_that_is_allowed(self):
        for name in ('get-route', 'guest-', 'guest-A', 'guest-x\n', 'x' * 71):
            with self.subTest(name=name):
                self.refuse('command must be', 'run_command', command=name)
        with self.assertRaisesRegex(errors.Denied, 'allowed_commands'):
            parse('run_command', command='guest-get-time')

    def test_arguments_of_a_guest_command_are_a_bounded_object(self):
        deep = {}
        for _ in range(8):
            deep = {'a': deep}
        for value in (
            [],
            'a',
            None,
            deep,
            {'a': [0] * 1024},
            {'a': 'x' * 65536},
            {'a': float('nan')},
            {'a': [float('inf')]},
            {'a': 1 << 64},
            {'a': '\ud800'},
            {'\ud800': 1},
        ):
            with self.subTest(value=str(value)[:20]):
                self.refuse(
                    'arguments must be', 'run_command', arguments=value
                )
        taken = {'a': [1, 2.5, None, True, {'b': 'x' * 60_000}]}
        parsed = parse('run_command', arguments=taken)
        self.assertEqual(taken, parsed.arguments['arguments'])
        self.assertGreater(parsed.size, 60_000)

    def test_no_message_holds_what_was_given(self):
        for operation, name in (
            ('set_password', 'crypted'),
            ('set_password', 'sealed'),
            ('set_password', 'key_id'),
            ('set_password', 'password'),
            ('write_file', 'content'),
            ('ping', 'request_id'),
            ('ping', 'instance_uuid'),
            ('ping', 'expires_at'),
        ):
            with self.subTest(operation=operation, name=name):
                with self.assertRaises(errors.InvalidRequest) as caught:
                    parse(operation, **{name: 'S3cr3t word!'})
                self.assertNotIn('S3cr3t', str(caught.exception))

    def test_no_repr_holds_an_argument(self):
        parsed = parse('set_password')
        self.assertNotIn(HASH, repr(parsed))


class IdentityTest(unittest.TestCase):
    def test_what_is_valid_of_an_invalid_request_is_kept(self):
        self.assertEqual(
            ('r1', None),
            request.identity({'request_id': 'r1', 'instance_uuid': 7}),
        )
        self.assertEqual(('', None), request.identity({}))


class AnythingTest(unittest.TestCase):
    @hypothesis.settings(deadline=None)
    @hypothesis.given(
        strategies.sampled_from(sorted(known_host.OPERATIONS)),
        strategies.data(),
    )
    def test_any_value_is_taken_or_refused_and_never_fails(
        self, operation, data
    ):
        given = known_host.request(**VALID[operation])
        names = strategies.sampled_from(sorted(given))
        for name in data.draw(strategies.sets(names, min_size=1)):
            given[name] = data.draw(JSON)
        try:
            parsed = request.parse(
                user.User(), known_host.OPERATIONS[operation], given, LIMITS
            )
        except (errors.InvalidRequest, errors.Denied):
            return
        self.assertEqual(given['instance_uuid'], parsed.instance_uuid)

    @hypothesis.settings(deadline=None)
    @hypothesis.given(
        strategies.sampled_from(sorted(known_host.OPERATIONS)),
        strategies.dictionaries(
            strategies.text(max_size=12), JSON, max_size=6
        ),
    )
    def test_arbitrary_arguments_end_in_an_outcome_and_run_nothing(
        self, operation, given
    ):
        host = known_host.KnownHost()
        called = getattr(host.endpoint, operation)
        outcome = called({}, **given)
        self.assertEqual('failed', outcome['state'])
        self.assertEqual('invalid_request', outcome['error']['code'])
        self.assertEqual([], host.reached)
        self.assertEqual([], host.agent_of.executed)


class MomentTest(unittest.TestCase):
    @hypothesis.settings(deadline=None)
    @hypothesis.given(strategies.text(max_size=50))
    def test_any_text_is_a_time_or_refused(self, value):
        try:
            parsed = validation.moment('expires_at', value)
        except errors.InvalidRequest:
            return
        self.assertEqual(datetime.UTC, parsed.tzinfo)
