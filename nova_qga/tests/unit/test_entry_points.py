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

"""What setup.cfg promises is there: each entry point loads.

A broken one would show only where it is used: nova-compute, for one, logs it
and goes on without the extension.
"""

import configparser
from importlib import metadata
import pathlib
import subprocess
import sys
import unittest

SETUP_CFG = pathlib.Path(__file__).resolve().parents[3] / 'setup.cfg'

# Loads in an interpreter of its own, for the programs set up a whole process.
# The programs come first, as they must choose their threading backend before
# anything else is loaded.
LOAD_ALL = """
import sys, traceback
from importlib import metadata
points = metadata.distribution('nova-qga').entry_points
for point in sorted(points, key=lambda p: p.group != 'console_scripts'):
    try:
        point.load()
    except Exception as error:
        print(f'[{point.group}] {point.name}: {error!r}')
"""


def promised():
    """Group, name and target of every entry point in setup.cfg."""
    parser = configparser.ConfigParser(delimiters=['='])
    parser.read(SETUP_CFG)
    return {
        (group, *(part.strip() for part in line.split('=')))
        for group, lines in parser['entry_points'].items()
        for line in lines.split('\n')
        if line.strip()
    }


class EntryPointTest(unittest.TestCase):
    maxDiff = None

    def test_the_installed_entry_points_are_those_of_setup_cfg(self):
        installed = {
            (point.group, point.name, point.value)
            for point in metadata.distribution('nova-qga').entry_points
        }
        self.assertEqual(
            promised(), installed, 'pip install -e . makes them anew'
        )

    def test_every_entry_point_loads(self):
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', LOAD_ALL],
            capture_output=True,
            text=True,
        )
        self.assertEqual('', done.stdout)
        self.assertEqual(0, done.returncode, done.stderr)
