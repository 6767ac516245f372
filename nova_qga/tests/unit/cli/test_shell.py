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

"""What all commands share: options, help, usage errors."""

import unittest

from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID


class UsageTest(unittest.TestCase):
    def test_help_needs_no_host(self):
        for argv in (
            ('--help',),
            ('help',),
            ('guest', 'list', '--help'),
            ('help', 'file', 'put'),
        ):
            with self.subTest(argv=argv):
                ended = run_cli.run(*argv, host=())
                self.assertEqual(0, ended.code)
                self.assertIn('usage: nova-qga', ended.out)

    def test_help_lists_every_command(self):
        ended = run_cli.run('--help', host=())
        for name in (
            'guest list',
            'guest show',
            'guest ping',
            'password set',
            'key add',
            'key remove',
            'key list',
            'file put',
            'file get',
            'metrics show',
        ):
            self.assertIn(f'  {name} ', ended.out)

    def test_host_and_local_together_are_refused(self):
        ended = run_cli.run('--local', 'guest', 'list')
        self.assertEqual(2, ended.code)

    def test_the_host_may_stand_behind_the_command(self):
        ended = run_cli.run('guest', 'list', '--host', 'c1', host=())
        self.assertEqual(0, ended.code)

    def test_an_unknown_command_is_answered_with_those_near(self):
        ended = run_cli.run('gest', 'list')
        self.assertEqual(2, ended.code)
        self.assertEqual('', ended.out)
        self.assertRegex(ended.err, 'did you mean .*"guest list"')

    def test_there_is_no_help_for_an_unknown_command(self):
        ended = run_cli.run('help', 'gust', 'list')
        self.assertEqual(2, ended.code)
        self.assertIn('there is no command "gust"', ended.err)

    def test_stray_words_are_refused_and_not_repeated(self):
        for words in (
            ('password', 'set', UUID, 'hunter2'),
            ('password', 'set', UUID, '--secret=hunter2'),
            ('password', 'set', UUID, '-xhunter2'),
            ('passwd', 'set', UUID, 'hunter2'),
        ):
            with self.subTest(words=words):
                api = fake_api.FakeApi()
                ended = run_cli.run(*words, api=api)
                self.assertEqual(2, ended.code)
                self.assertNotIn('hunter2', ended.out + ended.err)
                self.assertEqual([], api.calls)

    def test_no_command_is_a_usage_error_and_starts_no_prompt(self):
        for host in ((), ('--local',)):
            with self.subTest(host=host):
                ended = run_cli.run(host=host, stdin='guest list\n')
                self.assertEqual(2, ended.code)
                self.assertIn('nova-qga --help', ended.err)

    def test_what_is_no_uuid_is_refused_before_a_host_is_asked(self):
        api = fake_api.FakeApi()
        ended = run_cli.run('guest', 'ping', 'web', api=api)
        self.assertEqual(2, ended.code)
        self.assertIn('"web" is no UUID', ended.err)
        self.assertEqual([], api.calls)

    def test_a_uuid_may_be_in_capitals(self):
        ended = run_cli.run(
            'guest', 'ping', UUID.upper(), '-f', 'value', '-c', 'uuid'
        )
        self.assertEqual(f'{UUID}\n', ended.out)

    def test_a_timeout_is_a_number_of_seconds(self):
        for text in ('0', '-1', 'nan', 'inf', 'soon', ''):
            with self.subTest(timeout=text):
                ended = run_cli.run(f'--timeout={text}', 'guest', 'list')
                self.assertEqual(2, ended.code)
                self.assertIn('--timeout', ended.err)

    def test_an_unknown_format_names_those_there_are(self):
        ended = run_cli.run('guest', 'list', '-f', 'xml')
        self.assertEqual(2, ended.code)
        self.assertIn("'json'", ended.err)

    def test_an_unknown_column_names_those_there_are(self):
        for command in (('list',), ('show', UUID)):
            with self.subTest(command=command):
                ended = run_cli.run('guest', *command, '-c', 'nmae')
                self.assertEqual(2, ended.code)
                self.assertIn('there is no column "nmae"', ended.err)

    def test_version_is_that_of_the_package(self):
        ended = run_cli.run('--version', host=())
        self.assertEqual(0, ended.code)
        self.assertRegex(ended.out, r' \d+\.\d+\.\d+')

    def test_quiet_says_nothing_of_success(self):
        ended = run_cli.run(
            '-q', 'password', 'set', UUID, '--stdin', stdin='x\n'
        )
        self.assertEqual((0, '', ''), ended[:3])
