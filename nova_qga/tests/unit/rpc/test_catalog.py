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

"""Tests of how operations are found."""

import inspect
import json
import os
import pathlib
import subprocess
import sys
import textwrap
import unittest

import fixtures

from nova_qga.rpc.catalog import base
from nova_qga.rpc.catalog import loading
from nova_qga.rpc import endpoint
from nova_qga.rpc import policy

MODULE = """
    from nova_qga.rpc.catalog import base

    STATVFS = base.Operation(
        'get_statvfs', has_effect=False, arguments={},
        run=lambda context, given: {'blocks': 1},
    )
    OTHER = base.Operation(
        'ping', has_effect=True, arguments={},
        run=lambda context, given: {},
    )
    SOMETHING = 'no operation'
"""


SCRIPT = """
import json, logging
from nova_qga.rpc.catalog import loading
logging.basicConfig()
found = loading.load()
result = None
if 'get_statvfs' in found:
    result = found['get_statvfs'].run(None, {})
print(json.dumps([sorted(found), result]))
"""


class OursTest(unittest.TestCase):
    def test_each_is_there_by_its_name(self):
        found = loading.load()
        self.assertLessEqual({'set_password', 'ping', 'write_file'}, {*found})
        for name, operation in found.items():
            self.assertIsInstance(operation, base.Operation)
            self.assertEqual(name, operation.name)

    def test_each_says_what_it_needs_of_the_agent(self):
        without = {
            name for name, each in loading.load().items() if not each.needs
        }
        # They take none, or do without those that are refused.
        self.assertEqual(
            {'ping', 'get_info', 'attach_channel', 'run_command'}, without
        )

    def test_nobody_elses_can_have_a_name_that_is_in_use(self):
        methods = {
            name
            for name, method in inspect.getmembers(endpoint.Endpoint)
            if getattr(method, 'exposed', False)
        }
        rules = {rule.name.removeprefix('qga:') for rule in policy.rules([])}
        self.assertLessEqual(methods | rules, loading.RESERVED)


class OutsideTest(fixtures.TestWithFixtures, unittest.TestCase):
    """A package outside this one brings an operation."""

    def load(self, name, value):
        """Load all in a process that has the package."""
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (folder / 'outside.py').write_text(textwrap.dedent(MODULE))
        info = folder / 'outside-1.0.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text('Name: outside\nVersion: 1.0\n')
        (info / 'entry_points.txt').write_text(
            f'[{loading.NAMESPACE}]\n{name} = {value}\n'
        )
        path = [str(folder), *os.environ.get('PYTHONPATH', '').split(':')]
        return subprocess.run(
            [sys.executable, '-c', SCRIPT],
            env={
                **os.environ,
                'PYTHONPATH': ':'.join(filter(None, path)),
                # stevedore keeps what it has found.
                'XDG_CACHE_HOME': str(folder),
            },
            capture_output=True,
            text=True,
        )

    def test_it_is_there_with_ours(self):
        done = self.load('get_statvfs', 'outside:STATVFS')
        names, result = json.loads(done.stdout)
        self.assertEqual({'blocks': 1}, result)
        self.assertIn('ping', names)
        self.assertEqual('', done.stderr)

    def test_one_that_cannot_be_loaded_is_left_out_and_logged(self):
        for value in ('outside:NOTHING', 'nowhere:X', 'outside:SOMETHING'):
            with self.subTest(value=value):
                done = self.load('get_statvfs', value)
                names, _ = json.loads(done.stdout)
                self.assertNotIn('get_statvfs', names)
                self.assertIn('ping', names)
                self.assertIn('left out', done.stderr)
                self.assertIn(value, done.stderr)

    def test_one_that_would_take_the_place_of_another_is_refused(self):
        done = self.load('ping', 'outside:OTHER')
        self.assertEqual('', done.stdout)
        self.assertIn('the operation ping', done.stderr)
        self.assertIn('is there twice', done.stderr)

    def test_one_by_a_name_that_is_in_use_is_refused(self):
        for name in ('list_guests', 'audit', '_views', 'get-statvfs'):
            with self.subTest(name=name):
                done = self.load(name, 'outside:STATVFS')
                self.assertIn(f'has the name {name}', done.stderr)

    def test_one_by_another_name_is_refused(self):
        done = self.load('statvfs', 'outside:STATVFS')
        self.assertIn('another name', done.stderr)
