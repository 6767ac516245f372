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

"""Tests that the benchmark works; how fast anything is, it does not judge."""

import pathlib
import subprocess
import sys
import unittest
from xml.etree import ElementTree

import fixtures

BENCH = pathlib.Path(__file__).parents[4] / 'tools/bench'


class BenchmarkTest(fixtures.TestWithFixtures, unittest.TestCase):
    def run_program(self, name, *words):
        done = subprocess.run(
            [sys.executable, BENCH / name, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def test_it_measures_agents_and_others_and_writes_what_it_found(self):
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        page = folder / 'page.rst'
        page.write_text(
            'Before.\n\n'
            '.. The tables below are written by tools/bench/run.py --write.\n'
            '.. End of the written tables.\n'
            '\nAfter.\n'
        )
        self.run_program(
            'run.py', '--quick', '--repetitions', 1, '--write', page
        )
        text = page.read_text()
        self.assertTrue(text.startswith('Before.\n\n.. The tables'))
        self.assertTrue(
            text.endswith('.. End of the written tables.\n\nAfter.\n')
        )
        for title in (
            'A whole agent',
            'Guests that do not answer',
            'A fetch by Prometheus',
            'CPU of one guest and sample',
            'What monitoring takes in a guest',
        ):
            self.assertIn(f'.. list-table:: {title}', text)
        drawing = ElementTree.parse(folder / 'growth.svg').getroot()
        self.assertTrue(drawing.tag.endswith('svg'))

    def test_it_watches_an_agent_whose_guests_come_and_go(self):
        told = self.run_program(
            'soak.py', '--guests', 20, '--seconds', 5, '--churn', 2
        )
        self.assertIn('rss_late_mib', told)
