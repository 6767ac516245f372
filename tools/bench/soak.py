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

"""See whether the agent's memory stays what it is, while guests come and go.

A whole agent samples simulated guests without a pause; each second some of
them leave, and others come in their place. What is told is the memory and the
open files of the agent's process, minute by minute.

Needs root, gcc, what the functional tests need, and 20,000 open files.
"""

import argparse
from collections.abc import Iterator
import contextlib
import itertools
import json
import pathlib
import resource
import statistics
import tempfile
import time
from typing import NamedTuple
import uuid

import libvirt

from nova_qga.tests.fixtures import libvirtd
from nova_qga.tests.fixtures import rabbitmq

import bench as bench_module
import domains
import hosts
import inside
import scrape

OPEN_FILES = 20000
#: Rounds that the agent would measure: it is ended before.
ROUNDS = 1_000_000
#: Seconds from one fetch as by Prometheus to the next.
FETCH = 15.0
#: Part of the time in which memory may still grow: queues and caches fill.
WARM = 0.3


class Look(NamedTuple):
    """What a look at the process found."""

    seconds: float
    rss_kib: int
    files: int


class Host:
    """Guests that come and go on libvirt's test driver.

    :param sockets: has <i>.sock
    """

    def __init__(self, uri: str, sockets: pathlib.Path, count: int) -> None:
        self._connection = libvirt.open(uri)
        self._sockets = sockets
        # There is one already.
        for each in self._connection.listAllDomains():
            each.destroy()
        self._here = [self._add(number) for number in range(count)]
        self._turns = itertools.cycle(range(count))

    def _add(self, number: int) -> libvirt.virDomain:
        socket = self._sockets / f'{number}.sock'
        definition = domains.xml(number, socket, str(uuid.uuid4()))
        return self._connection.createXML(definition)

    def replace(self, count: int) -> None:
        """Let the oldest guests go, and others come."""
        for number in itertools.islice(self._turns, count):
            self._here[number].destroy()
            self._here[number] = self._add(number)


def watch(pid: int, host: Host, seconds: float, churn: int) -> Iterator[Look]:
    """Replace guests each second, and look at the agent."""
    begin = time.monotonic()
    for number in itertools.count(1):
        time.sleep(max(0.0, begin + number - time.monotonic()))
        passed = time.monotonic() - begin
        files = len(list(pathlib.Path(f'/proc/{pid}/fd').iterdir()))
        yield Look(passed, inside.rss_kib_of(pid), files)
        if passed >= seconds:
            return
        host.replace(churn)


def summary(looks: list[Look]) -> dict[str, float]:
    """Return how memory and files have changed since all was warm."""
    warm = [each for each in looks if each.seconds >= looks[-1].seconds * WARM]
    third = -(-len(warm) // 3)
    early, late = warm[:third], warm[-third:]
    return {
        'rss_early_mib': statistics.median(x.rss_kib for x in early) / 1024,
        'rss_late_mib': statistics.median(x.rss_kib for x in late) / 1024,
        'rss_most_mib': max(each.rss_kib for each in looks) / 1024,
        'files_early': statistics.median(each.files for each in early),
        'files_late': statistics.median(each.files for each in late),
    }


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--guests', type=int, default=1000)
    parser.add_argument('--interval', type=float, default=1.0)
    parser.add_argument('--seconds', type=float, default=600.0)
    parser.add_argument(
        '--churn', type=int, default=5, help='guests replaced each second'
    )
    return parser.parse_args()


def start(
    stack: contextlib.ExitStack, args: argparse.Namespace
) -> tuple[int, Host]:
    """Start guests and an agent; return its process id."""
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
    daemon = stack.enter_context(libvirtd.Libvirtd())
    broker = stack.enter_context(hosts.broker())
    bench = bench_module.Bench(folder, daemon)
    place = stack.enter_context(bench.agents(bench_module.Guests(args.guests)))
    # Other than one that a file describes, its connections share this host.
    uri = f'test+unix:///default?{daemon.uri.partition("?")[2]}'
    host = Host(uri, place.folder, args.guests)
    port = rabbitmq.free_port()
    agent = bench_module.start(
        'ours.py',
        *(uri, args.guests, ROUNDS, args.interval, 0, bench.template),
        *('--publishers', 'notification,prometheus', '--batch-size', 50),
        *('--broker', broker, '--port', port),
    )
    stack.callback(agent.wait)
    stack.callback(agent.kill)
    stack.enter_context(scrape.Scraper(port, FETCH))
    return agent.pid, host


def main() -> None:
    """Watch, and print what was seen."""
    args = arguments()
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    looks = []
    with contextlib.ExitStack() as stack:
        pid, host = start(stack, args)
        for look in watch(pid, host, args.seconds, args.churn):
            looks.append(look)
            if len(looks) % 60 == 1:
                print(
                    f'{look.seconds:4.0f} s {look.rss_kib / 1024:6.1f} MiB '
                    f'{look.files} files',
                    flush=True,
                )
    print(json.dumps(summary(looks)))


if __name__ == '__main__':
    main()
