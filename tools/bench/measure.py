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

"""What each measured process measures of itself, and the pace of its rounds.

CPU is user and system time of this process alone, all threads, by getrusage;
memory is resident, from /proc/self/statm. The report is one line of JSON.
"""

import argparse
from collections.abc import Iterator, Sequence
import concurrent.futures
import json
import os
import pathlib
import resource
import time
from typing import Any, Protocol

_PAGE_KIB = resource.getpagesize() // 1024


def cpu_ms() -> float:
    """CPU that this process has used, in milliseconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1e3


def cpu_ms_of(pid: int) -> float:
    """CPU that a process has used in all threads, in milliseconds."""
    with open(f'/proc/{pid}/stat') as file:
        fields = file.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e3 / os.sysconf('SC_CLK_TCK')


def rss_kib() -> int:
    """Resident memory of this process, in KiB."""
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * _PAGE_KIB


class Period:
    """CPU and wall time from its making to now."""

    def __init__(self) -> None:
        self._cpu = cpu_ms()
        self._wall = time.monotonic()

    def report(self, samples: int, failed: int, **more: object) -> None:
        """Print what was used for so many samples."""
        wall_ms = (time.monotonic() - self._wall) * 1e3
        print(
            json.dumps(
                {
                    'samples': samples,
                    'failed': failed,
                    'cpu_ms': cpu_ms() - self._cpu,
                    'wall_ms': wall_ms,
                    'rss_kib': rss_kib(),
                }
                | more
            ),
            flush=True,
        )


class Pace:
    """When to start which guest's sample: a group a tick, all in a round.

    :param interval: seconds a round takes
    :param group: guests started at each tick
    """

    def __init__(self, interval: float, group: int) -> None:
        self._interval = interval
        self._group = group

    def groups(self, count: int, rounds: int) -> Iterator[range]:
        """Wait for each tick, and yield the numbers of its guests."""
        ticks = -(-count // self._group)
        begin = time.monotonic()
        for tick in range(rounds * ticks):
            due = begin + (tick + 1) * self._interval / ticks
            time.sleep(max(0.0, due - time.monotonic()))
            first = tick % ticks * self._group
            yield range(first, min(count, first + self._group))


class Sampled(Protocol):
    """A guest that a thread can sample, waiting for it."""

    def sample(self) -> Any:
        """Take one sample."""


def sample_all(
    pool: concurrent.futures.Executor,
    guests: Sequence[Sampled],
    pace: Pace,
    rounds: int,
) -> int:
    """Sample every guest so many times; return how many samples failed."""
    running = [
        pool.submit(guests[number].sample)
        for numbers in pace.groups(len(guests), rounds)
        for number in numbers
    ]
    return sum(future.exception() is not None for future in running)


def percentile(values: list[float], percent: float) -> float:
    """Return the value that ``percent`` of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def parser(description: str) -> argparse.ArgumentParser:
    """Return what parses the command line that all measured programs take."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument('place', help='folder of <i>.sock, or libvirt URI')
    parser.add_argument('count', type=int, help='guests')
    parser.add_argument('rounds', type=int, help='samples a guest')
    parser.add_argument('interval', type=float, help='seconds a round')
    parser.add_argument('group', type=int, help='guests started at a tick')
    parser.add_argument('template', type=pathlib.Path, help='what to send')
    parser.add_argument('files', nargs='*', help='to open in each guest')
    return parser
