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


"""operation show: whom it asks, and what it shows."""

import json
import unittest

from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

KNOWN = {
    'operation': 'write_file',
    'instance_uuid': fake_api.UUID,
    'state': 'failed',
    'channel': 'direct',
    'error': {
        'code': 'operation_failed',
        'reason': None,
        'message': 'no space \x1b[2J',
        'done': 7,
    },
    'counts': {'bytes_written': 7},
    'requested_by': {'user_id': 'alice', 'project_id': ''},
    'began': '2026-11-24T12:00:00.000+00:00',
    'ended': None,
}


class ShowOperationTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()
        self.api.operations['compute-2', 'r1'] = KNOWN

    def run_it(self, *hosts, request='r1'):
        options = [word for host in hosts for word in ('--host', host)]
        return run_cli.run(
            'operation', 'show', request, '-f', 'json',
            api=self.api, host=options,
        )  # fmt: skip

    def test_the_host_that_knows_it_tells(self):
        for hosts in (('compute-2',), ('compute-1', 'compute-2')):
            with self.subTest(hosts=hosts):
                ended = self.run_it(*hosts)
                self.assertEqual(0, ended.code, ended.err)
                shown = json.loads(ended.out)
                self.assertEqual('r1', shown['request_id'])
                self.assertEqual('compute-2', shown['host'])
                self.assertEqual('failed', shown['state'])
                self.assertEqual(7, shown['bytes_written'])
                self.assertEqual('alice', shown['requested_by_user'])

    def test_nothing_that_it_shows_reaches_a_terminal_raw(self):
        self.assertNotIn('\x1b', json.loads(self.run_it('compute-2').out))
        self.assertIn(
            r'\x1b[2J',
            json.loads(self.run_it('compute-2').out)['error_message'],
        )

    def test_one_that_nobody_knows_is_a_failure(self):
        ended = self.run_it('compute-1')
        self.assertEqual(1, ended.code)
        self.assertIn('knows a request r1', ended.err)

    def test_a_host_that_refuses_says_why(self):
        self.api.state = 'denied'
        self.api.failures['get_operation'] = [fake_api.error('denied')]
        ended = self.run_it('compute-2')
        self.assertEqual(6, ended.code)
