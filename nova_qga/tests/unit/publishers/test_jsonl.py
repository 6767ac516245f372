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


"""Tests of samples in a file."""

import json
import pathlib
import resource
import stat
import unittest

import fixtures

from nova_qga import errors
from nova_qga.publishers import jsonl
from nova_qga.publishers import payload
from nova_qga.tests.fixtures import made_samples
from nova_qga.tests.fixtures import publisher_context


class JsonLinesTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.path = folder / 'samples.jsonl'

    def publisher(self, path=None):
        made = jsonl.JsonLinesPublisher(
            publisher_context.of(jsonl.GROUP, path=str(path or self.path))
        )
        self.addCleanup(made.close)
        return made

    def lines(self, path=None):
        text = (path or self.path).read_text()
        return [json.loads(line) for line in text.splitlines()]

    def test_each_guest_is_a_line_as_it_would_be_told(self):
        publisher = self.publisher()
        samples = made_samples.samples()
        publisher.publish([samples])
        publisher.publish([samples])
        told = json.loads(json.dumps(payload.of(samples, 'compute-1')))
        self.assertEqual([told, told], self.lines())

    def test_what_was_there_stays(self):
        self.path.write_text('{"n": 1}\n')
        self.publisher().publish([made_samples.samples()])
        self.assertEqual(2, len(self.lines()))

    def test_a_file_that_was_moved_away_is_made_anew(self):
        publisher = self.publisher()
        publisher.publish([made_samples.samples()])
        moved = self.path.with_suffix('.1')
        self.path.rename(moved)
        publisher.publish([made_samples.samples()])
        self.assertEqual(1, len(self.lines(moved)))
        self.assertEqual(1, len(self.lines()))

    def test_others_cannot_read_it(self):
        self.publisher()
        self.assertEqual(0, stat.S_IMODE(self.path.stat().st_mode) & 0o007)

    def test_one_that_cannot_be_written_is_said(self):
        with self.assertRaisesRegex(
            errors.ConfigurationError, r'\[qga_jsonl\]path, /nowhere/x'
        ):
            self.publisher('/nowhere/x')

    def test_a_full_disk_is_said_and_tears_no_line_but_one(self):
        publisher = self.publisher()
        publisher.publish([made_samples.samples()])
        room = self.path.stat().st_size + 50
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
        try:
            for _ in range(2):
                with self.assertRaisesRegex(
                    errors.ServiceUnavailable, 'cannot be written'
                ):
                    publisher.publish([made_samples.samples()])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        publisher.publish([made_samples.samples()])
        first, torn, last = self.path.read_text().splitlines()
        self.assertEqual(50, len(torn))
        self.assertEqual(json.loads(first), json.loads(last))
