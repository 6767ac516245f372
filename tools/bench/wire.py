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

"""The bytes of the benchmark: what is asked, and the recorded replies.

``sample.template`` is one sample as nova-qga's poller sends it, a sync and
ten commands, with ``$SYNC`` for the sync id and ``$H0`` .. ``$H2`` for the
handles of FILES. Every client of the benchmark sends these. ``replies.json``
is what a real agent answered (see record.py).

The client here is the simplest that can be: blocking, one command at a time.
It checks nothing, and talks to agents under test only.
"""

import json
import pathlib
import re
import secrets
import socket
from typing import Any

HERE = pathlib.Path(__file__).parent
TEMPLATE = HERE / 'sample.template'
REPLIES = HERE / 'replies.json'

#: Read through handles that are kept, in the order of $H0, $H1 ..
FILES = ('/proc/loadavg', '/proc/meminfo', '/proc/uptime')


class Agent:
    """A blocking client of one agent."""

    def __init__(self, path: str | pathlib.Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.connect(str(path))
        self._input = self._socket.makefile('rb')

    def sync(self) -> None:
        """Ask for a sync and drop all that comes before its reply."""
        number = secrets.randbits(62)
        self._socket.sendall(b'\xff' + _line(sync_command(number)))
        while True:
            reply = self._input.readline()
            if b'\xff' in reply:
                message = json.loads(reply.rpartition(b'\xff')[2])
                if message['return'] == number:
                    return
            elif not reply:
                raise EOFError('the agent has gone')

    def ask_line(self, command: dict[str, Any]) -> str:
        """Send a command and return its reply as the agent wrote it."""
        self._socket.sendall(_line(command))
        return self._input.readline().decode().rstrip('\n')

    def ask(self, command: dict[str, Any]) -> Any:
        """Send a command and return the value of its reply."""
        return json.loads(self.ask_line(command))['return']

    def open_files(self) -> list[int]:
        """Open FILES and return their handles."""
        return [self.ask(file_command('open', path=path)) for path in FILES]

    def close(self) -> None:
        """Hang up."""
        self._input.close()
        self._socket.close()


def _line(command: dict[str, Any]) -> bytes:
    return json.dumps(command).encode() + b'\n'


def sync_command(number: int) -> dict[str, Any]:
    """Return guest-sync-delimited, without its 0xFF."""
    return {'execute': 'guest-sync-delimited', 'arguments': {'id': number}}


def file_command(verb: str, **arguments: Any) -> dict[str, Any]:
    """Return a guest-file-* command."""
    return {'execute': f'guest-file-{verb}', 'arguments': arguments}


def sample_commands(handles: list[int]) -> list[dict[str, Any]]:
    """Return the commands of one sample, the sync left out."""
    text = TEMPLATE.read_bytes().rpartition(b'\xff')[2].decode()
    for number, handle in enumerate(handles):
        text = text.replace(f'$H{number}', str(handle))
    return [
        json.loads(line) for line in text.splitlines() if '$SYNC' not in line
    ]


def make_template(sent: bytes) -> bytes:
    """Turn the bytes of one sample into a template.

    :param sent: as fleet dumps them: 0xFF, the sync, the commands
    """
    sync, _, commands = sent.partition(b'\n')
    sync = re.sub(rb'("id": ?)\d+', rb'\1$SYNC', sync)
    handles: list[bytes] = []

    def name(found: re.Match[bytes]) -> bytes:
        if found[2] not in handles:
            handles.append(found[2])
        return found[1] + b'$H%d' % handles.index(found[2])

    return sync + b'\n' + re.sub(rb'("handle": ?)(\d+)', name, commands)


def write_fleet_replies(path: pathlib.Path) -> None:
    """Write the recorded replies in the form that fleet reads."""
    recorded = json.loads(REPLIES.read_text())['replies']
    path.write_text(
        ''.join(f'{key}\t{reply}\n' for key, reply in recorded.items())
    )
