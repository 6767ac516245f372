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

"""guest shutdown and guest suspend: what is sent, and what is said."""

import unittest

from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID


class PowerTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()

    def test_each_mode_is_sent_and_its_end_said(self):
        for argv, method, mode, said in (
            (('shutdown',), 'shutdown', 'powerdown', 'is off'),
            (('shutdown', '--reboot'), 'shutdown', 'reboot', 'boots again'),
            (('shutdown', '--halt'), 'shutdown', 'halt', 'is off'),
            (('suspend',), 'suspend', 'ram', 'is suspended'),
            (('suspend', '--to', 'disk'), 'suspend', 'disk', 'is suspended'),
        ):
            with self.subTest(argv=argv):
                self.api.asked.clear()
                ended = run_cli.run('guest', *argv, UUID, api=self.api)
                self.assertEqual(0, ended.code, ended.err)
                self.assertEqual([(method, {'mode': mode})], self.api.asked)
                self.assertIn(said, ended.out)

    def test_an_end_that_is_unknown_has_its_exit_code(self):
        self.api.state = 'unknown'
        self.api.failures['shutdown'] = [
            fake_api.error('outcome_unknown', 'look at it')
        ]
        ended = run_cli.run('guest', 'shutdown', UUID, api=self.api)
        self.assertEqual(5, ended.code)
        self.assertIn('look at it', ended.err)

    def test_no_two_modes_are_taken(self):
        ended = run_cli.run(
            *('guest', 'shutdown', '--halt', '--reboot', UUID), api=self.api
        )
        self.assertEqual(2, ended.code)
        self.assertEqual([], self.api.asked)
