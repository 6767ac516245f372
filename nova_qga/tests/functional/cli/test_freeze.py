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

"""nova-qga freeze: two real guests, together or not at all."""

import contextlib
import json
import secrets
import unittest

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import shared


class FreezeTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        url = shared.broker().url
        self.first = shared.guest()
        self.addCleanup(self.thaw_by_hand)
        self.second = self.useFixture(
            guest_vm.GuestVM(self.first.host, name='instance-00000002')
        )
        self.listener = self.useFixture(notifications.Listener(url))
        host = f'compute-{secrets.token_hex(4)}'
        self.useFixture(
            agent_program.AgentProgram(
                self.first.host.uri,
                url,
                f"""
                [qga]
                direct_channel = {guest_vm.DIRECT}
                [qga_monitor]
                collectors =
                """,
                host=host,
            )
        )
        self.cli = self.useFixture(cli_program.remote(host, url))

    def thaw_by_hand(self):
        with self.first.domain() as domain, contextlib.suppress(Exception):
            domain.fsThaw()

    def rows(self, *words):
        return json.loads(self.cli.out(*words, '-f', 'json'))

    def is_frozen(self, vm):
        return self.rows('freeze', 'show', vm.uuid)['frozen']

    def test_both_are_frozen_and_thawed(self):
        both = (self.first.uuid, self.second.uuid)
        frozen = self.rows('freeze', *both, '--group')
        self.assertEqual(
            [(uuid, 1) for uuid in both],
            [(row['UUID'], row['Filesystems']) for row in frozen],
        )
        self.assertTrue(self.is_frozen(self.first))
        self.assertTrue(self.is_frozen(self.second))
        thawed = self.rows('thaw', *both)
        self.assertEqual([1, 1], [row['Filesystems'] for row in thawed])

    def test_one_that_leaves_the_host_is_told_of_at_once(self):
        self.rows('freeze', self.second.uuid, '--for', '3600')
        with self.second.domain() as domain:
            domain.destroy()
            domain.undefine()
        told = self.listener.next(
            'instance.guest.thaw.error', instance_id=self.second.uuid
        )
        self.assertEqual('guest_not_found', told['error']['code'])
        self.assertIn('thaw it where it is now', told['error']['message'])
        self.assertNotEqual('', told['tenant_id'])

    def test_where_one_is_off_neither_is(self):
        self.rows('freeze', self.second.uuid, '--for', '2')
        self.second.destroy()
        told = self.listener.next(
            'instance.guest.thaw.error', instance_id=self.second.uuid
        )
        self.assertEqual('shutoff', told['error']['reason'])
        done = self.cli.run(
            'freeze', self.first.uuid, self.second.uuid, '--group'
        )
        self.assertEqual(3, done.returncode, done)
        self.assertIn(b'1 of 1 was thawed again', done.stderr)
        self.assertFalse(self.is_frozen(self.first))
