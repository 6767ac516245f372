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

"""The requests that go out, and what must never be seen of them."""

import base64
import inspect
import json
import traceback
import unittest

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import commands

SECRET = 's3cret'
HIDDEN = base64.b64encode(SECRET.encode()).decode()
KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE s3cret@example'
SURROGATE = 's3cret\udc80'

#: Every command that may change a guest, as built.
EFFECTS = {
    'guest-file-open': commands.open_file('/tmp/x', 'w'),
    'guest-file-close': commands.close_file(1000),
    'guest-file-flush': commands.flush_file(1000),
    'guest-file-write': commands.write_file(1000, SECRET.encode()),
    'guest-set-user-password': commands.set_user_password(
        'root', SECRET, crypted=False
    ),
    'guest-ssh-add-authorized-keys': commands.add_authorized_keys(
        'root', [KEY]
    ),
    'guest-ssh-remove-authorized-keys': commands.remove_authorized_keys(
        'root', [KEY]
    ),
}
#: Every command that changes nothing.
READS = {
    'guest-info': commands.info(),
    'guest-get-osinfo': commands.get_osinfo(),
    'guest-get-host-name': commands.get_host_name(),
    'guest-get-timezone': commands.get_timezone(),
    'guest-get-users': commands.get_users(),
    'guest-network-get-interfaces': commands.get_interfaces(),
    'guest-get-disks': commands.get_disks(),
    'guest-get-fsinfo': commands.get_filesystems(),
    'guest-get-statvfs': commands.get_inodes('/srv'),
    'guest-get-cpustats': commands.get_cpustats(),
    'guest-get-diskstats': commands.get_diskstats(),
    'guest-get-load': commands.get_load(),
    'guest-fsfreeze-status': commands.freeze_status(),
    'guest-file-seek': commands.seek_file(1000, 0),
    'guest-file-read': commands.read_file(1000),
    'guest-ssh-get-authorized-keys': commands.get_authorized_keys('root'),
}


def sent(asked):
    """What goes out, decoded."""
    line = asked.encode()
    assert line.endswith(b'\n') and line.count(b'\n') == 1
    return json.loads(line)


class EveryCommandTest(unittest.TestCase):
    def test_each_is_named_as_it_is_built(self):
        for name, asked in {**EFFECTS, **READS}.items():
            with self.subTest(name):
                self.assertEqual(name, asked.name)
                self.assertEqual(name, sent(asked)['execute'])

    def test_those_that_change_a_guest_say_so(self):
        for name, asked in EFFECTS.items():
            with self.subTest(name):
                self.assertIs(True, asked.has_effect)
        for name, asked in READS.items():
            with self.subTest(name):
                self.assertIs(False, asked.has_effect)

    def test_no_builder_is_left_out_here(self):
        built = {
            name
            for name, value in inspect.getmembers(commands)
            if inspect.isfunction(value) and not name.startswith('_')
        }
        # Interfaces are asked for in two ways, by one command.
        self.assertEqual(len(built) - 1, len({**EFFECTS, **READS}))
        self.assertEqual(
            'guest-network-get-interfaces',
            commands.get_interface_counters().name,
        )
        self.assertFalse(commands.get_interface_counters().has_effect)

    def test_a_command_of_unknown_kind_counts_as_one_with_an_effect(self):
        self.assertTrue(command.Command('guest-new', dict).has_effect)

    def test_no_reply_may_be_so_long_that_libvirt_breaks(self):
        for name, asked in {**EFFECTS, **READS}.items():
            with self.subTest(name):
                self.assertLessEqual(asked.max_reply, 8 << 20)


class SecretTest(unittest.TestCase):
    def test_no_repr_shows_an_argument(self):
        for name, asked in EFFECTS.items():
            for shown in (repr(asked), str(asked), f'{asked}', f'{[asked]}'):
                with self.subTest(name):
                    self.assertIn(name, shown)
                    for secret in (SECRET, HIDDEN, 'AAAAC3Nz', '/tmp/x'):
                        self.assertNotIn(secret, shown)

    def test_no_repr_of_a_batch_does(self):
        batch = command.Batch([EFFECTS['guest-set-user-password']])
        self.assertNotIn(HIDDEN, repr(batch))

    def test_text_that_cannot_be_sent_is_refused_and_not_shown(self):
        for build in (
            lambda: commands.open_file(SURROGATE, 'r'),
            lambda: commands.set_user_password(SURROGATE, 'x', crypted=False),
            lambda: commands.set_user_password('x', SURROGATE, crypted=False),
            lambda: commands.set_user_password('x', SURROGATE, crypted=True),
            lambda: commands.get_authorized_keys(SURROGATE),
            lambda: commands.add_authorized_keys(SURROGATE, []),
            lambda: commands.add_authorized_keys('x', ['y', SURROGATE]),
            lambda: commands.remove_authorized_keys(SURROGATE, []),
            lambda: commands.remove_authorized_keys('x', [SURROGATE]),
        ):
            with self.assertRaises(errors.InvalidRequest) as caught:
                build()
            shown = ''.join(traceback.format_exception(caught.exception))
            self.assertNotIn('s3cret', shown)
            self.assertNotIn('s3cret', repr(caught.exception))
            # Nor by a handler that looks at what came before.
            self.assertIsNone(caught.exception.__context__)

    def test_text_in_any_script_can_be_sent(self):
        text = 'Zażółć \U0001f511'
        asked = commands.set_user_password(text, text, crypted=False)
        arguments = sent(asked)['arguments']
        self.assertEqual(text, arguments['username'])
        self.assertEqual(
            text, base64.b64decode(arguments['password']).decode()
        )


class ArgumentTest(unittest.TestCase):
    def test_a_password_travels_in_base64(self):
        self.assertEqual(
            {
                'username': 'root',
                'password': 'czNjcmV0',
                'crypted': False,
            },
            sent(EFFECTS['guest-set-user-password'])['arguments'],
        )
        crypted = commands.set_user_password('root', '$6$x$y', crypted=True)
        self.assertIs(True, sent(crypted)['arguments']['crypted'])

    def test_keys_are_added_and_replaced_only_when_asked(self):
        self.assertEqual(
            {'username': 'root', 'keys': [KEY], 'reset': False},
            sent(EFFECTS['guest-ssh-add-authorized-keys'])['arguments'],
        )
        replaced = commands.add_authorized_keys('root', (KEY,), reset=True)
        self.assertIs(True, sent(replaced)['arguments']['reset'])
        self.assertEqual(
            {'username': 'root', 'keys': [KEY]},
            sent(EFFECTS['guest-ssh-remove-authorized-keys'])['arguments'],
        )

    def test_content_travels_in_base64(self):
        data = bytes(range(256))
        arguments = sent(commands.write_file(1000, data))['arguments']
        self.assertEqual(1000, arguments['handle'])
        self.assertEqual(data, base64.b64decode(arguments['buf-b64']))

    def test_a_seek_starts_at_the_beginning(self):
        self.assertEqual(
            {'handle': 1000, 'offset': 7, 'whence': 0},
            sent(commands.seek_file(1000, 7))['arguments'],
        )

    def test_a_command_without_arguments_has_none(self):
        self.assertEqual({'execute': 'guest-info'}, sent(commands.info()))

    def test_a_request_is_one_line_whatever_it_holds(self):
        asked = commands.open_file('/a\n{"execute":"guest-shutdown"}', 'r')
        self.assertEqual(
            '/a\n{"execute":"guest-shutdown"}',
            sent(asked)['arguments']['path'],
        )
        self.assertNotIn(b'\xff', asked.encode())


class ReadFileTest(unittest.TestCase):
    def reply(self, size):
        """As many bytes as an agent's whole line has for such a read."""
        line = {
            'return': {
                'count': size,
                'buf-b64': base64.b64encode(bytes(size)).decode(),
                'eof': False,
            },
            'id': (1 << 63) - 1,
        }
        return len(json.dumps(line))

    def test_a_reply_may_be_as_long_as_what_was_asked_for(self):
        for size in (1, 2, 3, 4096, commands.CHUNK):
            asked = commands.read_file(1000, size)
            with self.subTest(size=size):
                self.assertGreaterEqual(asked.max_reply, self.reply(size))
                self.assertLess(asked.max_reply, self.reply(size) + 1024)

    def test_a_reply_with_more_than_was_asked_for_is_refused(self):
        reply = {'count': 5, 'buf-b64': 'AAAAAAA=', 'eof': False}
        self.assertEqual(
            bytes(5), commands.read_file(1000, 5).read(reply).data
        )
        with self.assertRaises(errors.InvalidReply):
            commands.read_file(1000, 4).read(reply)


class BatchTest(unittest.TestCase):
    def test_a_batch_goes_out_in_its_order(self):
        batch = command.Batch([READS['guest-info'], READS['guest-get-users']])
        self.assertEqual(
            b'{"execute":"guest-info"}\n{"execute":"guest-get-users"}\n',
            batch.encoded,
        )
        self.assertFalse(batch.has_effect)
        self.assertEqual(2, len(batch.commands))

    def test_a_command_with_an_effect_is_alone_in_its_batch(self):
        effect = EFFECTS['guest-file-close']
        self.assertTrue(command.Batch([effect]).has_effect)
        for several in (
            [effect, effect],
            [READS['guest-info'], effect],
            [effect, READS['guest-info']],
        ):
            with self.assertRaises(ValueError):
                command.Batch(several)

    def test_a_command_with_an_effect_is_not_encoded_to_be_sent_again(self):
        self.assertEqual(
            b'', command.Batch([EFFECTS['guest-file-close']]).encoded
        )

    def test_an_empty_batch_is_one_for_a_sync_alone(self):
        self.assertFalse(command.Batch([]).has_effect)
        self.assertEqual(b'', command.Batch([]).encoded)

    def test_an_id_is_sent_where_one_is_given(self):
        asked = READS['guest-info']
        self.assertEqual(b'{"execute":"guest-info","id":0}\n', asked.encode(0))
        self.assertEqual(b'{"execute":"guest-info"}\n', asked.encode())
