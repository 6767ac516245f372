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

"""Tests of what systemd is told."""

import os
import pathlib
import socket
import unittest

import fixtures

from nova_qga.agent import readiness


class NotifyTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.server.close)

    def name(self, path):
        self.useFixture(fixtures.EnvironmentVariable('NOTIFY_SOCKET', path))

    def test_who_waits_at_a_path_is_told(self):
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.server.bind(str(folder / 's'))
        self.name(str(folder / 's'))
        readiness.notify('READY=1')
        self.assertEqual(b'READY=1', self.server.recv(100))

    def test_and_who_waits_at_an_abstract_name(self):
        name = f'nova-qga-test-{os.getpid()}'
        self.server.bind('\0' + name)
        self.name('@' + name)
        readiness.notify('STOPPING=1')
        self.assertEqual(b'STOPPING=1', self.server.recv(100))

    def test_nobody_need_wait(self):
        self.name(None)
        readiness.notify('READY=1')
        self.name('/nobody/listens/here')
        readiness.notify('READY=1')
