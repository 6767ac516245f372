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

"""What the guest's kernel counts of each of its block devices.

Disks and partitions are counted alike; which devices are meant, and what they
are called, is said by who uses this.

Source: qga/qapi-schema.json, GuestDiskStats (QEMU 7.1);
https://docs.kernel.org/admin-guide/iostats.html
"""

from collections.abc import Callable, Iterable, Sequence
import re
from typing import Any

from nova_qga.collectors import base
from nova_qga.collectors import proc
from nova_qga.collectors import rows
from nova_qga.protocol import commands
from nova_qga.protocol import reading
from nova_qga.protocol import statistics

#: The kernel's unit, whatever the disk's own sectors are.
_SECTOR = 512
#: Counters, in the order of DiskStats, behind major and minor number and name.
_COUNTERS = rb' %(n)s \d+ %(n)s %(n)s %(n)s \d+ %(n)s %(n)s \d+ %(n)s ' % {
    b'n': proc.UINT
}


def metrics(kind: str) -> tuple[base.Metric, ...]:
    """Return the metrics of one kind of devices, in the order of DiskStats."""
    return tuple(
        base.Metric(f'guest.{kind}.{name}', unit, base.Kind.CUMULATIVE)
        for name, unit in (
            ('read.operations', base.Unit.COUNT),
            ('read.bytes', base.Unit.BYTES),
            ('read.time', base.Unit.SECONDS),
            ('write.operations', base.Unit.COUNT),
            ('write.bytes', base.Unit.BYTES),
            ('write.time', base.Unit.SECONDS),
            ('busy.time', base.Unit.SECONDS),
        )
    )


def sources(
    measured: Sequence[base.Metric],
    is_other: Callable[[str], Any],
    name: bytes,
) -> tuple[base.Source, base.Source]:
    """Return the ways to ask for them, the best first.

    :param is_other: tells of a device's name that it is none to be measured
    :param name: pattern of those that are, with the name as its only group
    """
    line = re.compile(rb'\n {0,8}\d{1,8} {1,8}\d{1,8} ' + name + _COUNTERS)

    def read_diskstats(
        disks: Iterable[statistics.DiskStats],
    ) -> list[base.Sample]:
        values: dict[str, Sequence[float | None]] = {}
        for device, *counters in disks:
            if device not in values and not is_other(device):
                values[device] = _values(counters)
        return rows.device_samples(measured, values)

    def read_proc(content: bytes) -> list[base.Sample]:
        found = proc.devices(line, content, rows.MAX_DEVICES)
        values = {device: _values(each) for device, each in found.items()}
        return rows.device_samples(measured, values)

    return (
        base.Source(commands.get_diskstats(), read_diskstats),
        base.Source(base.ProcFile('/proc/diskstats'), read_proc),
    )


def _bytes(sectors: int | None) -> int | None:
    if sectors is None or sectors > reading.UINT64_MAX // _SECTOR:
        return None
    return sectors * _SECTOR


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _values(counters: Sequence[int | None]) -> list[float | None]:
    """Convert counters, in the order of DiskStats, to base units."""
    reads, read_sectors, read_ms, writes, write_sectors, write_ms, busy_ms = (
        counters
    )
    return [
        reads,
        _bytes(read_sectors),
        _seconds(read_ms),
        writes,
        _bytes(write_sectors),
        _seconds(write_ms),
        _seconds(busy_ms),
    ]
