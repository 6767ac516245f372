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

"""Tests of looking for files that nobody named."""

import os
import pathlib
import tempfile
import unittest

from nova_qga.conf import files
from nova_qga import errors


class ExistingTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)

    def test_those_that_are_not_there_are_left_out(self):
        there = self.folder / 'there'
        there.touch()
        missing = [self.folder / 'none', there / 'below', self.folder / 'a/b']
        paths = [str(path) for path in (*missing, there)]
        self.assertEqual([str(there)], files.existing(paths))

    def test_a_folder_that_is_closed_is_said_with_who_may_read_it(self):
        closed = self.folder / 'nova'
        closed.mkdir(0o700)
        owner, group = closed.owner(), closed.group()
        if os.geteuid() == 0:
            os.seteuid(65534)
            self.addCleanup(os.seteuid, 0)
        else:
            closed.chmod(0)
            self.addCleanup(closed.chmod, 0o700)
        with self.assertRaisesRegex(
            errors.ConfigurationError, f'owner {owner}.*group {group}.*-file'
        ):
            files.existing([str(closed / 'nova.conf')])
