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

"""Tests of how errors become outcomes."""

import json
import unittest

from nova_qga import errors
from nova_qga.rpc import outcome

#: One of each class that may be raised, and what an outcome says of it.
EXPECTED = [
    (errors.QgaError('m'), 'failed', 'internal'),
    (errors.ConfigurationError('m'), 'failed', 'configuration'),
    (errors.InvalidRequest('m'), 'failed', 'invalid_request'),
    (errors.UnknownKey('m'), 'failed', 'unknown_key'),
    (errors.Denied('m'), 'denied', 'denied'),
    (errors.ServiceUnavailable('m'), 'failed', 'service_unavailable'),
    (errors.RequestNotFound('m'), 'failed', 'request_not_found'),
    (errors.GuestNotFound('m'), 'failed', 'guest_not_found'),
    (errors.GuestUnavailable('paused', 'm'), 'failed', 'guest_unavailable'),
    (errors.ChannelError('m'), 'failed', 'channel'),
    (errors.ChannelBusy('m'), 'failed', 'channel_busy'),
    (errors.ChannelClosed('m'), 'failed', 'channel_closed'),
    (errors.ChannelTimeout('m'), 'failed', 'channel_timeout'),
    (errors.ProtocolError('m'), 'failed', 'protocol'),
    (errors.MalformedMessage('m'), 'failed', 'malformed_message'),
    (errors.MessageTooLarge(2, 1), 'failed', 'message_too_large'),
    (errors.InvalidReply('m'), 'failed', 'invalid_reply'),
    (errors.CommandError('GenericError', 'm'), 'failed', 'command_failed'),
    (
        errors.CommandUnsupported('CommandNotFound', 'm'),
        'failed',
        'command_unsupported',
    ),
    (errors.OperationFailed('m', done=3), 'failed', 'operation_failed'),
    (errors.OutcomeUnknown('m'), 'unknown', 'outcome_unknown'),
]


def family(cls):
    """A class and all that derive from it, in errors.py."""
    found = {cls}
    for child in cls.__subclasses__():
        if child.__module__ == errors.__name__:
            found |= family(child)
    return found


class DescribeTest(unittest.TestCase):
    def test_every_class_of_errors_is_expected_here(self):
        self.assertEqual(
            family(errors.QgaError), {type(error) for error, *_ in EXPECTED}
        )

    def test_each_has_a_state_and_a_code(self):
        for error, state, code in EXPECTED:
            with self.subTest(error=type(error).__name__):
                self.assertEqual(state, outcome.state_after(error))
                described = outcome.describe(error)
                self.assertEqual(code, described['code'])
                self.assertEqual(str(error), described['message'])
                self.assertEqual(described, json.loads(json.dumps(described)))

    def test_a_reason_and_what_was_done_are_told(self):
        unavailable = errors.GuestUnavailable('paused', 'm')
        self.assertEqual('paused', outcome.describe(unavailable)['reason'])
        failed = errors.OperationFailed('m', done=3)
        self.assertEqual(3, outcome.describe(failed)['done'])
        self.assertNotIn('done', outcome.describe(unavailable))

    def test_a_program_that_runs_on_is_told(self):
        unknown = errors.OutcomeUnknown('m', pid=42)
        self.assertEqual(42, outcome.describe(unknown)['pid'])
        unknown = errors.OutcomeUnknown('m')
        self.assertNotIn('pid', outcome.describe(unknown))


class OutcomeTest(unittest.TestCase):
    def test_its_form_is_what_callers_rely_on(self):
        ended = outcome.Outcome('r1', 'ping', 'u1', 'compute-1', 'succeeded')
        self.assertEqual(
            {
                'request_id': 'r1',
                'operation': 'ping',
                'instance_uuid': 'u1',
                'host': 'compute-1',
                'state': 'succeeded',
                'channel': None,
                'result': None,
                'error': None,
            },
            ended.to_dict(),
        )

    def test_a_result_is_in_no_repr(self):
        ended = outcome.Outcome(
            'r1', 'read_file', 'u1', 'c', 'succeeded', None, {'content': 'c2U'}
        )
        self.assertNotIn('c2U', repr(ended))
