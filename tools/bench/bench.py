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

"""What the benchmark's scenes share: built programs, agents, and processes.

Every client is a process of its own, which measures itself and tells one line
of JSON.
"""

from collections.abc import Iterator, Sequence
import contextlib
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from nova_qga.tests.fixtures import libvirtd

import agents
import domains
import vms
import wire

CC = ('gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o')
#: What a run of a client told of itself, by figure.
Run = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Guests:
    """Guests that a scene is about.

    :ivar kind: ``fleet``, which simulates them; ``qemu-ga``, the processes
        alone; or ``QEMU``
    :ivar hang_every: every so manieth agent of the fleet never answers
    :ivar silent_every: every so manieth guest has no channel
    """

    count: int
    kind: str = 'fleet'
    hang_every: int = 0
    silent_every: int = 0


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a scene's agents are.

    :ivar folder: has <i>.sock
    :ivar uri: a libvirt that says so
    """

    folder: pathlib.Path
    uri: str


class Bench:
    """The built programs, and what all agents share.

    :param folder: for the agents' sockets
    :param host: serves libvirt's test driver, so that what that keeps of
        the guests is not in the measured process; and the real guests
    :ivar sample: what the poller sends, for all to send the same
    """

    def __init__(self, folder: pathlib.Path, host: libvirtd.Libvirtd) -> None:
        self.folder = folder
        self._host = host
        self._fleet = self._build('fleet')
        self.client = self._build('client')
        self.template = folder / 'sample'
        self.sample = self._see_what_we_send()
        self.template.write_bytes(self.sample.template)

    def _build(self, name: str) -> pathlib.Path:
        program = self.folder / name
        command = [*CC, str(program), str(wire.HERE / f'{name}.c')]
        subprocess.run(command, check=True)  # noqa: S603
        return program

    @contextlib.contextmanager
    def agents(
        self, guests: Guests, dump: pathlib.Path | None = None
    ) -> Iterator[Place]:
        """Start the agents of guests.

        :param dump: where the fleet leaves what was sent to the first
        """
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        node = folder / 'node.xml'
        domains.write(node, folder, guests.count, guests.silent_every)
        libvirt_socket = self._host.uri.partition('?')[2]
        uri = f'test+unix://{node}?{libvirt_socket}'
        with contextlib.ExitStack() as stack:
            if guests.kind == 'QEMU':
                uri = self._host.uri
                stack.enter_context(
                    vms.guests(self._host, folder, guests.count)
                )
            elif guests.kind == 'qemu-ga':
                stack.enter_context(agents.real(folder, guests.count))
            else:
                fleet = agents.fleet(
                    self._fleet,
                    folder,
                    guests.count,
                    hang_every=guests.hang_every,
                    dump=dump,
                )
                stack.enter_context(fleet)
            yield Place(folder, uri)

    def _see_what_we_send(self) -> wire.Sample:
        """Let nova-qga sample a guest."""
        dump = self.folder / 'dump'
        with self.agents(Guests(1), dump) as place:
            # Not so many rounds that what changes slowly is asked again.
            tell(start('ours.py', place.uri, 1, 1, 1.0, 1, self.template))
        return wire.read_dump(dump.read_bytes())


def start(program: str | pathlib.Path, *words: object) -> Any:
    """Start a client: a program of this folder, or one that was built."""
    command: Sequence[object] = [program, *words]
    if str(program).endswith('.py'):
        command = [sys.executable, wire.HERE / program, *words]
    return subprocess.Popen(  # noqa: S603
        [str(word) for word in command], stdout=subprocess.PIPE
    )


def tell(client: Any) -> Run:
    """Wait for the end of a client, and return what it tells.

    :raises RuntimeError: it failed
    """
    output, _ = client.communicate()
    if client.returncode:
        raise RuntimeError(f'{client.args} ended with {client.returncode}')
    told: Run = json.loads(output)
    return told
