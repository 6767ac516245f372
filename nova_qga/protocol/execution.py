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

"""Commands that run a program in the guest, and ask how it ended.

Source: qga/qapi-schema.json and qga/commands.c of QEMU 5.2 to 10.0.
"""

import base64
from collections.abc import Sequence
from typing import Any, NamedTuple

from nova_qga.protocol import command
from nova_qga.protocol import reading

#: Bytes of each stream that a reply may hold. The agent keeps up to 16 MiB,
#: but libvirt takes no reply of more than 10 MiB.
MAX_STREAM = 2 * 1024 * 1024

_SMALL = 64 * 1024
_MAX_REPLY = 2 * (MAX_STREAM // 3 * 4) + _SMALL


class Status(NamedTuple):
    """How a program stands.

    :ivar exited: what follows is known; asked again, it would not be
    :ivar exit_code: None where a signal ended it
    :ivar signal: its number; on Windows an exception's code
    """

    exited: bool
    exit_code: int | None = None
    signal: int | None = None
    stdout: bytes = b''
    stderr: bytes = b''
    stdout_truncated: bool = False
    stderr_truncated: bool = False


def execute(
    path: str,
    arguments: Sequence[str],
    *,
    environment: Sequence[str] = (),
    data: bytes = b'',
    capture: bool = True,
) -> command.Command[int]:
    """Start a program (2.5); answers its process id.

    :param path: of the program, or its name in the agent's PATH
    :param environment: ``NAME=value``; where there is none, the agent's own
    :param data: its standard input
    :param capture: keep what it writes
    """
    given: dict[str, Any] = {'path': path, 'capture-output': capture}
    if arguments:
        given['arg'] = list(arguments)
    if environment:
        given['env'] = list(environment)
    if data:
        given['input-data'] = base64.b64encode(data).decode()
    return command.Command('guest-exec', _read_pid, given, True, _SMALL)


def get_status(pid: int) -> command.Command[Status]:
    """Ask how a program stands.

    It has an effect: the agent forgets a program that it has told the end of.
    """
    return command.Command(
        'guest-exec-status', read_status, {'pid': pid}, True, _MAX_REPLY
    )


def _read_pid(value: Any) -> int:
    return reading.uint(reading.record(value), 'pid', reading.INT63_MAX)


def read_status(value: Any) -> Status:
    """Read the reply to guest-exec-status."""
    fields = reading.record(value)
    if not reading.boolean(fields, 'exited'):
        return Status(False)
    return Status(
        True,
        _optional(fields, 'exitcode'),
        _optional(fields, 'signal'),
        _stream(fields, 'out-data'),
        _stream(fields, 'err-data'),
        'out-truncated' in fields and reading.boolean(fields, 'out-truncated'),
        'err-truncated' in fields and reading.boolean(fields, 'err-truncated'),
    )


def _optional(fields: dict[str, Any], key: str) -> int | None:
    if key not in fields:
        return None
    value = fields[key]
    # Windows' codes may be negative.
    if type(value) is int and -(1 << 31) <= value < 1 << 32:
        return value
    return reading.uint(fields, key, (1 << 32) - 1)


def _stream(fields: dict[str, Any], key: str) -> bytes:
    if key not in fields:
        return b''
    return reading.content(fields, key, MAX_STREAM)
