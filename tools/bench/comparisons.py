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

"""nova-qga's poller beside other ways to ask a guest the same.

Clients take turns, one after the other and then all over again, so that a slow
moment of the machine hits all alike. What is told is the median.
"""

from collections.abc import Sequence
import contextlib
import dataclasses
import statistics
from typing import Any

from nova_qga.agent import schedule

import bench as bench_module
import inside

C = 'C, epoll'
OURS = 'nova-qga'
POOL = 'thread pool'
LIBVIRT = 'libvirt-python'
VIRSH = 'virsh'
FIGURES = 'getAllDomainStats'
AGENT = 'qemu-ga'
EXPORTER = 'node_exporter'

#: The scene that is not named after its guests.
INSIDE = 'in the guest'


@dataclasses.dataclass(frozen=True)
class Scene:
    """Guests, and the pace at which each is asked.

    :ivar interval: seconds a round
    :ivar group: guests started at a tick
    """

    title: str
    guests: bench_module.Guests
    interval: float
    rounds: int
    clients: tuple[str, ...]
    group: int = schedule.GROUP


#: Those in one list take turns. Idle guests in QEMU use CPU, so they are not
#: there when the others are measured. At these intervals the poller wakes as
#: many guests a tick as with its period of 60 s.
SCENES = (
    [
        Scene(
            '1,000 simulated',
            bench_module.Guests(1000),
            3.2,
            2,
            (C, OURS, POOL),
        ),
        Scene(
            '200 qemu-ga',
            bench_module.Guests(200, 'qemu-ga'),
            3.2,
            2,
            (C, OURS, POOL),
        ),
        Scene(INSIDE, bench_module.Guests(0), 0.0, 500, (AGENT, EXPORTER)),
    ],
    [
        Scene(
            '10 guests in QEMU',
            bench_module.Guests(10, 'QEMU'),
            2.0,
            5,
            (C, OURS, POOL, LIBVIRT, VIRSH, FIGURES),
            group=5,
        )
    ],
)
#: For a look whether it works.
QUICK = (
    [
        Scene(
            '50 simulated', bench_module.Guests(50), 1.0, 1, (C, OURS, POOL)
        ),
        Scene(INSIDE, bench_module.Guests(0), 0.0, 10, (AGENT,)),
    ],
)


def run(
    bench: bench_module.Bench,
    client: str,
    scene: Scene,
    place: bench_module.Place,
) -> bench_module.Run:
    """Run one client on a scene once."""
    programs: dict[str, list[Any]] = {
        C: [bench.client, place.folder],
        OURS: ['ours.py', place.uri],
        POOL: ['thread_pool.py', place.folder],
        LIBVIRT: ['libvirt_python.py', place.uri],
        VIRSH: ['virsh.py', place.uri],
        FIGURES: ['figures.py', place.uri],
    }
    # A process for each command takes seconds a guest.
    rounds = 1 if client == VIRSH else scene.rounds
    asked = [bench.template, *bench.sample.files]
    if scene.title == INSIDE:
        what = {AGENT: 'qemu-ga', EXPORTER: inside.EXPORTER}[client]
        started = bench_module.start('inside.py', what, rounds, *asked)
    else:
        pace = [scene.guests.count, rounds, scene.interval, scene.group]
        started = bench_module.start(*programs[client], *pace, *asked)
    told = bench_module.tell(started)
    told.setdefault('sample_ms', told['cpu_ms'] / told['samples'])
    return told


def measure(
    bench: bench_module.Bench, chosen: Sequence[Scene], repetitions: int
) -> dict[str, dict[str, bench_module.Run]]:
    """Return medians by scene and client."""
    runs: dict[tuple[str, str], list[bench_module.Run]] = {}
    with contextlib.ExitStack() as stack:
        places = [
            (scene, stack.enter_context(bench.agents(scene.guests)))
            for scene in chosen
        ]
        for repetition in range(repetitions):
            for scene, place in places:
                for client in scene.clients:
                    told = run(bench, client, scene, place)
                    runs.setdefault((scene.title, client), []).append(told)
                    print(repetition + 1, scene.title, client, told)
    return {
        scene.title: {
            client: _median(runs[scene.title, client])
            for client in scene.clients
        }
        for scene in chosen
    }


def _median(runs: Sequence[bench_module.Run]) -> bench_module.Run:
    return {
        figure: statistics.median(run[figure] for run in runs)
        for figure in runs[0]
    }


def limit_of_fleet(bench: bench_module.Bench, count: int) -> float:
    """Return how many samples a second the fleet answers at most."""
    scene = Scene('limit', bench_module.Guests(count), 0.0, 10, (C,), count)
    with bench.agents(scene.guests) as place:
        told = run(bench, C, scene, place)
    rate: float = told['samples'] / told['wall_ms'] * 1e3
    return rate
