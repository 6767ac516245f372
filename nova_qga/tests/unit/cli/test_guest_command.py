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

"""run-command: what is sent, and what is shown of the answer."""

import json
import pathlib
import unittest

import fixtures

from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID
NAME = 'guest-get-route'


class RunCommandTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.api = fake_api.FakeApi()
        self.api.results['run_command'] = {'reply': {}}

    def run_it(self, *argv, **more):
        return run_cli.run(
            'run-command', UUID, NAME, *argv, api=self.api, **more
        )

    def asked(self):
        [(method, given)] = self.api.asked
        self.assertEqual('run_command', method)
        self.assertEqual(NAME, given['command'])
        return given['arguments']

    def test_the_answer_is_json_that_does_no_harm_to_a_screen(self):
        reply = [{'iface': 'eth0\x1b[2J', 'metric': 0}]
        self.api.results['run_command'] = {'reply': reply}
        ended = self.run_it()
        self.assertEqual(0, ended.code, ended.err)
        self.assertEqual(
            [{'iface': 'eth0\\x1b[2J', 'metric': 0}], json.loads(ended.out)
        )
        self.assertEqual({}, self.asked())

    def test_arguments_are_an_object(self):
        self.run_it('--arguments', '{"a": [1]}')
        self.assertEqual({'a': [1]}, self.asked())

    def test_they_may_come_from_a_file_or_standard_input(self):
        folder = self.useFixture(fixtures.TempDir()).path
        file = pathlib.Path(folder, 'arguments.json')
        file.write_text('{"a": 2}')
        for name in (file, '-'):
            with self.subTest(name=name):
                self.api.asked.clear()
                self.run_it('--arguments-file', str(name), stdin='{"a": 2}')
                self.assertEqual({'a': 2}, self.asked())

    def test_what_is_no_object_is_refused_and_not_shown(self):
        for given in ('[1]', '{"S3cr3t', 'S3cr3t', '', '[' * 100_000):
            with self.subTest(given=given[:9]):
                ended = self.run_it('--arguments', given)
                self.assertEqual(2, ended.code)
                self.assertNotIn('S3cr3t', ended.err)
        self.assertEqual([], self.api.asked)
