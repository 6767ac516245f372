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

"""A root shell in the guest: bash on a serial port, with a terminal's manners.

What a guest agent says can so be checked by other means than an agent.
"""

import base64
import contextlib
import pathlib
import re
import secrets
import socket
import time


class Shell:
    """The shell at one serial port.

    :param path: of the socket that QEMU listens on for it.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def run(self, command: str, seconds: float) -> tuple[int, str]:
        """Exit status of a command, and what it printed.

        :raises TimeoutError: no answer in time.
        """
        end = time.monotonic() + seconds
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self._path))
            # What is sent before the shell is there is lost, or only echoed,
            # or half of it is a line with no end, which Ctrl-C takes back.
            while not self._exchange(
                client, ':', min(end, time.monotonic() + 2)
            ):
                if time.monotonic() > end:
                    raise TimeoutError('there is no shell in the guest')
                client.sendall(b'\x03')
                # The terminal forgets what comes right behind.
                time.sleep(0.5)
            answer = self._exchange(client, command, end)
        if answer is None:
            raise TimeoutError(f'{command!r} takes too long in the guest')
        return answer

    def _exchange(
        self, client: socket.socket, command: str, end: float
    ) -> tuple[int, str] | None:
        word = secrets.token_hex(8)
        script = base64.b64encode(command.encode()).decode()
        # Ctrl-U takes back what is left of an earlier line. The echo of this
        # has the word in quotes, the answer has not.
        client.sendall(
            f'\x15 said=$(sh -c "$(echo {script} | base64 -d)" 2>&1'
            f' </dev/null); code=$?; echo; echo "{word}" $code'
            ' $(echo "$said" | base64 -w0)\n'.encode()
        )
        pattern = re.compile(rf'^{word} (\d+) (\S*)\r?\n', re.MULTILINE)
        seen = ''
        while (left := end - time.monotonic()) > 0:
            client.settimeout(left)
            with contextlib.suppress(TimeoutError):
                data = client.recv(65536)
                if not data:
                    raise ConnectionResetError('QEMU is gone')
                seen += data.decode(errors='replace')
            if found := pattern.search(seen):
                printed = base64.b64decode(found[2]).decode(errors='replace')
                return int(found[1]), printed
        return None
