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

"""Whoever follows the monitoring guide sees what it shows.

Its commands are run in its order, in a shell, on all that tools/demo.sh
--monitoring starts: a real guest, agent, broker, Prometheus and Ceilometer.
"""

import pathlib
import signal
import subprocess
import sys
import unittest

import fixtures

from nova_qga.tests.fixtures import doc_pages
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import shown

ROOT = pathlib.Path(__file__).resolve().parents[4]
PAGE = ROOT / 'doc/source/install/monitoring-guide.rst'
FOLDER = '/tmp/nova-qga-demo'
STARTED = '1. Start'
START = 'tools/demo.sh --monitoring'
#: Seconds for what a command shows to come true, and for the start.
PATIENCE = 60
LONG = 300


class MonitoringGuideTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        root = self.useFixture(process.ShortFolder()).path
        self.folder = root / 'demo'
        self.demo = self.useFixture(
            process.Process(
                [
                    *(sys.executable, '-P', ROOT / 'tools/monitoring_demo.py'),
                    f'--folder={self.folder}',
                ],
                folder=root,
                log=root / 'demo.log',
            )
        )
        self.demo.wait_until(
            lambda: 'all of it runs' in self.said(), 'all of it runs', LONG
        )

    def said(self):
        return self.demo.log.read_text().replace(str(self.folder), FOLDER)

    def run_in_shell(self, command):
        """What a command prints, on both outputs, and its exit status."""
        done = subprocess.run(
            ['bash', '-c', f'. {self.folder}/env && {command}'],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            timeout=LONG,
        )
        return done.stdout, done.returncode

    def follow(self, command, lines):
        """Run a command until it shows what it should.

        One that shows nothing changes something, and is run once.
        """
        command = command.replace(FOLDER, str(self.folder))
        printed, status = self.run_in_shell(command)

        def come_true():
            nonlocal printed, status
            if status or shown.missing(lines, printed):
                printed, status = self.run_in_shell(command)
            return not status and not shown.missing(lines, printed)

        if lines:
            process.wait_until(come_true, PATIENCE, every=0.5)
        self.assertEqual(0, status, printed)
        self.assertEqual([], shown.missing(lines, printed), printed)

    def test_its_commands_show_what_it_says(self):
        steps = doc_pages.sections(PAGE.read_text(), '-')
        before = dict(doc_pages.commands(steps[STARTED]))
        started = [
            line
            for line in before[START]
            # How they are installed is no business of this test.
            if not line.startswith('setup:')
        ]
        self.assertEqual([], shown.missing(started, self.said()))
        for title, text in steps.items():
            for command, lines in doc_pages.commands(text):
                if title != STARTED:
                    with self.subTest(step=title, command=command):
                        self.follow(command, lines)
        self.demo.signal(signal.SIGINT)
        self.assertTrue(
            process.wait_until(lambda: not self.demo.running, PATIENCE)
        )
        self.assertIn('demo: ok', self.said())
        self.assertFalse(self.folder.exists())


class ProductionTest(fixtures.TestWithFixtures, unittest.TestCase):
    def test_prometheus_takes_the_job(self):
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        page = str(PAGE.relative_to(doc_pages.DOC))
        text = doc_pages.code(page, 'In production', 'yaml')
        rules = f'{ROOT}/etc/prometheus/rules/'
        (folder / 'prometheus.yml').write_text(
            text.replace('/etc/prometheus/rules/', rules)
        )
        done = subprocess.run(
            [process.program('promtool'), 'check', 'config', 'prometheus.yml'],
            capture_output=True,
            text=True,
            cwd=folder,
        )
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn('1 rule files found', done.stdout)
