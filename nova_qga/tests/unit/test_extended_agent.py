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

"""The example of an operation that another package adds.

What its guest answers was recorded from a real agent that has the command.
"""

import unittest

import hypothesis
from hypothesis import strategies

from nova_qga import errors
from nova_qga.rpc.catalog import base
from nova_qga.rpc import coverage
from nova_qga.rpc import policy
from nova_qga.rpc import request
from nova_qga.rpc import user
from nova_qga.tests.fixtures import architecture
from nova_qga.tests.fixtures import example
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.fixtures import scripted_guest

ROOT = recordings.reply('extended', 'guest-get-statvfs')
SHM = recordings.reply('extended', 'guest-get-statvfs-of-shm')
PROC = recordings.reply('extended', 'guest-get-statvfs-of-proc')


@example.needs_it
class ReplyTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.protocol = example.module('protocol')

    def refuse(self, **changed):
        with self.assertRaises(errors.InvalidReply):
            self.protocol.read_statvfs({**ROOT, **changed})

    def test_what_a_real_agent_answers_is_read(self):
        for reply in (ROOT, SHM, PROC):
            told = self.protocol.read_statvfs(reply)
            self.assertEqual(reply, told._asdict())

    def test_each_number_is_one_of_64_bits(self):
        for name in self.protocol.Statvfs._fields:
            for value in (True, '5', 5.0, None, [], 1 << 64, -(1 << 63) - 1):
                with self.subTest(name=name, value=value):
                    self.refuse(**{name: value})
        self.refuse(f_blocks=-1)

    def test_a_number_that_is_missing_is_missed(self):
        for name in ROOT:
            left = {key: ROOT[key] for key in ROOT if key != name}
            with self.subTest(name=name):
                with self.assertRaises(errors.InvalidReply):
                    self.protocol.read_statvfs(left)

    def test_the_filesystem_itself_may_have_a_negative_number(self):
        signed = {**SHM, 'f_fsid': SHM['f_fsid'] - (1 << 64)}
        self.assertLess(signed['f_fsid'], 0)
        told = self.protocol.read_statvfs(signed)
        self.assertEqual(SHM['f_fsid'], told.f_fsid)

    def test_bytes_are_of_64_bits_too(self):
        self.refuse(f_blocks=1 << 60)

    @hypothesis.settings(deadline=None)
    @hypothesis.given(
        strategies.dictionaries(
            strategies.sampled_from(sorted(ROOT)),
            strategies.integers(-(1 << 65), 1 << 65) | strategies.none(),
        )
    )
    def test_any_reply_is_read_or_refused(self, changed):
        try:
            told = self.protocol.read_statvfs({**ROOT, **changed})
        except errors.InvalidReply:
            return
        self.assertGreaterEqual(min(told), 0)


@example.needs_it
class OperationTest(unittest.TestCase):
    def get(self, reply):
        guest = scripted_guest.ScriptedGuest({'guest-get-statvfs': reply})
        found = example.module('operations').get_statvfs(guest, path='/x')
        self.assertEqual({'path': '/x'}, guest.executed[0].arguments)
        return found

    def test_blocks_become_bytes(self):
        # As df and stat -f said at that moment.
        self.assertEqual(
            {
                'size': 66053021 * 4096,
                'used': (66053021 - 57110382) * 4096,
                'free': 57110382 * 4096,
                'available': 17655089 * 4096,
                'inodes': 16777216,
                'inodes_free': 15903136,
                'inodes_available': 15903136,
            },
            self.get(ROOT),
        )

    def test_where_there_are_no_inodes_none_are_told(self):
        found = self.get(PROC)
        self.assertIsNone(found['inodes'])
        self.assertIsNone(found['inodes_free'])
        self.assertEqual(0, found['size'])

    def test_no_less_than_nothing_is_used(self):
        found = self.get({**ROOT, 'f_bfree': ROOT['f_blocks'] + 1})
        self.assertIsNone(found['used'])

    def test_an_agent_without_the_command_is_not_asked(self):
        guest = scripted_guest.ScriptedGuest()
        with self.assertRaises(errors.CommandUnsupported):
            example.module('operations').get_statvfs(guest, path='/')
        self.assertEqual([], guest.executed)


@example.needs_it
class CatalogTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.operation = example.module('catalog').GET_STATVFS

    def parse(self, **given):
        return request.parse(
            user.User(),
            self.operation,
            known_host.request(**given),
            base.Limits(known_host.MAX_FILE_SIZE),
        )

    def test_a_path_is_absolute_text(self):
        self.assertEqual('/mnt', self.parse(path='/mnt').arguments['path'])
        for path in ('', 'x', '/a\0b', '/' + 'x' * 4096, 7, None, ['/']):
            with self.subTest(path=path):
                with self.assertRaises(errors.InvalidRequest):
                    self.parse(path=path)
        with self.assertRaises(errors.InvalidRequest):
            self.parse()

    def test_it_has_a_rule_of_its_own(self):
        rules = {rule.name: rule for rule in policy.rules([self.operation])}
        self.assertEqual('rule:qga:audit', rules['qga:get_statvfs'].check_str)

    def test_coverage_counts_it(self):
        self.assertEqual(
            {'get_statvfs': ('guest-get-statvfs',)},
            coverage.needs_of([self.operation]),
        )


@example.needs_it
class RulesTest(unittest.TestCase):
    def test_the_example_keeps_our_rules(self):
        layers = (architecture.imports_point_down,)
        modules = sorted(example.FOLDER.rglob('*.py'))
        self.assertTrue(modules)
        for path in modules:
            module = architecture.Module(path.name, path.read_text())
            for rule in set(architecture.RULES) - set(layers):
                with self.subTest(module=path.name, rule=rule.__name__):
                    self.assertEqual([], list(rule(module)))
