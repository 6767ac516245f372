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

A template is one sample as nova-qga's poller sends it, a sync and read-only
commands, with ``$SYNC`` for the sync id and ``$H0``, ``$H1`` .. for the
handles of files that are kept open. Every client of the benchmark sends the
same. ``replies.json`` is what a real agent answered (see record.py).

The client here is the simplest that can be: blocking, one command at a time.
It checks nothing, and talks to agents under test only.
"""

import base64
from collections.abc import Sequence
import dataclasses
import json
import pathlib
import re
import secrets
import socket
from typing import Any

HERE = pathlib.Path(__file__).parent
REPLIES = HERE / 'replies.json'


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


@dataclasses.dataclass(frozen=True)
class Sample:
    """What one sample asks.

    :ivar template: with $SYNC, $H0, $H1 ..
    :ivar files: what $H0, $H1 .. are handles of
    """

    template: bytes
    files: Sequence[str]

    def commands(self, handles: Sequence[int]) -> list[dict[str, Any]]:
        """Return the commands, the sync left out."""
        text = self.template.rpartition(b'\xff')[2].decode()
        for number, handle in enumerate(handles):
            text = text.replace(f'$H{number}', str(handle))
        lines = text.splitlines()
        return [json.loads(line) for line in lines if '$SYNC' not in line]


def read_dump(dump: bytes) -> Sample:
    """Make a template of what fleet has dumped of a client."""
    sent, _, opened = dump.partition(b'\n#')
    sync, _, commands = sent.partition(b'\n')
    sync = re.sub(rb'("id": ?)\d+', rb'\1$SYNC', sync)
    files = []
    for number, line in enumerate(opened.split(b'\n#')):
        handle, _, path = line.strip().partition(b' ')
        commands = re.sub(
            rb'("handle": ?)%s\b' % handle, rb'\1$H%d' % number, commands
        )
        files.append(path.decode())
    return Sample(sync + b'\n' + commands + b'\n', files)


def write_fleet_replies(folder: pathlib.Path) -> pathlib.Path:
    """Write the recorded replies in the form that fleet reads."""
    lines: list[str] = []
    for key, reply in json.loads(REPLIES.read_text())['replies'].items():
        if key.startswith('guest-file-read '):
            content = folder / f'content-{len(lines)}'
            value = json.loads(reply)['return']
            content.write_bytes(base64.b64decode(value['buf-b64']))
            reply = content
        lines.append(f'{key}\t{reply}\n')
    replies = folder / 'replies'
    replies.write_text(''.join(lines))
    return replies
