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

"""Who may do what."""

import pathlib
import unittest

import fixtures
from oslo_context import context as oslo_context

from nova_qga.rpc.catalog import base
from nova_qga.rpc import policy
from nova_qga.rpc import user
from nova_qga.tests.fixtures import known_host

HASH = '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO'
ARGUMENTS = {
    'set_password': {'username': 'root', 'crypted': HASH},
    'list_ssh_keys': {'username': 'root'},
    'write_file': {'path': '/x', 'content': 'YWJj'},
    'read_file': {'path': '/x'},
    'execute': {'command': ['/bin/true']},
    'get_info': {},
    'ping': {},
}
OWNER = {'user_id': 'u', 'project_id': 'project-1', 'roles': ['member']}
OTHER = {**OWNER, 'project_id': 'project-2'}
AUDIT = {'list_ssh_keys', 'get_info', 'ping'}


class PolicyTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file = folder / 'policy.yaml'
        self.host = known_host.KnownHost(policy_file=self.file)

    def test_a_rule_that_no_operation_has_is_named_once(self):
        self.file.write_text(
            '"qga:pingg": "!"\n'
            '"qga:helpdesk": "role:helpdesk"\n'
            '"qga:ping": "rule:qga:helpdesk"\n'
        )
        with self.assertLogs('nova_qga.rpc.policy', 'WARNING') as logged:
            self.host.run('ping')
            self.host.run('ping', request_id='r2')
        [line] = logged.output
        self.assertIn('qga:pingg', line)
        self.assertNotIn('helpdesk', line)

    def allowed(self, context):
        """Which of the operations this user may run."""
        found = set()
        for number, (name, arguments) in enumerate(ARGUMENTS.items()):
            ended = self.host.run_as(
                context,
                name,
                request_id=f'{id(context)}-{number}',
                **arguments,
            )
            if ended.state != 'denied':
                found.add(name)
        return found

    def test_an_administrator_may_all_but_what_is_off(self):
        everything = set(ARGUMENTS) - {'execute'}
        self.assertEqual(everything, self.allowed(known_host.ADMIN))
        self.assertEqual(everything, self.allowed({'roles': ['admin']}))

    def test_the_owner_may_only_look(self):
        self.assertEqual(AUDIT, self.allowed(OWNER))

    def test_a_guest_command_takes_the_policy_and_the_host(self):
        command = {'command': 'guest-get-route'}
        self.host.answer_with('guest-get-route', [])
        ended = self.host.run('run_command', request_id='r1', **command)
        self.assertIn('qga:run_command', ended.error['message'])
        self.file.write_text('"qga:run_command": "rule:qga:admin"')
        ended = self.host.run('run_command', request_id='r2', **command)
        self.assertEqual({'reply': []}, ended.result)
        ended = self.host.run(
            'run_command', request_id='r3', command='guest-get-time'
        )
        self.assertEqual('denied', ended.state)
        self.assertIn('allowed_commands', ended.error['message'])
        self.assertEqual(['guest-get-route'], self.host.agent_of.names)

    def test_another_project_may_nothing(self):
        self.assertEqual(set(), self.allowed(OTHER))

    def test_a_request_of_nobody_may_nothing(self):
        for context in (
            {},
            {'project_id': None},
            {'project_id': ''},
            {'roles': 'admin'},
            {'is_admin': 'True'},
            {'roles': [['admin']]},
            {'project_id': ['project-1']},
        ):
            with self.subTest(context=context):
                self.assertEqual(set(), self.allowed(context))

    def test_a_guest_without_an_owner_is_no_users_without_a_project(self):
        unknown = '00000000-0000-4000-8000-000000000009'
        for project in ('', 'None', None):
            ended = self.host.run_as(
                {'project_id': project, 'user_id': 'u'},
                'ping',
                instance_uuid=unknown,
                request_id=f'r{project}',
            )
            self.assertEqual('denied', ended.state)

    def test_what_is_denied_is_not_run_and_is_told_with_who_asked(self):
        ended = self.host.run_as(
            OTHER, 'set_password', **ARGUMENTS['set_password']
        )
        self.assertEqual('denied', ended.state)
        self.assertEqual('denied', ended.error['code'])
        self.assertIn('qga:set_password', ended.error['message'])
        self.assertEqual([], self.host.agent_of.executed)
        [event] = self.host.told
        self.assertEqual('instance.guest.set_password.error', event.event_type)
        self.assertEqual(
            {'user_id': 'u', 'project_id': 'project-2'},
            event.payload['requested_by'],
        )
        self.assertNotIn(HASH, repr(event))

    def test_a_denied_request_stays_denied(self):
        first = self.host.run_as(OTHER, 'ping')
        self.assertEqual('denied', first.state)
        again = self.host.run_as(known_host.ADMIN, 'ping')
        self.assertEqual('denied', again.state, 'it has its one end')

    def test_the_outcome_of_a_request_is_for_who_may_ask_it(self):
        self.host.run('list_ssh_keys', username='root')
        stolen = self.host.run_as(OTHER, 'list_ssh_keys', username='root')
        self.assertEqual('denied', stolen.state)
        self.assertIsNone(stolen.result)

    def test_every_end_is_logged_with_who_asked(self):
        with self.assertLogs('nova_qga.rpc.ledger', 'INFO') as logged:
            self.host.run_as(OWNER, 'ping')
        [line] = logged.output
        for word in ('ping', known_host.UUID, 'of u, project-1', 'succeeded'):
            self.assertIn(word, line)

    def test_the_operators_file_changes_a_rule_at_once(self):
        self.assertNotIn('execute', self.allowed(known_host.ADMIN))
        self.file.write_text('"qga:execute": "rule:qga:admin"\n')
        self.assertIn('execute', self.allowed(dict(known_host.ADMIN)))

    def test_a_class_changes_all_of_its_operations(self):
        self.file.write_text('"qga:audit": "rule:qga:admin"\n')
        self.assertEqual(set(), self.allowed(OWNER))

    def test_a_file_that_cannot_be_read_allows_nothing(self):
        self.file.write_text('"qga:execute": "rule:qga:admin"\n')
        self.assertIn('execute', self.allowed(dict(known_host.ADMIN)))
        self.file.write_text('"qga:ping": [[[\n')
        with self.assertLogs('nova_qga.rpc.policy', 'ERROR') as logged:
            for number in range(3):
                ended = self.host.run('ping', request_id=f'broken-{number}')
                self.assertEqual('denied', ended.state)
                self.assertIn(str(self.file), ended.error['message'])
        self.assertEqual(1, len(logged.output))
        self.file.write_text('"qga:audit": "rule:qga:admin"\n')
        ended = self.host.run('ping', request_id='repaired')
        self.assertEqual('succeeded', ended.state)

    def test_the_host_is_for_administrators(self):
        endpoint = self.host.endpoint
        for context, state in (
            (known_host.ADMIN, 'succeeded'),
            (OWNER, 'denied'),
            ({}, 'denied'),
        ):
            self.assertEqual(state, endpoint.list_guests(context)['state'])

    def test_samples_are_for_the_owner_too(self):
        endpoint = self.host.endpoint
        for context, state in ((OWNER, 'succeeded'), (OTHER, 'denied')):
            asked = endpoint.get_metrics(
                context, instance_uuid=known_host.UUID
            )
            self.assertEqual(state, asked['state'])


class RulesTest(unittest.TestCase):
    def test_there_is_one_for_each_operation(self):
        names = {rule.name for rule in policy.list_rules()}
        for name in known_host.OPERATIONS:
            self.assertIn(f'qga:{name}', names)
        for access in base.Access:
            self.assertIn(f'qga:{access}', names)

    def test_each_says_what_it_is_for(self):
        for rule in policy.list_rules():
            self.assertTrue(rule.description)
            self.assertTrue(rule.check_str)


class UserTest(unittest.TestCase):
    def test_the_context_of_oslo_names_who_asks(self):
        made = user.of_context(
            oslo_context.RequestContext(
                user_id='alice', project_id='p', roles=['member']
            ).to_dict()
        )
        self.assertEqual(user.User('alice', 'p', ('member',)), made)

    def test_what_a_context_says_is_cut_to_what_it_can_be(self):
        made = user.of_context(
            {
                'user_id': 'u\x1b[31m',
                'project_id': 'p' * 300,
                'roles': ['a', 7, None, 'b'],
                'is_admin': 1,
            }
        )
        self.assertEqual(('a', 'b'), made.roles)
        self.assertEqual('', made.project_id)
        self.assertFalse(made.is_admin)
        self.assertTrue(made.user_id.isprintable())
