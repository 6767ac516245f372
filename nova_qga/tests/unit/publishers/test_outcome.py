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

"""Tests of outcomes as notifications."""

import unittest

from nova_qga.journal import requests
from nova_qga.publishers import outcome as outcome_event
from nova_qga.rpc import outcome

OWNER = requests.Owner('web', 'project-1', 'user-1')
ASKED_BY = requests.Requester('user-2', 'project-2')


def ended(state, **more):
    return outcome.Outcome(
        'r1', 'write_file', 'uuid-1', 'compute-1', state, 'direct', **more
    ).to_dict()


class EventTest(unittest.TestCase):
    def test_success_is_an_end_that_informs(self):
        event = outcome_event.event(ended('succeeded'), OWNER, ASKED_BY)
        self.assertEqual('info', event.priority)
        self.assertEqual('instance.guest.write_file.end', event.event_type)
        self.assertEqual(
            {
                'request_id': 'r1',
                'instance_id': 'uuid-1',
                'tenant_id': 'project-1',
                'user_id': 'user-1',
                'display_name': 'web',
                'host': 'compute-1',
                'operation': 'write_file',
                'state': 'succeeded',
                'channel': 'direct',
                'error': None,
                'requested_by': {
                    'user_id': 'user-2',
                    'project_id': 'project-2',
                },
            },
            event.payload,
        )

    def test_every_other_state_is_an_error(self):
        for state in outcome.STATES:
            if state != outcome.SUCCEEDED:
                with self.subTest(state=state):
                    event = outcome_event.event(ended(state), OWNER, ASKED_BY)
                    self.assertEqual('error', event.priority)
                    self.assertEqual(
                        'instance.guest.write_file.error', event.event_type
                    )

    def test_the_error_is_told_and_the_result_is_not(self):
        error = {'code': 'c', 'reason': None, 'message': 'm', 'done': 5}
        event = outcome_event.event(
            ended('failed', error=error, result={'content': 'c2VjcmV0'}),
            OWNER,
            ASKED_BY,
        )
        self.assertEqual(error, event.payload['error'])
        self.assertNotIn('c2VjcmV0', repr(event))
