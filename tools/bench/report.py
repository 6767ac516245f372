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

"""Turn the benchmark's medians into the tables of the documentation.

The tables go between two marks in a hand-written page; what stands around
them is not touched.
"""

import os
import pathlib
import platform
from typing import Any

BEGIN = '.. The tables below are written by tools/bench/run.py --write.\n'
END = '.. End of the written tables.\n'

Run = dict[str, Any]
#: Medians by scene, then by client.
Results = dict[str, dict[str, Run]]


def _table(title: str, head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ''
    lines = [f'.. list-table:: {title}', '   :header-rows: 1', '']
    for row in [head, *rows]:
        lines += [f'   * - {row[0]}', *[f'     - {cell}' for cell in row[1:]]]
    return '\n'.join(lines) + '\n'


def _cost(results: Results) -> str:
    rows = []
    for scene, clients in results.items():
        ours = clients.get('nova-qga')
        if not ours or len(clients) < 2:
            continue
        costs = {name: run['sample_ms'] for name, run in clients.items()}
        if 'libvirt-python' in costs:
            run = clients['libvirt-python']
            costs['libvirt-python and libvirtd'] = costs['libvirt-python'] + (
                run['libvirtd_cpu_ms'] / run['samples']
            )
        for name, cost in costs.items():
            ratio = ours['sample_ms'] / cost
            told = f'1/{1 / ratio:.1f}' if ratio < 1 else f'{ratio:.1f}'
            rows.append([scene, name, f'{cost:.4f}', told])
    return _table(
        'CPU of one guest and sample',
        ['agents', 'client', 'CPU, ms', 'nova-qga takes, times this'],
        rows,
    )


def _memory(results: Results) -> str:
    figures = ('rss_listed_kib', 'rss_kib')
    rows = []
    runs = []
    for scene in ('1,000 simulated', '5,000 simulated'):
        if scene in results:
            run = results[scene]['nova-qga']
            runs.append(run)
            sizes = [f'{run[figure] / 1024:.1f} MiB' for figure in figures]
            rows.append([scene, *sizes])
    if len(runs) == 2:
        few, many = runs
        guests = many['guests'] - few['guests']
        rows.append(
            ['a guest more']
            + [f'{(many[kib] - few[kib]) / guests:.1f} KiB' for kib in figures]
        )
    return _table(
        'Resident memory of nova-qga, with a kept connection to each guest',
        ['agents', 'listed, none asked yet', 'each asked'],
        rows,
    )


def _latency(results: Results) -> str:
    scenes = ('1,000, all answer', '1,000, 10 % hang')
    runs = [results[scene]['nova-qga'] for scene in scenes if scene in results]
    rows = [
        [scene, f'{run["p50_ms"]:.2f}', f'{run["p99_ms"]:.2f}']
        for scene, run in zip(scenes, runs, strict=False)
    ]
    if len(runs) == 2:
        answer, hang = runs
        rows.append(
            ['hang / answer']
            + [f'{hang[p] / answer[p]:.2f}' for p in ('p50_ms', 'p99_ms')]
        )
    return _table(
        'From the time a sample is due until it is done, guests that answer',
        ['agents', 'median, ms', '99 of 100 within, ms'],
        rows,
    )


def tables(results: Results, limit: Run, repetitions: int) -> str:
    """Return all tables, and what they were measured on."""
    parts = [_cost(results), _memory(results), _latency(results)]
    rate = limit['samples'] / limit['wall_ms'] * 1e3
    return '\n'.join(
        [
            f'Medians of {repetitions} interleaved repetitions on'
            f' {os.cpu_count()} CPUs,\nLinux {platform.release()},'
            f' Python {platform.python_version()}. The simulated fleet'
            f' answers\nat most {rate:,.0f} samples a second, asked by the C'
            ' client with no pause.\n',
            *[part for part in parts if part],
        ]
    )


def write(path: pathlib.Path, text: str) -> None:
    """Put ``text`` between the marks of a page."""
    page = path.read_text()
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f'{path}: the marks of report.py are missing')
    path.write_text(f'{before}{BEGIN}\n{text}\n{END}{after}')
