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

"""inject_files.json: what is taken, and how it is said what is not."""

import base64
import hashlib
import io
import json
import pathlib
import unittest

import fixtures
import hypothesis
from hypothesis import strategies

from nova_qga.cli import inject_files
from nova_qga.cli import json_file
from nova_qga.cli import outcome
from nova_qga.tests.fixtures import injected_guest

SECRET = 'hunter2hunter2'


class InjectFilesTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file = folder / 'inject_files.json'

    def parse(self, content):
        if isinstance(content, str):
            content = content.encode()
        elif not isinstance(content, bytes):
            content = json.dumps(content).encode()
        self.file.write_bytes(content)
        name = str(self.file)
        found = json_file.read(name, io.StringIO(), inject_files.MAX_BYTES)
        return inject_files.parse(name, found)

    def refused(self, content):
        with self.assertRaises(outcome.Failure) as caught:
            self.parse(content)
        self.assertEqual(2, caught.exception.exit_code)
        message = str(caught.exception)
        self.assertTrue(message.startswith(f'{self.file}: '), message)
        self.assertTrue(message.isprintable(), message)
        self.assertLess(len(message), 500)
        return message

    def test_a_list_and_an_object_are_the_same(self):
        wanted = [
            (path, len(data), hashlib.sha256(data).hexdigest())
            for path, data in injected_guest.CONTENTS.items()
        ]
        for as_list in (True, False):
            with self.subTest(as_list=as_list):
                text = injected_guest.encoded(as_list=as_list)
                self.assertEqual(wanted, self.parse(text))

    def test_base64_may_have_line_breaks(self):
        data = bytes(range(256))
        [file] = self.parse({'/x': base64.encodebytes(data).decode()})
        self.assertTrue(file.is_whole(data))
        self.assertFalse(file.is_whole(data[:-1]))

    def test_cron_is_told_from_the_rest(self):
        starts = {
            '/etc/cron.d/inject_cron_job': True,
            '/etc/crontab': True,
            '/var/spool/cron/root': True,
            '/etc/cron.daily/x': True,
            '/etc/vm_monitor/info': False,
            '/usr/bin/cronometer': False,
        }
        found = self.parse(dict.fromkeys(starts, ''))
        self.assertEqual(
            starts, {each.path: each.starts_others for each in found}
        )

    def test_what_is_no_json_is_told_with_its_place(self):
        self.assertIn('line 2, column 3', self.refused('{\n  x'))
        self.assertIn('no JSON', self.refused(''))
        self.assertIn('byte 2', self.refused(b'["\xff"]'))
        for text in ('[' * 100_000, f'[{"9" * 5000}]'):
            self.assertIn('nested too deep', self.refused(text))
        self.assertIn('NaN', self.refused('[NaN]'))

    def test_a_file_that_is_not_there_or_too_large_is_told(self):
        with self.assertRaisesRegex(outcome.Failure, 'cannot read'):
            json_file.read('/nowhere', io.StringIO(), 1)
        with self.assertRaisesRegex(outcome.Failure, 'folder|directory'):
            json_file.read('/etc', io.StringIO(), 1)
        size = inject_files.MAX_BYTES + 1
        self.assertIn('more than', self.refused(b' ' * size))

    def test_what_is_no_list_of_files_is_told(self):
        for content, words in (
            ('7', 'neither a list'),
            ('[]', 'it has 0 files'),
            ({f'/{number}': '' for number in range(101)}, 'it has 101'),
            ([7], 'file 1: it is no object'),
            ([{'path': '/x'}], 'file 1: it has no "contents"'),
            ([{'contents': ''}], 'file 1: it has no "path"'),
            ([{'path': 7, 'contents': ''}], 'file 1: its path is no text'),
            ({'/x': 7}, 'file 1, /x: its contents are no text'),
            ({'/x': '', '/y': '%'}, 'file 2, /y: its contents are no base64'),
            ({'/x': 'YQ'}, 'no base64'),
            ({'/x': 'é'}, 'no base64'),
            ('{"/x": "", "/x": ""}', '"/x" stands twice'),
            (
                [{'path': '/x', 'contents': ''}] * 2,
                'file 2: /x stands twice',
            ),
        ):
            with self.subTest(content=content):
                self.assertIn(words, self.refused(content))

    def test_a_path_that_is_not_plain_is_refused(self):
        for path in (
            '',
            '/',
            'x',
            'C:\\x',
            '/../x',
            '/etc/../x',
            '/etc/..',
            '/etc/./x',
            '//etc/x',
            '/etc//x',
            '/etc/',
            '/x\0y',
            '/x\ny',
            '/\x1b[2J',
            '/\u202etxt',
            '/\ud800',
            '/' + 'x' * 255,
        ):
            with self.subTest(path=path):
                self.assertIn('path must', self.refused({path: ''}))

    def test_a_content_that_is_too_large_is_refused(self):
        size = inject_files.MAX_CONTENT
        [file] = self.parse({'/x': base64.b64encode(bytes(size)).decode()})
        self.assertEqual(size, file.size)
        said = self.refused({'/x': base64.b64encode(bytes(size + 1)).decode()})
        self.assertIn('1048576 bytes', said)

    def test_nothing_of_the_contents_is_ever_said(self):
        encoded = base64.b64encode(SECRET.encode()).decode()
        for content in (
            {'/x': SECRET + '!'},
            {'x': encoded},
            [{'path': '/x', 'contents': [encoded]}],
            f'{{"/x": "{encoded}" "{SECRET}"}}',
            f'{{"/x": {{"{SECRET}": "{encoded}"}}}}',
        ):
            with self.subTest(content=content):
                said = self.refused(content)
                self.assertNotIn(SECRET, said)
                self.assertNotIn(encoded, said)
        [file] = self.parse({'/x': encoded})
        self.assertNotIn(SECRET, repr(file))

    @hypothesis.settings(deadline=None, max_examples=300)
    @hypothesis.given(
        strategies.recursive(
            strategies.none()
            | strategies.booleans()
            | strategies.integers()
            | strategies.floats()
            | strategies.text(max_size=8),
            lambda inner: (
                strategies.lists(inner, max_size=4)
                | strategies.dictionaries(
                    strategies.sampled_from(('path', 'contents', '/x', ''))
                    | strategies.text(max_size=6),
                    inner,
                    max_size=4,
                )
            ),
        )
    )
    def test_whatever_it_holds_is_taken_or_refused(self, found):
        try:
            files = inject_files.parse('x', found)
        except outcome.Failure as failure:
            self.assertTrue(str(failure).isprintable())
        else:
            self.assertTrue(all(each.path.startswith('/') for each in files))
