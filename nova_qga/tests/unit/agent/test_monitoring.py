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


"""Tests of how the monitor's options become what the poller works by."""

import pathlib
import unittest

import fixtures
from oslo_config import cfg

from nova_qga.agent import monitoring
from nova_qga import conf as qga_conf
from nova_qga import errors
from nova_qga.tests.fixtures import known_host

GUEST = known_host.DESCRIPTION


class ReadTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file = folder / 'nova-qga.conf'

    def write(self, *lines):
        self.file.write_text(
            '\n'.join(('[qga_monitor]', 'publishers =', *lines))
        )

    def read(self, *lines):
        self.write(*lines)
        self.conf = cfg.ConfigOpts()
        qga_conf.register_opts(self.conf)
        self.conf([], default_config_files=[str(self.file)])
        return monitoring.read(self.conf, None, {}, tuple)

    def reread(self, *lines):
        self.write(*lines)
        self.conf.mutate_config_files()
        return monitoring.read(self.conf, None, {}, tuple)

    def test_by_default_each_guest_is_sampled_every_minute(self):
        monitor = self.read()
        self.assertEqual(60.0, monitor.guests.interval)
        self.assertEqual(60.0, monitor.guests.interval_of(GUEST))
        self.assertEqual(300.0, monitor.guests.slow_interval)
        self.assertEqual(60.0, monitor.guests.heartbeat_interval)

    def test_whom_and_how_often_may_change_while_it_runs(self):
        self.read()
        monitor = self.reread(
            'interval = 30',
            'slow_interval = 900',
            'heartbeat_interval = 0',
            f'project_intervals = {GUEST.project_id}: 15',
        )
        self.assertEqual(30.0, monitor.guests.interval)
        self.assertEqual(15.0, monitor.guests.interval_of(GUEST))
        self.assertEqual(900.0, monitor.guests.slow_interval)
        self.assertEqual(0.0, monitor.guests.heartbeat_interval)
        for line in (
            f'excluded_instances = {GUEST.uuid}',
            f'excluded_projects = {GUEST.project_id}',
        ):
            with self.subTest(line=line):
                monitor = self.reread(line)
                self.assertIsNone(monitor.guests.interval_of(GUEST))
        self.assertEqual(60.0, self.reread().guests.interval_of(GUEST))

    def test_a_bad_period_is_said_with_its_project(self):
        self.read()
        with self.assertRaisesRegex(errors.ConfigurationError, "'0' for.*p1"):
            self.reread('project_intervals = p0:10, p1:0')
        with self.assertRaisesRegex(
            errors.ConfigurationError, 'project_intervals'
        ):
            self.read('project_intervals = p0')

    def test_what_is_no_id_is_said_and_the_rest_is_taken(self):
        with self.assertLogs(monitoring.__name__, 'WARNING') as said:
            monitor = self.read(f'excluded_instances = web, {GUEST.uuid}')
        self.assertIn("excluded_instances has 'web'", said.output[0])
        self.assertIsNone(monitor.guests.interval_of(GUEST))
