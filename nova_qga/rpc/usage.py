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

"""Say what the guests of a host use, the heaviest first. Pure.

The answer has one flat row a guest and at most so many rows, however many
guests there are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
import math
from typing import Any

from nova_qga.collectors import usage
from nova_qga.guest import guest as guest_module

#: Rows that are told at once: those of a large host, about 2 MB.
MOST = 5000
#: Characters kept of a guest's name.
MAX_NAME = 64

#: A guest, and what it uses, if that is known.
Pair = tuple[guest_module.Guest, usage.Usage | None]


def answer(
    guests: Iterable[guest_module.Guest],
    known: Mapping[str, usage.Usage],
    sort: str,
    limit: int,
    now: float,
) -> dict[str, Any]:
    """Return the rows that are wanted, and how many there would be.

    :param known: UUID -> what that guest uses
    :param sort: one of SORTS
    :param now: seconds since the epoch
    """
    pairs = [(each, _of(each, known)) for each in guests]
    pairs.sort(key=lambda pair: pair[0].description.name)
    if sort != NAME:
        heaviness = _HEAVINESS[sort]
        pairs.sort(key=lambda pair: _rank(heaviness, pair))
    return {
        'guests': [_row(*pair, now) for pair in pairs[:limit]],
        'total': len(pairs),
        'running': sum(
            each.state == guest_module.RUNNING for each, _ in pairs
        ),
    }


def _of(
    guest: guest_module.Guest, known: Mapping[str, usage.Usage]
) -> usage.Usage | None:
    # What it used before it was stopped or paused, it uses no more.
    return (
        known.get(guest.uuid) if guest.state == guest_module.RUNNING else None
    )


def _row(
    guest: guest_module.Guest, used: usage.Usage | None, now: float
) -> dict[str, Any]:
    described = guest.description
    row = {
        'instance_uuid': described.uuid,
        'name': described.name[:MAX_NAME],
        'domain': described.domain[:MAX_NAME],
        'project_id': described.project_id[:MAX_NAME],
        'state': guest.state,
        'agent': _agent(guest),
        'vcpus': described.vcpus,
        'cpu': _cpu(guest, used),
    }
    if used is None:
        return {**row, **_NOTHING}
    return {
        **row,
        'source': used.source,
        'age': round(max(0.0, now - used.timestamp), 1),
        'load': used.load,
        'memory_used': used.memory_used,
        'memory_total': used.memory_total,
        'filesystem': used.filesystem and round(used.filesystem.used, 4),
        'mountpoint': used.filesystem and used.filesystem.mountpoint,
        'disk_read': _rounded(used.disk_read),
        'disk_write': _rounded(used.disk_write),
        'network_receive': _rounded(used.network_receive),
        'network_transmit': _rounded(used.network_transmit),
    }


_NOTHING = dict.fromkeys(
    (
        'source',
        'age',
        'load',
        'memory_used',
        'memory_total',
        'filesystem',
        'mountpoint',
        'disk_read',
        'disk_write',
        'network_receive',
        'network_transmit',
    )
)


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 1)


def _agent(guest: guest_module.Guest) -> str | None:
    """Return how its agent was when it was last asked."""
    if guest.state != guest_module.RUNNING:
        return None
    if not guest.channels:
        return 'none'
    if guest.frozen:
        return 'frozen'
    return 'up' if guest.answers else 'down'


def _cpu(guest: guest_module.Guest, used: usage.Usage | None) -> float | None:
    """Return the share of its CPUs' time that it works, from 0 to 1.

    The guest tells how much time its CPUs had; for the hypervisor's figures
    they are those of the domain.
    """
    if used is None or used.cpu_time is None:
        return None
    capacity = used.cpu_capacity or guest.description.vcpus
    if not capacity:
        return None
    # The hypervisor's clocks are not read at the same instant.
    return round(min(used.cpu_time / capacity, 1.0), 4)


def _memory(_: guest_module.Guest, used: usage.Usage) -> float | None:
    if used.memory_used is None or not used.memory_total:
        return None
    return used.memory_used / used.memory_total


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


_Heaviness = Callable[[guest_module.Guest, usage.Usage], float | None]

_HEAVINESS: Mapping[str, _Heaviness] = {
    'cpu': _cpu,
    'memory': _memory,
    'disk': lambda _, used: _sum(used.disk_read, used.disk_write),
    'network': lambda _, used: _sum(
        used.network_receive, used.network_transmit
    ),
    'load': lambda _, used: used.load,
}
NAME = 'name'
#: What the rows can be sorted by: the heaviest first, or by name.
SORTS: Sequence[str] = (*_HEAVINESS, NAME)


def _rank(heaviness: _Heaviness, pair: Pair) -> float:
    """Return what sorts the heaviest first, and what is not known last."""
    guest, used = pair
    weight = None if used is None else heaviness(guest, used)
    return math.inf if weight is None else -weight
