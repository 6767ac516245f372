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

"""channel attach: one row a guest, and no end to the others by one."""

import json
import unittest

from nova_qga import errors
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

OTHER = '00000000-0000-4000-8000-000000000003'


class AttachTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()
        self.api.results['attach_channel'] = {
            'attached': True,
            'controller': False,
        }

    def rows(self, *argv):
        self.ended = run_cli.run(
            'channel', 'attach', *argv, '-f', 'json', api=self.api
        )
        return [
            (row['UUID'], row['Result'], row['Message'])
            for row in json.loads(self.ended.out)
        ]

    def test_the_servers_that_are_named(self):
        found = self.rows(fake_api.UUID, OTHER)
        self.assertEqual(
            [(fake_api.UUID, 'attached', None), (OTHER, 'attached', None)],
            found,
        )
        self.assertEqual(0, self.ended.code)

    def test_one_that_has_it_is_left_alone(self):
        self.api.results['attach_channel'] = {'attached': False}
        [(_, result, _)] = self.rows(fake_api.UUID)
        self.assertEqual('there', result)
        self.assertEqual(0, self.ended.code)

    def test_one_that_fails_is_told_and_the_others_are_done(self):
        self.api.failures['attach_channel'] = [
            fake_api.error('guest_unavailable', 'reboot it hard'),
            errors.OutcomeUnknown('libvirtd has not answered'),
            errors.ServiceUnavailable('no agent there'),
            None,
        ]
        found = self.rows(*[fake_api.UUID] * 4)
        self.assertEqual(
            [
                ('failed', 'reboot it hard'),
                ('unknown', 'libvirtd has not answered'),
                ('failed', 'no agent there'),
                ('attached', None),
            ],
            [row[1:] for row in found],
        )
        self.assertEqual(1, self.ended.code)

    def test_one_that_is_to_have_none_is_no_failure(self):
        refusal = fake_api.error('guest_unavailable', 'its image says no')
        self.api.failures['attach_channel'] = [
            {**refusal, 'reason': 'declined'}
        ]
        [(_, result, message)] = self.rows(fake_api.UUID)
        self.assertEqual(('declined', 'its image says no'), (result, message))
        self.assertEqual(0, self.ended.code)

    def test_all_that_run_and_lack_it(self):
        web, off = self.api.guests
        web['channels'] = web['channels'][:1]
        has = {**web, 'instance_uuid': OTHER, 'channels': [{'kind': 'direct'}]}
        self.api.guests = [web, off, has]
        [(uuid, result, _)] = self.rows('--all-missing')
        self.assertEqual((fake_api.UUID, 'attached'), (uuid, result))

    def test_it_wants_to_know_which(self):
        for argv in ((), (fake_api.UUID, '--all-missing')):
            ended = run_cli.run('channel', 'attach', *argv, api=self.api)
            self.assertEqual(2, ended.code)
            self.assertIn('--all-missing', ended.err)
