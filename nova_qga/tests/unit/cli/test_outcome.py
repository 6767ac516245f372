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

"""Results and errors of outcomes, and what a script sees of them."""

import unittest

from nova_qga.cli import outcome
from nova_qga import errors
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID


class ExitCodeTest(unittest.TestCase):
    def end(self, error, state='failed'):
        api = fake_api.FakeApi()
        api.failures['ping'] = [error]
        api.state = state
        return run_cli.run('guest', 'ping', UUID, api=api)

    def test_each_code_of_an_error_has_its_exit_code(self):
        for code, expected in (
            ('command_failed', 1),
            ('command_unsupported', 1),
            ('operation_failed', 1),
            ('invalid_reply', 1),
            ('internal', 1),
            ('of a later release', 1),
            ('invalid_request', 2),
            ('configuration', 2),
            ('guest_not_found', 3),
            ('guest_unavailable', 3),
            ('channel_timeout', 3),
            ('service_unavailable', 4),
            ('outcome_unknown', 5),
        ):
            with self.subTest(code=code):
                ended = self.end(fake_api.error(code, 'no luck'))
                self.assertEqual(expected, ended.code)
                self.assertEqual('nova-qga: no luck\n', ended.err)
                self.assertEqual('', ended.out)

    def test_the_state_goes_before_the_code(self):
        for state, expected in (('unknown', 5), ('expired', 6), ('denied', 6)):
            with self.subTest(state=state):
                ended = self.end(fake_api.error('internal'), state)
                self.assertEqual(expected, ended.code)

    def test_one_that_is_unknown_names_its_request(self):
        unknown = {
            'request_id': 'r7',
            'state': 'unknown',
            'error': {'code': 'outcome_unknown', 'message': 'no answer'},
        }
        with self.assertRaisesRegex(outcome.Failure, 'no answer.*request r7'):
            outcome.check(unknown)

    def test_what_the_api_raises_has_the_same_exit_codes(self):
        for error, expected in (
            (errors.ServiceUnavailable('the broker is away'), 4),
            (errors.OutcomeUnknown('no answer'), 5),
            (errors.InvalidRequest('no'), 2),
            (errors.ConfigurationError('no'), 2),
        ):
            with self.subTest(error=error):
                ended = self.end(error)
                self.assertEqual(expected, ended.code)
                self.assertEqual(f'nova-qga: {error}\n', ended.err)

    def test_a_bug_is_named_and_its_words_are_not_shown(self):
        ended = self.end(RuntimeError('hunter2'))
        self.assertEqual(1, ended.code)
        self.assertEqual(
            'nova-qga: unexpected RuntimeError: this is a bug; --debug shows '
            'where\n',
            ended.err,
        )

    def test_an_interrupt_is_quiet(self):
        ended = self.end(KeyboardInterrupt())
        self.assertEqual((130, '', ''), ended[:3])

    def test_a_traceback_is_shown_with_debug_alone(self):
        api = fake_api.FakeApi()
        api.failures['ping'] = [errors.ServiceUnavailable('away')]
        ended = run_cli.run('--debug', 'guest', 'ping', UUID, api=api)
        self.assertEqual(4, ended.code)
        self.assertIn('Traceback', ended.err)


class SafeTest(unittest.TestCase):
    def test_what_a_guest_says_gives_a_terminal_no_commands(self):
        api = fake_api.FakeApi()
        evil = 'a\x1b]0;owned\x07b\u202ec\nd'
        api.guests[0]['name'] = evil
        for formatter in ('table', 'csv', 'value', 'json', 'yaml'):
            with self.subTest(formatter=formatter):
                ended = run_cli.run('guest', 'list', '-f', formatter, api=api)
                self.assertEqual(0, ended.code)
                self.assertIn('owned', ended.out)
                for char in '\x1b\x07\u202e':
                    self.assertNotIn(char, ended.out)

    def test_what_a_guest_says_in_an_error_is_one_line(self):
        api = fake_api.FakeApi()
        api.failures['ping'] = [fake_api.error('protocol', 'a\nb\x1b[2J')]
        ended = run_cli.run('guest', 'ping', UUID, api=api)
        self.assertEqual('nova-qga: a\\nb\\x1b[2J\n', ended.err)

    def test_a_key_of_a_mapping_is_made_safe_too(self):
        cleaned = outcome.check(
            {'state': 'succeeded', 'result': {'a\x1b': ['b\x00', 1, None]}}
        )
        self.assertEqual({'a\\x1b': ['b\\x00', 1, None]}, cleaned['result'])

    def test_what_is_escaped_already_stays_as_it_is(self):
        once = outcome.safe('a\\b\x1b')
        self.assertEqual('a\\b\\x1b', once)
        self.assertEqual(once, outcome.safe(once))
