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

"""What an agent says it can do, and what is made of it."""

import unittest

from nova_qga import errors
from nova_qga.guest import capabilities
from nova_qga.protocol import replies


def info(version='7.2.22', **enabled):
    return {
        'version': version,
        'supported_commands': [
            {'name': name.replace('_', '-'), 'enabled': value}
            for name, value in enabled.items()
        ],
    }


class SharingTest(unittest.TestCase):
    def test_equal_answers_are_one_object(self):
        first = capabilities.read(info(guest_ping=True, guest_exec=False))
        second = capabilities.read(info(guest_exec=False, guest_ping=True))
        self.assertIs(first, second)
        self.assertEqual(
            {'guest-ping': True, 'guest-exec': False}, first.commands
        )

    def test_different_ones_are_not(self):
        answers = [
            capabilities.read(each)
            for each in (
                info(guest_ping=True),
                info(guest_ping=False),
                info(guest_ping=True, guest_exec=True),
                info('10.0.13', guest_ping=True),
            )
        ]
        self.assertEqual(4, len({id(answer) for answer in answers}))

    def test_guests_that_lie_differently_each_time_fill_no_memory(self):
        for number in range(3 * capabilities.MAX_SHARED):
            capabilities.read(info(f'{number}.0', guest_ping=True))
        self.assertLessEqual(
            len(capabilities._shared), capabilities.MAX_SHARED
        )

    def test_nonsense_is_refused(self):
        for reply in (
            {},
            [],
            None,
            {'version': 5, 'supported_commands': []},
            {'version': '5', 'supported_commands': {}},
            {'version': '5', 'supported_commands': [{'name': 'guest-x'}]},
        ):
            with self.assertRaises(errors.InvalidReply):
                capabilities.read(reply)


class FrozenTest(unittest.TestCase):
    FROZEN = dict.fromkeys(capabilities.FROZEN_COMMANDS, True)

    def looks_frozen(self, **more):
        commands = self.FROZEN | {
            name.replace('_', '-'): value for name, value in more.items()
        }
        return capabilities.looks_frozen(replies.AgentInfo('7', commands))

    def test_six_commands_are_left_of_all(self):
        self.assertTrue(
            self.looks_frozen(guest_file_open=False, guest_exec=False)
        )
        self.assertTrue(self.looks_frozen())

    def test_one_that_may_do_next_to_nothing_is_not_frozen(self):
        few = {'guest-ping': True, 'guest-info': True, 'guest-exec': False}
        self.assertFalse(
            capabilities.looks_frozen(replies.AgentInfo('7', few))
        )

    def test_one_more_is_a_thawed_guest(self):
        self.assertFalse(self.looks_frozen(guest_get_osinfo=True))


class CheckTest(unittest.TestCase):
    INFO = replies.AgentInfo('7.2.22', {'guest-a': True, 'guest-b': False})

    def test_what_is_enabled_passes(self):
        capabilities.check(self.INFO)
        capabilities.check(self.INFO, 'guest-a', 'guest-a')

    def test_what_is_blocked_is_told_from_what_is_unknown(self):
        for name, reason in (
            ('guest-b', 'blocked by the configuration'),
            ('guest-c', 'unknown to agent 7.2.22'),
        ):
            with self.assertRaisesRegex(errors.CommandUnsupported, reason):
                capabilities.check(self.INFO, 'guest-a', name)
