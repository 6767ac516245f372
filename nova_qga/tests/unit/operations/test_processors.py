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

"""Processors: one that cannot be set costs no other, and 0 stays."""

import unittest

from nova_qga import errors
from nova_qga.operations import processors
from nova_qga.tests.fixtures import scripted_guest


class Machine:
    """The processors of a guest, set as by the agent of QEMU.

    :param fixed: those that cannot be set
    :ivar online: what was set
    """

    def __init__(self, *fixed):
        self.fixed = fixed
        self.online = {}

    def set(self, arguments):
        for done, each in enumerate(arguments['vcpus']):
            number = each['logical-id']
            if number in self.fixed:
                # It says how many were done, or what is wrong with the first.
                refusal = scripted_guest.refusal(f'no cpu{number}')
                return done or refusal
            self.online[number] = each['online']
        return len(arguments['vcpus'])


class SetTest(unittest.TestCase):
    def guest(self, reply):
        return scripted_guest.ScriptedGuest({'guest-set-vcpus': reply})

    def test_one_that_cannot_be_set_costs_no_other(self):
        for fixed in ((1,), (3,), (5,), (1, 2), (2, 4), (1, 3, 5)):
            with self.subTest(fixed=fixed):
                machine = Machine(*fixed)
                wanted = dict.fromkeys(range(1, 6), False)
                result = processors.set_vcpus(
                    self.guest(machine.set), online=wanted
                )
                self.assertEqual({*wanted} - {*fixed}, {*machine.online})
                self.assertEqual(5 - len(fixed), result['set'])
                self.assertEqual({*map(str, fixed)}, {*result['failed']})

    def test_where_none_can_be_it_has_failed(self):
        guest = self.guest(Machine(1, 2).set)
        with self.assertRaisesRegex(errors.OperationFailed, '1: .*no cpu1'):
            processors.set_vcpus(guest, online={1: False, 2: True})

    def test_processor_0_is_never_set_offline(self):
        guest = self.guest(Machine().set)
        with self.assertRaises(errors.InvalidRequest):
            processors.set_vcpus(guest, online={1: False, 0: False})
        self.assertEqual([], guest.names)
        processors.set_vcpus(guest, online={0: True})

    def test_a_request_that_names_none_is_refused(self):
        with self.assertRaises(errors.InvalidRequest):
            processors.check({})

    def test_an_agent_that_says_more_than_can_be_is_not_believed(self):
        result = processors.set_vcpus(
            self.guest(99), online={1: False, 2: False}
        )
        self.assertEqual({'set': 2, 'failed': {}}, result)

    def test_one_that_does_nothing_is_given_up(self):
        with self.assertRaises(errors.OperationFailed):
            processors.set_vcpus(self.guest(0), online={1: False, 2: False})

    def test_what_was_done_before_it_failed_is_told(self):
        for failure, error in (
            (errors.ChannelTimeout('late'), errors.OperationFailed),
            (errors.OutcomeUnknown('silence'), errors.OutcomeUnknown),
        ):
            with self.subTest(error=error.__name__):
                guest = self.guest(scripted_guest.in_turn(1, failure))
                with self.assertRaisesRegex(error, '1 of 3 processors') as e:
                    processors.set_vcpus(
                        guest, online={1: False, 2: False, 3: False}
                    )
                self.assertEqual(1, getattr(e.exception, 'done', 1))

    def test_a_blocked_command_is_not_sent(self):
        guest = scripted_guest.ScriptedGuest(blocked=['guest-set-vcpus'])
        with self.assertRaises(errors.CommandUnsupported):
            processors.set_vcpus(guest, online={1: False})
        self.assertEqual([], guest.names)


class GetTest(unittest.TestCase):
    def test_they_are_in_the_order_of_their_ids(self):
        guest = scripted_guest.ScriptedGuest(
            {
                'guest-get-vcpus': [
                    {'logical-id': 2, 'online': False, 'can-offline': True},
                    {'logical-id': 0, 'online': True},
                ]
            }
        )
        self.assertEqual(
            [
                {'logical_id': 0, 'online': True, 'can_offline': None},
                {'logical_id': 2, 'online': False, 'can_offline': True},
            ],
            processors.get_vcpus(guest),
        )
