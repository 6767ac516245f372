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

"""What the guests of many hosts use, in one order; for top.

Each host has sorted its own already, and told the first of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
import math
from typing import Any

from nova_qga.cli import magnitude

#: A row of get_usage, and the ``host`` that told it.
Row = Mapping[str, Any]


def memory(row: Row) -> float | None:
    """Return the share of the memory that is used, from 0 to 1."""
    if row['memory_used'] is None or not row['memory_total']:
        return None
    share: float = row['memory_used'] / row['memory_total']
    return share


def _sum(row: Row, first: str, second: str) -> float | None:
    if row[first] is None or row[second] is None:
        return None
    both: float = row[first] + row[second]
    return both


_HEAVINESS: Mapping[str, Callable[[Row], float | None]] = {
    'cpu': lambda row: row['cpu'],
    'memory': memory,
    'disk': lambda row: _sum(row, 'disk_read', 'disk_write'),
    'network': lambda row: _sum(row, 'network_receive', 'network_transmit'),
    'load': lambda row: row['load'],
}
NAME = 'name'
#: What rows can be sorted by, as get_usage knows it.
SORTS: Sequence[str] = (*_HEAVINESS, NAME)


def rows(results: Mapping[str, Mapping[str, Any]], sort: str) -> list[Row]:
    """Return the guests of all hosts, the heaviest first.

    :param results: host -> what its get_usage returned
    :param sort: one of SORTS
    """
    found: list[Row] = [
        {**guest, 'host': host}
        for host, result in results.items()
        for guest in result['guests']
    ]
    found.sort(key=lambda row: (row['name'], row['host']))
    if sort != NAME:
        found.sort(key=lambda row: _rank(_HEAVINESS[sort](row)))
    return found


def _rank(weight: float | None) -> float:
    """Sort the heaviest first, and what is not known last."""
    return math.inf if weight is None else -weight


def agent(row: Row) -> str:
    """Return how the agent is; of a guest that does not run, its state."""
    return str(row['agent'] or row['state'])


def percent(share: float | None) -> float | None:
    """Return a share of 1 in percent, for a cell."""
    return None if share is None else round(share * 100, 1)


#: Title of a column -> what stands in it, for scripts.
COLUMNS: Mapping[str, Callable[[Row], Any]] = {
    'Name': lambda row: row['name'],
    'UUID': lambda row: row['instance_uuid'],
    'Host': lambda row: row['host'],
    'Project': lambda row: row['project_id'],
    'State': lambda row: row['state'],
    'Agent': lambda row: row['agent'],
    'Source': lambda row: row['source'],
    'Age': lambda row: row['age'],
    'vCPUs': lambda row: row['vcpus'],
    'CPU %': lambda row: percent(row['cpu']),
    'Load': lambda row: row['load'],
    'Memory %': lambda row: percent(memory(row)),
    'Memory Used': lambda row: row['memory_used'],
    'Memory Total': lambda row: row['memory_total'],
    'Filesystem %': lambda row: percent(row['filesystem']),
    'Mount Point': lambda row: row['mountpoint'],
    'Disk Read': lambda row: row['disk_read'],
    'Disk Write': lambda row: row['disk_write'],
    'Network Receive': lambda row: row['network_receive'],
    'Network Transmit': lambda row: row['network_transmit'],
}
#: Of these, what a person reads better with a prefix.
_SIZES = frozenset(
    (
        'Memory Used',
        'Memory Total',
        'Disk Read',
        'Disk Write',
        'Network Receive',
        'Network Transmit',
    )
)


def cells(found: Iterable[Row], readable: bool) -> list[list[Any]]:
    """Return what stands under COLUMNS.

    :param readable: for people: sizes have prefixes
    """
    return [
        [
            magnitude.of_bytes(show(row))
            if readable and title in _SIZES
            else show(row)
            for title, show in COLUMNS.items()
        ]
        for row in found
    ]


def shown_memory(row: Row) -> str:
    """Return the share of the memory that is used, for people."""
    return magnitude.percent(memory(row))
