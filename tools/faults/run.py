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


"""Kill the agent, again and again, while requests come in; say what came.

First requests by the API, which asks again; then bare casts, of which some
may be lost. Everything is as in the tests of ``functional/faults``, which are
the short form of it.

    python tools/faults/run.py [--requests 2000] [--kills 200] [--seed 1]

The exit code is 1 where a request of the API was lost, run twice, or told
wrongly, or where a cast was run twice or told wrongly.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
import threading
import time

from nova_qga.journal import database
from nova_qga.rpc import user
from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import controller
from nova_qga.tests.fixtures import fault_run
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import shared

#: The kernel freezes nothing twice, and tells no other way what is frozen.
LOOK = """
if fsfreeze --freeze /mnt 2>/dev/null; then
    fsfreeze --unfreeze /mnt
    echo thawed
else
    echo frozen
fi
"""


def by_api(requests: int, kills: int, seed: int) -> fault_run.Figures:
    """Kill while requests are asked for until their ends are known."""
    with fault_run.FaultRun(seed) as run:
        stop = threading.Event()
        load = run.call(stop, threads=8)
        while run.kills < kills:
            run.kill(longest=2.0)
            if run.kills % 20 == 0:
                print(f'{run.kills} kills, {len(load)} requests', flush=True)
        while len(load) < requests:
            time.sleep(1)
        stop.set()
        return run.figures(load.join())


def by_casts(requests: int, kills: int, seed: int) -> fault_run.Figures:
    """Kill while requests are sent that nobody asks after."""
    ended = []
    with fault_run.FaultRun(seed) as run:
        part = -(-requests // kills)
        while len(ended) < requests:
            sent = run.cast(part)
            run.kill(longest=0.5)
            ended += [(each, each, run.end_of(each)) for each in sent]
        return run.figures(ended)


def window(requests: int = 2000) -> list[float]:
    """Return the seconds from reading a request to its being noted."""
    found = []
    admin = user.of_context(known_host.ADMIN)
    with tempfile.TemporaryDirectory() as folder:
        journal = database.Database(pathlib.Path(folder))
        host = known_host.KnownHost(journal)
        for number in range(requests):
            asked = known_host.request(f'r{number}')
            began = time.perf_counter()
            host.runner.run(
                'ping',
                admin,
                asked,
                lambda began=began: found.append(time.perf_counter() - began),
                cast=True,
            )
        host.runner.drain(60)
        journal.close()
    return sorted(found)


def thaws(count: int = 5) -> list[float]:
    """Return the seconds from a start of the agent to its guest's thaw.

    The guest's lease ran out while the agent was dead.
    """
    vm, broker = shared.guest(), shared.broker()
    found = []
    with (
        agent_program.AgentProgram(vm.host.uri, broker.url) as agent,
        controller.Controller(broker.url) as asking,
    ):
        for _ in range(count):
            asking.api.change(agent.host, 'freeze', vm.uuid, duration=2)
            agent.kill()
            time.sleep(3)
            if vm.inspect(LOOK).strip() != 'frozen':
                raise RuntimeError('the guest was not frozen')
            began = time.monotonic()
            agent.start(ready=False)
            while vm.inspect(LOOK).strip() != 'thawed':
                pass
            found.append(time.monotonic() - began)
            agent.wait_until_told('READY=1')
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--requests', type=int, default=2000)
    parser.add_argument('--kills', type=int, default=200)
    parser.add_argument('--cast-kills', type=int, default=40)
    parser.add_argument('--seed', type=int, default=1)
    given = parser.parse_args()
    taken = window()
    print(
        'from reading a request to its being noted: median '
        f'{statistics.median(taken) * 1000:.2f} ms, 99th percentile '
        f'{taken[len(taken) * 99 // 100] * 1000:.2f} ms',
        flush=True,
    )
    seconds = thaws()
    print(
        'from a start of the agent to the thaw of a guest whose lease had '
        f'run out: median {statistics.median(seconds):.1f} s, at most '
        f'{seconds[-1]:.1f} s',
        flush=True,
    )
    cast = by_casts(given.requests, given.cast_kills, given.seed)
    print(f'by casts: {cast}', flush=True)
    asked = by_api(given.requests, given.kills, given.seed)
    print(f'by the API: {asked}', flush=True)
    if asked.states.get('succeeded', 0) < asked.sent / 2:
        print('most requests failed: this run shows nothing')
        return 1
    faults = [*asked[3:], *cast[4:]]
    return 1 if any(faults) else 0


if __name__ == '__main__':
    sys.exit(main())
