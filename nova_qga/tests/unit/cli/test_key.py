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

"""key add, key remove, key list, and the files that they read."""

import json
import pathlib
import tempfile
import unittest

from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID
ONE, TWO = fake_api.ED25519, fake_api.OTHER

PRIVATE = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmU
-----END OPENSSH PRIVATE KEY-----
"""


class KeyTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, text):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def run_key(self, *argv, stdin=''):
        return run_cli.run('key', *argv, api=self.api, stdin=stdin)

    def test_several_files_of_several_keys_are_one_request(self):
        first = self.file('a', f'# mine\n\n  {ONE}  \r\n')
        second = self.file('b', f'{TWO}\n{ONE}\n')
        ended = self.run_key(
            'add', UUID, '--key-file', first, '--key-file', second
        )
        self.assertEqual(0, ended.code, ended.err)
        self.assertEqual([ONE, TWO, ONE], self.api.keys)
        self.assertEqual(['add_ssh_keys'], self.api.calls)

    def test_without_a_file_keys_come_from_standard_input(self):
        ended = self.run_key('add', UUID, stdin=f'{ONE}\n')
        self.assertEqual(
            f'1 key added to root in {UUID}, 0 already there.\n', ended.out
        )
        self.assertEqual([ONE], self.api.keys)

    def test_a_fault_is_told_by_file_and_line_and_nothing_is_sent(self):
        good = self.file('good', ONE)
        bad = self.file('bad', f'# two lines\n{ONE}\nssh-rsa AAAA hunter2\n')
        ended = self.run_key(
            'add', UUID, '--key-file', good, '--key-file', bad
        )
        self.assertEqual(2, ended.code)
        self.assertIn(f'{bad}, line 3: ', ended.err)
        self.assertNotIn('hunter2', ended.err)
        self.assertEqual([], self.api.calls)

    def test_a_private_key_is_refused_and_not_repeated(self):
        path = self.file('id_ed25519', PRIVATE)
        ended = self.run_key('add', UUID, '--key-file', path)
        self.assertEqual(2, ended.code)
        self.assertIn(f'{path} is a private key', ended.err)
        self.assertNotIn('b3Bl', ended.err)
        self.assertEqual([], self.api.calls)

    def test_a_file_without_keys_is_refused(self):
        path = self.file('empty', '# none yet\n\n')
        ended = self.run_key('remove', UUID, '--key-file', path)
        self.assertEqual(2, ended.code)
        self.assertIn(f'{path} holds no key', ended.err)

    def test_a_file_that_cannot_be_read_is_named(self):
        for path, reason in (
            (str(self.folder / 'none'), 'No such file'),
            (str(self.folder), 'Is a directory'),
            (self.file('binary', b'\xff\xfe'), 'UTF-8'),
        ):
            with self.subTest(path=path):
                ended = self.run_key('add', UUID, '--key-file', path)
                self.assertEqual(2, ended.code)
                self.assertIn(path, ended.err)
                self.assertIn(reason, ended.err)

    def test_replace_removes_the_others(self):
        self.api.keys = [TWO]
        ended = self.run_key('add', UUID, '--replace', stdin=ONE)
        self.assertEqual([ONE], self.api.keys)
        self.assertIn('all others removed', ended.out)

    def test_remove_says_what_was_there(self):
        self.api.keys = [ONE]
        ended = self.run_key('remove', UUID, stdin=f'{ONE}\n{TWO}\n')
        self.assertEqual([], self.api.keys)
        self.assertEqual(
            f'1 key removed from root in {UUID}, 1 not there.\n', ended.out
        )

    def test_list_shows_fingerprints_as_ssh_keygen_does(self):
        self.api.keys = [ONE, f'command="ls -l",no-pty {TWO}']
        self.api.owned = [ONE]
        ended = self.run_key('list', UUID, '-f', 'json')
        self.assertEqual(
            [
                {
                    'Type': 'ssh-ed25519',
                    'Fingerprint': 'SHA256:'
                    'h8daj5UI3WvfHGXi7qsVADzaR6ZKkOfVjTJFg+SrBpo',
                    'Comment': 'alice@example',
                    'Owned': True,
                },
                {
                    'Type': 'ssh-ed25519',
                    'Fingerprint': 'SHA256:'
                    'WhzrK8TZ2AxjVJ0wiRvbrVFaDEbfqYYcjnSCUUOysrU',
                    'Comment': 'bob',
                    'Owned': False,
                },
            ],
            json.loads(ended.out),
        )

    def test_only_what_is_owned_is_listed_and_removed(self):
        self.api.keys = [ONE, TWO]
        self.api.owned = [TWO]
        ended = self.run_key(
            'list', UUID, '--owned', '--long', '-c', 'Key', '-f', 'value'
        )
        self.assertEqual(f'{TWO}\n', ended.out)
        ended = self.run_key('remove', UUID, '--owned')
        self.assertEqual(0, ended.code, ended.err)
        self.assertEqual([ONE], self.api.keys)

    def test_keys_are_named_or_all_that_is_owned_is_meant(self):
        file = self.file('a', ONE)
        ended = self.run_key('remove', UUID, '--owned', '--key-file', file)
        self.assertEqual(2, ended.code)
        self.assertEqual([], self.api.calls)

    def test_list_long_shows_the_keys_themselves(self):
        self.api.keys = [ONE, TWO]
        ended = self.run_key(
            'list', UUID, '--long', '-c', 'Key', '-f', 'value'
        )
        self.assertEqual(f'{ONE}\n{TWO}\n', ended.out)
