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

"""Public keys: what is let into a guest, what is seen in one."""

import base64
import unittest

from nova_qga import errors
from nova_qga.operations import public_keys
from nova_qga.tests.fixtures import ssh_key

KEY = ssh_key.make_ed25519()
TYPE, BLOB = KEY.split()


def pack(*fields):
    packed = b''.join(len(f).to_bytes(4, 'big') + f for f in fields)
    return base64.b64encode(packed).decode()


class CheckTest(unittest.TestCase):
    def test_keys_that_sshd_takes_are_taken(self):
        for line in (KEY, ssh_key.make_rsa(), ssh_key.make_ecdsa()):
            with self.subTest(line=line):
                self.assertEqual(line, public_keys.check(line).line)

    def test_a_key_that_lives_in_a_security_token_is_taken(self):
        name = b'sk-ssh-ed25519@openssh.com'
        secret = base64.b64decode(BLOB)[-32:]
        line = f'{name.decode()} {pack(name, secret, b"ssh:")} me'
        self.assertEqual(line, public_keys.check(line).line)

    def test_the_comment_is_kept_and_blanks_around_are_not(self):
        key = public_keys.check(f'  {TYPE}\t {BLOB}   me and\tmy host ☃ \n')
        self.assertEqual(f'{KEY} me and my host ☃', key.line)
        self.assertEqual((TYPE, BLOB), key.identity)

    def test_more_than_one_line_is_refused_before_all_else(self):
        for line in (
            f'{KEY}\n{KEY}',
            f'{KEY} me\rroot',
            f'{KEY} me\0',
            '\n\nx\ny',
            f'{KEY}\n# x',
        ):
            with self.subTest(line=line):
                with self.assertRaisesRegex(
                    errors.InvalidRequest, 'line break or a NUL'
                ):
                    public_keys.check(line)

    def test_what_is_no_key_is_refused_in_words_that_print(self):
        for line in (
            '',
            '  ',
            'not a key',
            '# x',
            f'# {KEY}',
            BLOB,
            TYPE,
            f'{TYPE} ',
            f'{TYPE} {BLOB[:-4]}',
            f'{TYPE} {BLOB}AAAA',
            f'{TYPE} ☃',
            f'{TYPE} {BLOB[:40]} {BLOB[40:]}',
            f'ssh-rsa {BLOB}',
            f'ssh-new {BLOB}',
            f'restrict {KEY}',
            f'command="x" {KEY}',
            f'{KEY} \x1b[2J',
            f'{KEY} \u202e',
            f'{KEY} \udc80',
            f'{KEY} {"x" * public_keys.MAX_LINE}',
            f'{TYPE}-cert-v01@openssh.com {BLOB}',
            '-----BEGIN OPENSSH PRIVATE KEY-----',
        ):
            with self.subTest(line=line[:60]):
                with self.assertRaises(errors.InvalidRequest) as caught:
                    public_keys.check(line)
                self.assertTrue(str(caught.exception).isprintable())

    def test_dsa_is_refused(self):
        with self.assertRaisesRegex(errors.InvalidRequest, 'DSA'):
            public_keys.check(f'ssh-dss {pack(b"ssh-dss", b"x")}')


class ParseTest(unittest.TestCase):
    def test_a_key_is_found_whatever_is_around_it(self):
        for line in (
            KEY,
            f'{KEY} a comment',
            f'  {TYPE}\t{BLOB}\tx',
            f'restrict {KEY}',
            f'from="10.0.0.0/8,*.example.com",no-pty {KEY} x',
            f'command="echo \\"{TYPE} AAAA\\" x" {KEY}',
            f'environment="A=ssh-rsa b"  {KEY}',
        ):
            with self.subTest(line=line):
                key = public_keys.parse(line)
                self.assertEqual((TYPE, BLOB), key.identity)
                self.assertEqual(line, key.line)

    def test_types_that_we_do_not_let_in_are_seen(self):
        line = f'ssh-dss {pack(b"ssh-dss", b"x")} old'
        self.assertEqual(line, public_keys.parse(line).line)

    def test_a_line_of_another_file_is_none(self):
        for line in (
            '',
            '# a comment',
            f'#{KEY}',
            'root:$6$salt$hash:19000:0:99999:7:::',
            '-----BEGIN OPENSSH PRIVATE KEY-----',
            'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ',
            f'{TYPE} secret',
            f'{TYPE} {pack(b"ssh-rsa", b"x")}',
            f'command="echo {KEY}" x',
            f'command="unclosed {KEY}',
        ):
            with self.subTest(line=line):
                self.assertIsNone(public_keys.parse(line))

    def test_an_endless_line_of_quotes_takes_no_longer_than_it_is(self):
        for line in ('"' * 1000000, '"\\"' * 300000, 'a"b"' * 250000):
            self.assertIsNone(public_keys.parse(line))
