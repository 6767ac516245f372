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

"""Turn what was measured into the tables of the documentation.

The tables go between two marks in a hand-written page; what stands around
them is not touched.
"""

from collections.abc import Sequence
import dataclasses
import datetime
import os
import pathlib
import platform
import textwrap

import bench
import comparisons
import hosts

BEGIN = '.. The tables below are written by tools/bench/run.py --write.\n'
END = '.. End of the written tables.\n'


@dataclasses.dataclass
class Results:
    """What was measured.

    :ivar compared: by scene, then by client
    :ivar limit: samples a second that the fleet answers; 0 for not known
    :ivar load: of the machine, before and after
    """

    repetitions: int
    agents: hosts.Results = dataclasses.field(default_factory=dict)
    compared: dict[str, dict[str, bench.Run]] = dataclasses.field(
        default_factory=dict
    )
    limit: float = 0.0
    load: tuple[float, float] = 0.0, 0.0


def table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]]
) -> str:
    """Return a table; nothing where it has no rows."""
    if not rows:
        return ''
    lines = [f'.. list-table:: {title}', '   :header-rows: 1', '']
    for row in [head, *rows]:
        lines += [f'   * - {row[0]}', *[f'     - {cell}' for cell in row[1:]]]
    return '\n'.join(lines) + '\n'


def _percent(cpu_ms: float, run: bench.Run) -> str:
    return f'{cpu_ms / run["interval_ms"] * 100:.1f} %'


def _agents(results: hosts.Results) -> str:
    """Tell what whole agents cost; of many small hosts, the plot does."""
    sizes = sorted({host.guests for host in results}, reverse=True)
    told = [
        (host, run)
        for size in (sizes[:1] + [s for s in sizes if s == sizes[0] // 5])
        for host, run in results.items()
        if host.guests == size
    ]
    return table(
        'A whole agent, each guest sampled once a minute',
        [
            'guests',
            'published as',
            'CPU a guest and sample, ms',
            'of one core',
            'at most in a minute',
            'resident, MiB',
            'late, median, ms',
            '99 of 100 within, ms',
        ],
        [
            [
                host.title,
                host.publishing,
                f'{run["sample_ms"]:.3f}',
                _percent(run['round_cpu_ms'], run),
                _percent(run['dearest_cpu_ms'], run),
                f'{run["rss_kib"] / 1024:.0f}',
                f'{run["p50_ms"]:.0f}',
                f'{run["p99_ms"]:.0f}',
            ]
            for host, run in told
        ],
    )


def _hanging(results: hosts.Results) -> str:
    """Compare hosts that differ in who answers alone."""
    rows = []
    for host, run in results.items():
        well = dataclasses.replace(host, hang_every=0, silent_every=0)
        if not host.troubled or well not in results:
            continue
        figures = ('round_cpu_ms', 'rss_kib', 'p50_ms', 'p99_ms')
        rows.append(
            [host.title]
            + [f'{run[name] / results[well][name]:.2f}' for name in figures]
        )
    return table(
        'Guests that do not answer: times what it is where all do',
        ['guests', 'CPU', 'memory', 'late, median', '99 of 100'],
        rows,
    )


def _fetches(results: hosts.Results) -> str:
    return table(
        'A fetch by Prometheus',
        ['guests', 'seconds', 'compressed, MiB'],
        [
            [
                host.title,
                f'{run["fetch_ms"] / 1e3:.1f}',
                f'{run["fetch_kib"] / 1024:.1f}',
            ]
            for host, run in results.items()
            if 'fetch_ms' in run
        ],
    )


def _cost(results: dict[str, dict[str, bench.Run]]) -> str:
    rows = []
    for scene, clients in results.items():
        if comparisons.OURS not in clients:
            continue
        ours = clients[comparisons.OURS]['sample_ms']
        costs: dict[str, float] = {}
        for name, run in clients.items():
            costs[name] = run['sample_ms']
            if 'libvirtd_cpu_ms' in run:
                libvirtd = run['libvirtd_cpu_ms'] / run['samples']
                costs[f'{name} and libvirtd'] = costs[name] + libvirtd
        for name, cost in costs.items():
            ratio = ours / cost
            told = f'1/{1 / ratio:.1f}' if ratio < 1 else f'{ratio:.1f}'
            rows.append([scene, name, f'{cost:.3f}', told])
    return table(
        'CPU of one guest and sample, on the host',
        ['agents', 'client', 'CPU, ms', 'nova-qga takes, times this'],
        rows,
    )


def _inside(results: dict[str, dict[str, bench.Run]]) -> str:
    clients = results.get(comparisons.INSIDE, {})
    return table(
        'What monitoring takes in a guest',
        ['program', 'CPU a sample, ms', 'resident, MiB'],
        [
            [name, f'{run["sample_ms"]:.2f}', f'{run["rss_kib"] / 1024:.1f}']
            for name, run in clients.items()
        ],
    )


def _circumstances(found: Results) -> str:
    today = datetime.datetime.now(datetime.UTC)
    before, after = found.load
    told = (
        f'Measured on {today.day} {today:%B %Y} on a machine with '
        f'{os.cpu_count()} CPUs, whose load was {before:.1f} before and '
        f'{after:.1f} after; Linux {platform.release()}, '
        f'Python {platform.python_version()}.'
    )
    if found.limit:
        told += (
            f' Comparisons are medians of {found.repetitions} interleaved '
            f'repetitions. The simulated fleet answers at most '
            f'{found.limit:,.0f} samples a second, asked by the C client with '
            'no pause.'
        )
    return textwrap.fill(told, 79) + '\n'


_GROWTH = """\
.. figure:: growth.svg
   :alt: CPU and memory of an agent by the number of its guests

   How the cost of an agent grows with its guests.
"""


def text(found: Results) -> str:
    """Return all tables, and what they were measured on."""
    parts = [
        _circumstances(found),
        _agents(found.agents),
        _GROWTH if found.agents else '',
        _hanging(found.agents),
        _fetches(found.agents),
        _cost(found.compared),
        _inside(found.compared),
    ]
    return '\n'.join(part for part in parts if part)


def write(path: pathlib.Path, tables: str) -> None:
    """Put ``tables`` between the marks of a page."""
    page = path.read_text()
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f'{path}: the marks of report.py are missing')
    path.write_text(f'{before}{BEGIN}\n{tables}\n{END}{after}')
