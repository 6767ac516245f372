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

"""Measure what a sample costs: nova-qga's poller beside other clients.

Builds the C programs, starts the agents, and runs every client against them,
one after the other and then all over again, so that a slow moment of the
machine hits all alike. What is told is the median of the repetitions. Each
client is a process of its own, which measures itself.

It judges nothing: the aims stand beside the figures, in the documentation.
Needs root, gcc, what the functional tests need, and 20,000 open files
(``ulimit -n 20000``). Takes about half an hour.
"""

import argparse
from collections.abc import Iterator, Sequence
import contextlib
import dataclasses
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
from typing import Any

from nova_qga.agent import schedule
from nova_qga.tests.fixtures import libvirtd

import agents
import domains
import report
import vms
import wire

OPEN_FILES = 20000
CC = ('gcc', '-O2', '-Wall', '-Wextra', '-Werror', '-o')
#: What a run of a client told of itself, by figure.
Run = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Scene:
    """Agents, and the pace at which each is asked.

    :ivar interval: seconds a round
    :ivar group: guests started at a tick
    :ivar hang_every: every so manieth agent never answers
    :ivar agents: the simulated fleet, qemu-ga processes, or guests in QEMU
    """

    title: str
    count: int
    interval: float
    rounds: int
    clients: tuple[str, ...]
    group: int = schedule.GROUP
    hang_every: int = 0
    agents: str = 'fleet'


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a scene's agents are.

    :ivar folder: has <i>.sock
    :ivar uri: a libvirt that says so
    """

    folder: pathlib.Path
    uri: str


ALL = ('C, epoll', 'nova-qga', 'thread pool')
OURS = ('nova-qga',)
#: At these intervals the poller wakes as many guests a tick as it does with
#: its period of 60 s.
SCENES = (
    Scene('1,000 simulated', 1000, 3.2, 3, ALL),
    Scene('5,000 simulated', 5000, 16.0, 1, ALL),
    Scene('200 qemu-ga', 200, 3.2, 3, ALL, agents='qemu-ga'),
    Scene('1,000, all answer', 1000, 3.2, 4, OURS),
    Scene('1,000, 10 % hang', 1000, 3.2, 4, OURS, hang_every=10),
)
#: Idle guests use CPU, so these are not there when the others are measured.
GUESTS = 10
GUEST_SCENES = (
    Scene(
        f'{GUESTS} guests in QEMU',
        GUESTS,
        2.0,
        10,
        (*ALL, 'libvirt-python'),
        group=5,
        agents='QEMU',
    ),
)


class Bench:
    """The built programs, and what all agents share.

    :param folder: for the agents' sockets
    :param host: serves libvirt's test driver, so that what that keeps of
        the guests is not in the measured process; and the real guests
    """

    def __init__(self, folder: pathlib.Path, host: libvirtd.Libvirtd) -> None:
        self.folder = folder
        self._host = host
        self.fleet = self._build('fleet')
        self._client = self._build('client')
        self._template = folder / 'sample'
        self._files: Sequence[str] = ()
        self._see_what_we_send()

    def _build(self, name: str) -> pathlib.Path:
        program = self.folder / name
        command = [*CC, str(program), str(wire.HERE / f'{name}.c')]
        subprocess.run(command, check=True)  # noqa: S603
        return program

    @contextlib.contextmanager
    def agents(
        self, scene: Scene, dump: pathlib.Path | None = None
    ) -> Iterator[Place]:
        """Start a scene's agents."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        node = folder / 'node.xml'
        domains.write(node, folder, scene.count)
        libvirt_socket = self._host.uri.partition('?')[2]
        uri = f'test+unix://{node}?{libvirt_socket}'
        with contextlib.ExitStack() as stack:
            if scene.agents == 'QEMU':
                uri = self._host.uri
                guests = vms.guests(self._host, folder, scene.count)
                stack.enter_context(guests)
            elif scene.agents == 'qemu-ga':
                stack.enter_context(agents.real(folder, scene.count))
            else:
                fleet = agents.fleet(
                    self.fleet,
                    folder,
                    scene.count,
                    hang_every=scene.hang_every,
                    dump=dump,
                )
                stack.enter_context(fleet)
            yield Place(folder, uri)

    def run(self, client: str, scene: Scene, place: Place) -> Run:
        """Run one client on a scene once."""
        programs: dict[str, list[Any]] = {
            'C, epoll': [self._client, place.folder],
            'nova-qga': [sys.executable, wire.HERE / 'ours.py', place.uri],
            'thread pool': [sys.executable, wire.HERE / 'thread_pool.py']
            + [place.folder],
            'libvirt-python': [sys.executable]
            + [wire.HERE / 'libvirt_python.py', place.uri],
        }
        pace = [scene.count, scene.rounds, scene.interval, scene.group]
        sample = [self._template, *self._files]
        return _tell([*programs[client], *pace, *sample])

    def _see_what_we_send(self) -> None:
        """Let nova-qga sample a guest, for all to send what it sends."""
        scene = Scene('one', 1, 1.0, 3, ())
        dump = self.folder / 'dump'
        with self.agents(scene, dump) as place:
            self.run('nova-qga', scene, place)
        sample = wire.read_dump(dump.read_bytes())
        self._files = sample.files
        self._template.write_bytes(sample.template)

    def limit_of_fleet(self, count: int) -> Run:
        """Let the C client ask as fast as it can."""
        scene = Scene('limit', count, 0.0, 10, (), group=count)
        with self.agents(scene) as place:
            return self.run('C, epoll', scene, place)


def _tell(command: list[Any]) -> Run:
    done = subprocess.run(  # noqa: S603
        [str(word) for word in command], stdout=subprocess.PIPE, check=True
    )
    told: Run = json.loads(done.stdout)
    return told


def median(runs: list[Run]) -> Run:
    """Return the median of each figure, with the cost of a sample added."""
    for run in runs:
        run.setdefault('sample_ms', run['cpu_ms'] / run['samples'])
    return {
        figure: statistics.median(run[figure] for run in runs)
        for figure in runs[0]
    }


def measure(
    bench: Bench, scenes: list[Scene], repetitions: int
) -> dict[str, dict[str, Run]]:
    """Return medians by scene and client."""
    runs: dict[tuple[str, str], list[Run]] = {}
    with contextlib.ExitStack() as stack:
        places = {
            scene: stack.enter_context(bench.agents(scene)) for scene in scenes
        }
        for repetition in range(repetitions):
            for scene in scenes:
                for client in scene.clients:
                    run = bench.run(client, scene, places[scene])
                    runs.setdefault((scene.title, client), []).append(run)
                    print(repetition + 1, scene.title, client, run, flush=True)
    return {
        scene.title: {
            client: median(runs[scene.title, client])
            for client in scene.clients
        }
        for scene in scenes
    }


def main() -> None:
    """Measure, print the tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--repetitions', type=int, default=5)
    parser.add_argument(
        '--only',
        metavar='<words>',
        default='',
        help='scenes whose titles hold this',
    )
    parser.add_argument('--write', metavar='<file>', type=pathlib.Path)
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    with (
        tempfile.TemporaryDirectory(prefix='qga-bench-') as folder,
        libvirtd.Libvirtd() as host,
    ):
        bench = Bench(pathlib.Path(folder), host)
        results: report.Results = {}
        for scenes in (SCENES, GUEST_SCENES):
            chosen = [each for each in scenes if args.only in each.title]
            results |= measure(bench, chosen, args.repetitions)
        limit = bench.limit_of_fleet(1000)
    text = report.tables(results, limit, args.repetitions)
    print(text)
    if args.write:
        report.write(args.write, text)


if __name__ == '__main__':
    main()
