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

"""A guest's direct channel, driven byte by byte by the test."""

import base64
import contextlib
import json
import secrets
import socket
import unittest

import fixtures
import libvirt
import libvirt_qemu

from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import shared

#: Seconds for anything that will happen.
PATIENCE = 60.0
#: Seconds in which what should not happen does not.
A_WHILE = 1.0


class RawClient:
    """A client that knows no rules.

    :param path: of the socket
    """

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile('rb')

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self._lines.close()
        self._socket.close()

    def send(self, name, **arguments):
        """Send a command, with no sync before it."""
        message = {'execute': name, 'arguments': arguments}
        self._socket.sendall(json.dumps(message).encode() + b'\n')

    def receive(self):
        """The next line, decoded; b'' at the end of file."""
        line = self._lines.readline()
        return json.loads(line.lstrip(b'\xff')) if line else b''

    def ask(self, name, **arguments):
        """Send a command and return what it is answered."""
        self.send(name, **arguments)
        return self.receive()['return']

    def sync(self):
        """Sync; return all bytes that came before its answer."""
        sync_id = secrets.randbits(63)
        self._socket.sendall(
            b'\xff{"execute": "guest-sync-delimited", "arguments": '
            b'{"id": %d}}\n' % sync_id
        )
        before = b''
        while True:
            line = self._lines.readline()
            if not line:
                raise ConnectionResetError('end of file')
            before += line
            head, mark, answer = before.rpartition(b'\xff')
            if mark and answer == b'{"return": %d}\n' % sync_id:
                return head

    def hears_nothing(self):
        """Whether nothing comes for a while, not even an end of file."""
        self._socket.settimeout(A_WHILE)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
            return False
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(PATIENCE)


class DirectChannelTest(fixtures.TestWithFixtures, unittest.TestCase):
    """Tests that do to the agent on the direct channel what they like.

    :ivar vm: the shared guest; its agent is well again afterwards
    :ivar marker: a file in the guest that is not there yet
    """

    def setUp(self):
        super().setUp()
        self.vm = shared.guest()
        self.addCleanup(self.make_agent_well)
        self.marker = f'/tmp/{self.id().rpartition(".")[2]}'
        self.vm.inspect(f'rm -f {self.marker}')

    def client(self):
        client = RawClient(self.vm.direct_socket)
        self.addCleanup(client.close)
        return client

    def make_agent_well(self):
        shared.guest()  # boots it if it is not running
        self.vm.inspect(
            'pid=$(cat /run/qemu-ga-1.pid) && kill -CONT "$pid" '
            '|| agent-start 1'
        )

    def stop_agent(self, signal='TERM'):
        self.vm.stop_agent(1, signal)

    def start_agent(self):
        self.vm.start_agent(1)

    def hang_agent(self):
        self.vm.inspect('kill -STOP $(cat /run/qemu-ga-1.pid)')

    def wake_agent(self):
        self.vm.inspect('kill -CONT $(cat /run/qemu-ga-1.pid)')

    @contextlib.contextmanager
    def paused(self):
        """The guest's processors are stopped."""
        self.vm.suspend()
        try:
            yield
        finally:
            self.vm.resume()

    def quit(self):
        """End QEMU by its monitor, which breaks before it answers."""
        with (
            self.vm.domain() as domain,
            contextlib.suppress(libvirt.libvirtError),
        ):
            libvirt_qemu.qemuMonitorCommand(domain, '{"execute": "quit"}', 0)

    def make_marker(self, client):
        """Have the agent make the marker; do not wait for its answer."""
        client.send('guest-file-open', path=self.marker, mode='w')

    def marker_exists(self):
        return bool(self.vm.inspect(f'ls {self.marker} 2>/dev/null || true'))

    def assert_marked(self):
        self.assertTrue(process.wait_until(self.marker_exists, PATIENCE))

    def assert_unmarked(self):
        # The agent has done all that came before this.
        with contextlib.closing(self.client()) as client:
            client.sync()
        self.assertFalse(self.marker_exists())

    def set_password(self, client, hashed):
        """Have root's password set; do not wait for the answer."""
        client.send(
            'guest-set-user-password',
            username='root',
            password=base64.b64encode(hashed.encode()).decode(),
            crypted=True,
        )

    def password(self):
        """Root's password, as the guest has it."""
        return self.vm.inspect('grep ^root: /etc/shadow').split(':')[1]

    def ticks(self):
        """CPU time that the agent has used, in 1/100 s."""
        stat = self.vm.inspect('cat /proc/$(cat /run/qemu-ga-1.pid)/stat')
        return sum(map(int, stat.rpartition(')')[2].split()[11:13]))
