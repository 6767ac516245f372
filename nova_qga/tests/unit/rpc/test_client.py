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

"""Tests of sending a request until its end is known."""

import time
import unittest

from nova_qga import errors
from nova_qga.rpc import caller
from nova_qga.rpc import client
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import scripted_caller

UUID = known_host.UUID
HOST = known_host.HOST


class UntilItIsKnownTest(unittest.TestCase):
    def change(self, *answers, timeout=30):
        self.caller = scripted_caller.ScriptedCaller(*answers)
        sent = client.Client(self.caller, timeout=timeout)
        return sent.change(HOST, 'add_ssh_keys', UUID)

    def test_a_change_is_sent_again_with_its_id_until_it_is_answered(self):
        ended = self.change(
            caller.NoAnswer('silence'),
            caller.NoAnswer('silence'),
            {'state': 'succeeded'},
        )
        self.assertEqual({'state': 'succeeded'}, ended)
        requests = [arguments for _, _, arguments, _ in self.caller.calls]
        self.assertEqual(3, len(requests))
        self.assertEqual(requests[0], requests[1])
        self.assertEqual(requests[0], requests[2])

    def test_a_change_that_was_not_sent_is_not_unknown(self):
        with self.assertRaises(errors.ServiceUnavailable):
            self.change(errors.ServiceUnavailable('no broker'))
        self.assertEqual(1, len(self.caller.calls))

    def test_a_broker_that_goes_away_meanwhile_may_come_back(self):
        ended = self.change(
            caller.NoAnswer('silence'),
            errors.ServiceUnavailable('no broker'),
            {'state': 'succeeded'},
        )
        self.assertEqual({'state': 'succeeded'}, ended)

    def test_a_change_that_is_never_answered_is_unknown(self):
        class Silent(scripted_caller.ScriptedCaller):
            def call(self, host, method, arguments, timeout):
                time.sleep(0.01)
                raise caller.NoAnswer('silence')

        sent = client.Client(Silent(), timeout=0.01, last_call=0.05)
        with self.assertRaisesRegex(errors.OutcomeUnknown, 'silence.*Request'):
            sent.change(HOST, 'add_ssh_keys', UUID)
        with self.assertRaisesRegex(errors.ServiceUnavailable, 'silence'):
            sent.ask(HOST, 'ping', UUID)

    def test_one_that_is_held_is_asked_after_until_it_has_ended(self):
        accepted = {'state': 'accepted'}
        ended = self.change(accepted, accepted, {'state': 'succeeded'})
        self.assertEqual({'state': 'succeeded'}, ended)
        ids = {sent['request_id'] for _, _, sent, _ in self.caller.calls}
        self.assertEqual(1, len(ids))

    def test_one_that_is_held_to_the_end_is_unknown(self):
        class Holding(scripted_caller.ScriptedCaller):
            def call(self, host, method, arguments, timeout):
                return {'state': 'accepted'}

        sent = client.Client(Holding(), timeout=0.01, last_call=0.05)
        with self.assertRaisesRegex(errors.OutcomeUnknown, 'still holds'):
            sent.change(HOST, 'add_ssh_keys', UUID)
        sent = client.Client(
            Holding(), timeout=0.01, last_call=0.05, wait_for_agent=True
        )
        with self.assertRaisesRegex(errors.ServiceUnavailable, 'still holds'):
            sent.ask(HOST, 'ping', UUID)

    def test_who_waits_for_an_agent_says_so_in_what_is_for_a_guest(self):
        calls = scripted_caller.ScriptedCaller()
        sent = client.Client(calls, wait_for_agent=True)
        sent.ask(HOST, 'ping', UUID)
        sent.ask(HOST, 'list_guests')
        (_, _, first, _), (_, _, second, _) = calls.calls
        self.assertTrue(first['wait_for_agent'])
        self.assertNotIn('wait_for_agent', second)
