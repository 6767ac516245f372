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

"""What coverage says of a guest, and why."""

import dataclasses
import itertools
import unittest

from nova_qga.guest import capabilities
from nova_qga.guest import guest
from nova_qga.guest import survey
from nova_qga.nova_extension import channel
from nova_qga.protocol import replies
from nova_qga.rpc import coverage
from nova_qga.tests.fixtures import known_host

KINDS = {
    'org.qemu.guest_agent.0': 'standard',
    'org.qemu.guest_agent.1': 'direct',
}
ALL = coverage.Policy(True, 'all')
NEEDS = coverage.needs_of(known_host.OPERATIONS.values())
COMMANDS = {
    'guest-info': True,
    **{name: True for names in NEEDS.values() for name in names},
}


def a_guest(state='running', **more):
    described = dataclasses.replace(known_host.DESCRIPTION, **more)
    return guest.Guest(described, state, lambda _: ())


def answers(**changed):
    commands = {**COMMANDS, **changed}
    known = {k: v for k, v in commands.items() if v is not None}
    info = replies.AgentInfo('7.2.22', known)
    return survey.Finding(a_guest(), 'direct', info)


class ReportTest(unittest.TestCase):
    def report(self, finding, policy=ALL):
        return coverage.report(finding, KINDS, policy, NEEDS)

    def assert_said(self, finding, status, reason, words='', policy=ALL):
        found = self.report(finding, policy)
        self.assertEqual((status, reason), (found['status'], found['reason']))
        self.assertIn(words, found['message'] or '')
        return found

    def test_a_guest_that_can_do_all_is_well(self):
        found = self.assert_said(answers(), 'ok', None)
        self.assertEqual(['direct', 'standard'], found['channels'])
        self.assertEqual('direct', found['channel'])
        self.assertEqual('7.2.22', found['agent_version'])
        self.assertEqual('project-1', found['project_id'])
        self.assertEqual([], found['blocked'])

    def test_what_its_agent_blocks_is_named_with_what_is_lost(self):
        finding = answers(**{'guest-fstrim': False})
        found = self.assert_said(finding, 'limited', 'blocked', 'trim')
        self.assertEqual(['guest-fstrim'], found['blocked'])
        self.assertEqual({'trim': ['guest-fstrim']}, found['lacking'])

    def test_what_its_agent_is_too_old_for_is_named(self):
        finding = answers(**{'guest-ssh-get-authorized-keys': None})
        self.assert_said(finding, 'limited', 'too_old', 'list_ssh_keys')

    def test_no_more_names_are_told_than_a_real_agent_has(self):
        many = {f'guest-{number}': False for number in range(500)}
        found = self.report(answers(**many))
        self.assertEqual(coverage.MAX_NAMES, len(found['blocked']))

    def test_an_agent_that_refuses_to_say_is_limited(self):
        finding = survey.Finding(a_guest(), 'standard')
        self.assert_said(finding, 'limited', 'blocked', 'guest-info')

    def test_a_frozen_guest_is_dark(self):
        info = replies.AgentInfo(
            '7.2.22',
            {'guest-fsfreeze-thaw': True, 'guest-file-open': False},
        )
        finding = survey.Finding(a_guest(), 'direct', info)
        found = self.assert_said(finding, 'dark', 'frozen', 'thaw')
        self.assertEqual([], found['blocked'], 'it can all of it once thawed')

    def test_a_guest_that_does_not_run_says_so(self):
        for state, words in (
            ('shutoff', 'start it'),
            ('paused', 'unpause'),
            ('pmsuspended', 'wake'),
            ('crashed', 'crashed'),
        ):
            with self.subTest(state=state):
                finding = survey.Finding(a_guest(state))
                self.assert_said(finding, 'dark', state, words)

    def test_one_that_opened_no_channel_needs_an_agent(self):
        finding = survey.Finding(a_guest())
        self.assert_said(finding, 'dark', 'not_opened', 'install')

    def test_one_without_a_channel_says_whose_will_that_is(self):
        off = coverage.Policy(False, 'all')
        image = coverage.Policy(True, 'image')
        none = coverage.Policy(True, 'none')
        for policy, said, reason, words in (
            (ALL, {}, 'no_channel', 'channel attach'),
            (ALL, {'image_says': False}, 'declined', 'hw_qemu_guest_agent'),
            (ALL, {'flavor_says': False}, 'declined', 'qga:channel'),
            (none, {}, 'policy', 'channel_policy is none'),
            (none, {'image_says': True}, 'policy', 'none'),
            (image, {}, 'policy', 'channel_policy is image'),
            (image, {'flavor_says': True}, 'no_channel', 'attach'),
            (off, {}, 'policy', '[qga]enabled is false'),
            (off, {'image_says': True}, 'no_channel', 'attach'),
        ):
            with self.subTest(policy=policy, said=said):
                finding = survey.Finding(a_guest(ports=(), **said))
                self.assert_said(finding, 'dark', reason, words, policy)

    def test_it_finds_a_channel_missing_where_the_extension_gives_one(self):
        for policy, image, flavor in itertools.product(
            channel.Policy, (True, False, None), (True, False, None)
        ):
            with self.subTest(policy=policy, image=image, flavor=flavor):
                guest_of_it = a_guest(
                    ports=(), image_says=image, flavor_says=flavor
                )
                verdict = coverage.judge(
                    survey.Finding(guest_of_it),
                    [],
                    coverage.Policy(True, str(policy)),
                    NEEDS,
                )
                self.assertEqual(
                    channel.is_wanted(policy, image=image, flavor=flavor),
                    verdict.reason == 'no_channel',
                )

    def test_a_version_is_cut_and_escaped(self):
        info = capabilities.read(
            {
                'version': '7\x1b[2J\n' + 'x' * 4000,
                'supported_commands': [
                    {'name': 'guest-info', 'enabled': True}
                ],
            }
        )
        found = self.report(survey.Finding(a_guest(), 'direct', info))
        self.assertTrue(found['agent_version'].isprintable())
        self.assertEqual(coverage.MAX_VERSION, len(found['agent_version']))

    def test_a_fault_says_what_it_means_and_since_when(self):
        for code, reason in (
            ('not_asked', 'not_asked'),
            ('channel_timeout', 'no_answer'),
            ('malformed_message', 'nonsense'),
            ('channel', 'host_side'),
        ):
            with self.subTest(code=code):
                fault = survey.Fault(code, 'why', 0.0)
                verdict = coverage.judge(
                    survey.Finding(_Opened(), fault=fault),
                    ['direct'],
                    ALL,
                    NEEDS,
                )
                self.assertEqual(reason, verdict.reason)
                self.assertEqual(('why', 0.0), verdict[2:])


class _Opened(guest.Guest):
    """A guest that has a channel open."""

    def __init__(self):
        super().__init__(known_host.DESCRIPTION, 'running', lambda _: (1,))

    def has_opened(self, asked):
        return True
