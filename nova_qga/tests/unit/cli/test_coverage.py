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

"""guest coverage: rows, totals, and hosts that do not answer."""

import json
import unittest

from nova_qga.cli import compute_api
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import fake_nova
from nova_qga.tests.fixtures import run_cli

DARK = fake_api.covered(
    '00000000-0000-4000-8000-000000000002',
    name='db',
    project_id='p2',
    channels=[],
    channel=None,
    agent_version=None,
    status='dark',
    reason='no_channel',
    message='it was built before',
)
LIMITED = fake_api.covered(
    '00000000-0000-4000-8000-000000000003',
    name='old',
    channels=['standard'],
    channel='standard',
    blocked=['guest-exec'],
    lacking={'execute': ['guest-exec']},
    status='limited',
    reason='blocked',
    message='it blocks',
)


class CoverageTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()
        self.api.coverage = [fake_api.covered(), DARK, LIMITED]

    def rows(self, *argv, **more):
        ended = run_cli.run(
            'guest', 'coverage', *argv, '-f', 'json', api=self.api, **more
        )
        self.code = ended.code
        return json.loads(ended.out)

    def test_a_row_a_guest(self):
        well, dark, limited = self.rows()
        self.assertEqual(
            {
                'UUID': fake_api.UUID,
                'Name': 'web',
                'Host': fake_api.HOST,
                'Channel': 'direct,standard',
                'Agent': True,
                'Version': '10.0.3',
                'Blocked': 0,
                'Reason': None,
                'Message': None,
            },
            well,
        )
        self.assertEqual(
            ('none', False, 'no_channel'),
            tuple(dark[key] for key in ('Channel', 'Agent', 'Reason')),
        )
        self.assertEqual(1, limited['Blocked'])

    def test_more_of_each_where_it_is_wanted(self):
        *_, limited = self.rows('--long')
        self.assertEqual(['guest-exec'], limited['Blocked Commands'])
        self.assertEqual(['execute'], limited['Lost Operations'])
        self.assertEqual('limited', limited['Status'])

    def test_only_the_dark_ones(self):
        self.assertEqual(['db'], [row['Name'] for row in self.rows('--dark')])

    def test_totals_by_host(self):
        [row] = self.rows('--totals', 'host')
        self.assertEqual(
            {
                'Host': fake_api.HOST,
                'Guests': 3,
                'Channel': 2,
                'Direct': 1,
                'Agent': 2,
                'Limited': 1,
                'Dark': 1,
                'Reasons': {'no_channel': 1, 'blocked': 1},
                'Error': None,
            },
            row,
        )

    def test_totals_by_project(self):
        first, second = self.rows('--totals', 'project')
        self.assertEqual(('p1', 2, 0), three(first))
        self.assertEqual(('p2', 1, 1), three(second))

    def test_a_host_that_is_not_asked_is_there_with_why(self):
        nova = fake_nova.FakeNova(
            compute_api.ComputeHost(fake_api.HOST, None),
            compute_api.ComputeHost('compute-2', 'it is down'),
        )
        rows = self.rows('--totals', 'host', nova=nova, host=())
        self.assertEqual(7, self.code)
        self.assertEqual(
            [(fake_api.HOST, 3), ('compute-2', None)],
            [(row['Host'], row['Guests']) for row in rows],
        )
        self.assertEqual('it is down', rows[1]['Error'])


def three(row):
    return row['Project'], row['Guests'], row['Dark']
