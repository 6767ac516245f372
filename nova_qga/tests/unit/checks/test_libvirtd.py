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

"""Tests of the check of libvirt, where no libvirtd is."""

import socket

import fixtures

from nova_qga.checks import libvirtd
from nova_qga.tests.fixtures import findings
from nova_qga.tests.fixtures import process


class LibvirtdTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.path = self.useFixture(process.ShortFolder()).path / 'socket'
        self.uri = f'qemu+unix:///system?socket={self.path}'

    def test_the_guests_of_one_that_answers_are_counted(self):
        [found] = libvirtd.check('test:///default')
        self.assertEqual('GOOD', found.severity.name)
        self.assertIn('it has 1 guests', found.text)

    def test_one_that_is_away_is_a_failure_with_what_to_do(self):
        [(severity, text)] = findings.bad(libvirtd.check(self.uri))
        self.assertEqual('FAILURE', severity)
        self.assertIn('No such file or directory', text)
        self.assertIn('start libvirtd', text)

    def test_one_that_hangs_is_not_waited_for(self):
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(self.path))
            silent.listen()
            found = libvirtd.check(self.uri, timeout=0.3)
        [(severity, text)] = findings.bad(found)
        self.assertEqual('FAILURE', severity)
        self.assertIn('does not answer', text)

    def test_a_uri_that_is_none_is_said(self):
        [(_, text)] = findings.bad(libvirtd.check('nonsense'))
        self.assertIn('correct [qga_agent]libvirt_uri', text)
