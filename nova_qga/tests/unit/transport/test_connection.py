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

"""Connecting to a socket: what an operator has to change is said."""

import os
import socket

import fixtures

from nova_qga import errors
from nova_qga.tests.fixtures import process
from nova_qga.transport import connection

NOBODY = 65534


class WarningTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.folder = self.useFixture(process.ShortFolder()).path
        self.useFixture(
            fixtures.MonkeyPatch('nova_qga.transport.connection._warned', {})
        )
        self.logged = self.useFixture(fixtures.FakeLogger())

    def listen(self, name):
        server = socket.socket(socket.AF_UNIX)
        self.addCleanup(server.close)
        path = str(self.folder / name)
        server.bind(path)
        server.listen()
        os.chmod(path, 0o000)
        return path

    def be_nobody(self):
        if os.geteuid() == 0:
            os.seteuid(NOBODY)
            self.addCleanup(os.seteuid, 0)

    def refuse(self, path, reason):
        with self.assertRaisesRegex(errors.ChannelClosed, reason):
            connection.connect(path)

    def test_sockets_of_other_users_are_warned_of_once_for_all_guests(self):
        first, second = self.listen('first'), self.listen('second')
        self.be_nobody()
        self.refuse(first, 'Permission denied')
        self.refuse(second, 'Permission denied')
        [line] = self.logged.output.splitlines()
        for words in (first, 'Permission denied', 'run nova-qga as root'):
            self.assertIn(words, line)

    def test_after_a_while_it_is_said_again(self):
        path = self.listen('first')
        self.useFixture(
            fixtures.MonkeyPatch('nova_qga.transport.connection.QUIET', 0.0)
        )
        self.be_nobody()
        self.refuse(path, 'Permission denied')
        self.refuse(path, 'Permission denied')
        self.assertEqual(2, len(self.logged.output.splitlines()))

    def test_a_path_that_is_too_long_is_another_reason(self):
        self.refuse('/' + 'x' * 107, 'over 107 bytes')
        self.assertIn('shorter', self.logged.output)

    def test_a_guest_that_is_gone_is_no_reason_to_warn(self):
        self.refuse(str(self.folder / 'gone'), 'No such file')
        self.assertEqual('', self.logged.output)
