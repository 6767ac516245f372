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

"""Start the agents that the benchmark asks: simulated ones, and real ones.

Real ones are qemu-ga in unix-listen mode. They act on this machine, so they
are for read-only commands only. All agents of a folder are <i>.sock in it and
end with the context.
"""

from collections.abc import Iterator, Sequence
import contextlib
import json
import pathlib
import signal
import subprocess
import time
from typing import Any, NamedTuple

import wire

QEMU_GA = '/usr/sbin/qemu-ga'
START_SECONDS = 30


def _start(command: Sequence[object], **kept: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([str(word) for word in command], **kept)  # noqa: S603


class Fleet:
    """A running fleet; ``used`` is its report once it has ended."""

    used: dict[str, Any] = {}


@contextlib.contextmanager
def fleet(
    program: pathlib.Path,
    folder: pathlib.Path,
    count: int,
    *,
    hang_every: int = 0,
    dump: pathlib.Path | None = None,
) -> Iterator[Fleet]:
    """Serve ``count`` simulated agents.

    :param program: the compiled fleet.c
    :param hang_every: every so manieth agent never answers
    :param dump: where fleet leaves the last bytes sent to agent 0
    """
    replies = wire.write_fleet_replies(folder)
    command = [program, folder, count, replies, hang_every]
    if dump:
        command.append(dump)
    running = Fleet()
    with _start(command, stdout=subprocess.PIPE) as process:
        output = process.stdout
        if not output or output.readline() != b'ready\n':
            raise RuntimeError('the fleet did not start')
        try:
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            running.used = json.loads(output.read())


class Real(NamedTuple):
    """A qemu-ga process."""

    socket: pathlib.Path
    pid: int


@contextlib.contextmanager
def real(folder: pathlib.Path, count: int) -> Iterator[list[Real]]:
    """Start ``count`` qemu-ga processes."""
    started = []
    with contextlib.ExitStack() as stack:
        for number in range(count):
            socket = folder / f'{number}.sock'
            state = folder / f'{number}.state'
            state.mkdir()
            process = _start(
                [QEMU_GA, '-m', 'unix-listen', '-p', socket]
                + ['-t', state, '-f', state / 'pid'],
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            started.append(Real(socket, process.pid))
        deadline = time.monotonic() + START_SECONDS
        for each in started:
            while not _answers(each.socket):
                if time.monotonic() > deadline:
                    raise RuntimeError(f'{QEMU_GA} did not start')
                time.sleep(0.05)
        yield started


def _answers(path: pathlib.Path) -> bool:
    try:
        agent = wire.Agent(path)
    except OSError:
        return False
    agent.sync()
    agent.close()
    return True
