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

"""What guest commands measure: the types, and one reader for each.

They are read for every guest once a minute: members are checked together,
not one by one.

Source: qga/qapi-schema.json of QEMU 5.2 to 10.0; for guest-get-statvfs, which
operators add, examples/nova-qga-statvfs.
"""

from typing import Any, NamedTuple

from nova_qga import errors
from nova_qga.protocol import reading


class InterfaceCounters(NamedTuple):
    """Packets and bytes since the interface came up."""

    rx_bytes: int
    rx_packets: int
    rx_errs: int
    rx_dropped: int
    tx_bytes: int
    tx_packets: int
    tx_errs: int
    tx_dropped: int


class Filesystem(NamedTuple):
    """A mounted filesystem, sizes in bytes (agents from 3.0)."""

    name: str
    mountpoint: str
    type: str
    used_bytes: int | None
    total_bytes: int | None


class Inodes(NamedTuple):
    """How many files a filesystem can hold, and how many more.

    :ivar total: 0 where it has no fixed number of them
    """

    total: int
    free: int


class CpuStats(NamedTuple):
    """CPU time since boot in **milliseconds**.

    ``guest`` is part of ``user``, ``guestnice`` part of ``nice``.
    """

    cpu: int
    user: int
    nice: int
    system: int
    idle: int
    iowait: int | None
    irq: int | None
    softirq: int | None
    steal: int | None


class DiskStats(NamedTuple):
    """A block device's counters since boot.

    Sectors of 512 bytes, ticks in **milliseconds**.
    """

    name: str
    read_ios: int | None
    read_sectors: int | None
    read_ticks: int | None
    write_ios: int | None
    write_sectors: int | None
    write_ticks: int | None
    total_ticks: int | None


class LoadAverage(NamedTuple):
    """Load averages over 1, 5 and 15 minutes."""

    load1m: float
    load5m: float
    load15m: float


_COUNTERS = [key.replace('_', '-') for key in InterfaceCounters._fields]
#: cpu, user, nice, system and idle are always there.
_CPU_REQUIRED = 5
_DISK_COUNTERS = [key.replace('_', '-') for key in DiskStats._fields[1:]]
_LOADS = list(LoadAverage._fields)


def read_interface_counters(
    reply: Any,
) -> tuple[tuple[str, InterfaceCounters], ...]:
    """Read no more of guest-network-get-interfaces than is sampled.

    An interface without counters is left out: an address label (eth0:1) is
    listed as one.
    """
    counted = []
    for entry in reading.items(reply):
        counters = _read_counters(reading.record(entry).get('statistics'))
        if counters is not None:
            counted.append((reading.string(entry, 'name'), counters))
    return tuple(counted)


def _read_counters(value: Any) -> InterfaceCounters | None:
    if value is None:
        return None
    counters = reading.uints(reading.record(value), _COUNTERS)
    if None in counters:
        raise errors.InvalidReply('a counter of the interface is missing')
    return InterfaceCounters._make(counters)


def read_filesystems(reply: Any) -> tuple[Filesystem, ...]:
    """Read guest-get-fsinfo."""
    return tuple(
        [
            Filesystem(
                reading.string(reading.record(entry), 'name'),
                reading.string(entry, 'mountpoint'),
                reading.string(entry, 'type'),
                *reading.uints(entry, ('used-bytes', 'total-bytes')),
            )
            for entry in reading.items(reply)
        ]
    )


def read_inodes(reply: Any) -> Inodes:
    """Read no more of guest-get-statvfs than is sampled."""
    fields = reading.record(reply)
    return Inodes(
        reading.uint(fields, 'f_files'), reading.uint(fields, 'f_ffree')
    )


def read_cpustats(reply: Any) -> tuple[CpuStats, ...]:
    """Read guest-get-cpustats (7.1, Linux); no line for the total."""
    return tuple([_read_cpustats_entry(e) for e in reading.items(reply)])


def _read_cpustats_entry(entry: Any) -> CpuStats:
    stats = CpuStats._make(
        reading.uints(reading.record(entry), CpuStats._fields)
    )
    if None in stats[:_CPU_REQUIRED]:
        raise errors.InvalidReply('a CPU without its times')
    if stats.cpu > reading.MAX_ITEMS:
        raise errors.InvalidReply('a CPU with a number that none has')
    return stats


def read_diskstats(reply: Any) -> tuple[DiskStats, ...]:
    """Read guest-get-diskstats (7.1, Linux)."""
    return tuple([_read_diskstats_entry(e) for e in reading.items(reply)])


def _read_diskstats_entry(entry: Any) -> DiskStats:
    stats = reading.record(reading.record(entry).get('stats'))
    return DiskStats._make(
        (
            reading.string(entry, 'name'),
            *reading.uints(stats, _DISK_COUNTERS),
        )
    )


def read_load(reply: Any) -> LoadAverage:
    """Read guest-get-load (10.0)."""
    fields = reading.record(reply)
    load = LoadAverage(*[reading.number(fields, k) for k in _LOADS])
    if min(load) < 0:
        raise errors.InvalidReply('a load is negative')
    return load
