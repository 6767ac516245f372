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

"""Memory and swap space, as the guest's kernel accounts for them.

No guest command tells this: of an agent that blocks files, the hypervisor says
what it gives the guest and what the guest's balloon driver reports.

Source: proc_meminfo(5).
"""

from collections.abc import Mapping, Sequence
import re

from nova_qga.collectors import base
from nova_qga.collectors import proc
from nova_qga.collectors import rows
from nova_qga import errors
from nova_qga.guest import figures
from nova_qga.protocol import reading


def _gauge(name: str) -> base.Metric:
    return base.Metric(name, base.Unit.BYTES, base.Kind.GAUGE)


TOTAL = _gauge('guest.memory.total')
FREE = _gauge('guest.memory.free')
AVAILABLE = _gauge('guest.memory.available')
USED = _gauge('guest.memory.used')
BUFFERS = _gauge('guest.memory.buffers')
CACHED = _gauge('guest.memory.cached')
SWAP_TOTAL = _gauge('guest.swap.total')
SWAP_FREE = _gauge('guest.swap.free')
SWAP_USED = _gauge('guest.swap.used')

#: A literal first, or the search would try every byte. 16 digits of KiB stay
#: below 2^64 bytes.
_LINE = re.compile(
    rb'\n(MemTotal|MemFree|MemAvailable|Buffers|Cached|SwapTotal|SwapFree)'
    rb': {1,24}(\d{1,16}) kB\b'
)
#: Bytes in which these lines stand: they are among the first 20.
_HEAD = 640


def _read_meminfo(content: bytes) -> list[base.Sample]:
    found = _LINE.findall(proc.body(content[:_HEAD]))
    size = {name: int(kib) * 1024 for name, kib in found}
    total = size.get(b'MemTotal')
    if total is None:
        raise errors.InvalidReply('/proc/meminfo has no MemTotal')
    available = _available(size)
    swap, free_swap = size.get(b'SwapTotal'), size.get(b'SwapFree')
    values = (
        total,
        size.get(b'MemFree'),
        available,
        _used(total, available),
        size.get(b'Buffers'),
        size.get(b'Cached'),
        swap,
        free_swap,
        _used(swap, free_swap),
    )
    return rows.samples(MemoryCollector.metrics, values)


def _used(total: int | None, available: int | None) -> int | None:
    if total is None or available is None or available > total:
        return None
    return total - available


def _available(size: Mapping[bytes, int]) -> int | None:
    """Return what programs can still get without swapping.

    Kernels before 3.14 leave it to us: what is free and what is cached.
    """
    if b'MemAvailable' in size:
        return size[b'MemAvailable']
    try:
        total = size[b'MemFree'] + size[b'Buffers'] + size[b'Cached']
    except KeyError:
        return None
    # Nothing beyond could be written down for whoever reads samples.
    return total if total <= reading.UINT64_MAX else None


_MEMINFO = base.Source(
    base.ProcFile('/proc/meminfo', size=_HEAD), _read_meminfo
)


class MemoryCollector(base.Collector):
    """How much memory the guest has, and how much of it is left."""

    metrics = (
        TOTAL,
        FREE,
        AVAILABLE,
        USED,
        BUFFERS,
        CACHED,
        SWAP_TOTAL,
        SWAP_FREE,
        SWAP_USED,
    )

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        return base.best(enabled, _MEMINFO)

    def stand_in(self, known: figures.Figures) -> Sequence[base.Sample]:
        memory = known.memory
        total = memory.current if memory.total is None else memory.total
        values = (
            total,
            memory.free,
            memory.available,
            _used(total, memory.available),
            None,
            memory.cached,
        )
        return rows.samples(self.metrics, values)
