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

"""I/O of the guest's disks: bytes, operations and time.

Whole disks only. What certainly is none is left out by its name: partitions,
memory and file backed devices (ram, zram, loop), CD-ROM and floppy drives,
and what is stacked on disks (device mapper, RAID), whose I/O is counted on
the disks below. A name that is not known counts as a disk. The hypervisor has
all drives of the guest by the names that libvirt gives them.

Source: qga/qapi-schema.json, GuestDiskStats (QEMU 7.1);
https://docs.kernel.org/admin-guide/iostats.html
"""

from collections.abc import Iterable, Mapping, Sequence
import re

from nova_qga.collectors import base
from nova_qga.collectors import proc
from nova_qga.collectors import rows
from nova_qga.guest import figures
from nova_qga.protocol import commands
from nova_qga.protocol import reading
from nova_qga.protocol import statistics

READ_OPERATIONS = base.Metric(
    'guest.disk.read.operations', base.Unit.COUNT, base.Kind.CUMULATIVE
)
READ_BYTES = base.Metric(
    'guest.disk.read.bytes', base.Unit.BYTES, base.Kind.CUMULATIVE
)
READ_TIME = base.Metric(
    'guest.disk.read.time', base.Unit.SECONDS, base.Kind.CUMULATIVE
)
WRITE_OPERATIONS = base.Metric(
    'guest.disk.write.operations', base.Unit.COUNT, base.Kind.CUMULATIVE
)
WRITE_BYTES = base.Metric(
    'guest.disk.write.bytes', base.Unit.BYTES, base.Kind.CUMULATIVE
)
WRITE_TIME = base.Metric(
    'guest.disk.write.time', base.Unit.SECONDS, base.Kind.CUMULATIVE
)
BUSY_TIME = base.Metric(
    'guest.disk.busy.time', base.Unit.SECONDS, base.Kind.CUMULATIVE
)

#: The kernel's unit, whatever the disk's own sectors are.
_SECTOR = 512

_NO_WHOLE_DISK = (
    r'(?:(?:loop|z?ram|fd|sr|dm-|md|md_d)\d+(?:p\d+)?'
    r'|(?:[hsv]|xv)d[a-z]+\d+'
    r'|(?:nvme\d+n|mmcblk|nbd|rbd)\d+p\d+'
    r'|mmcblk\d+(?:boot\d+|rpmb)'
    r'|nvme\d+c\d+n\d+)'  # a path to a disk, not the disk
)
_is_no_whole_disk = re.compile(_NO_WHOLE_DISK).fullmatch
#: Major and minor number, name, and the counters in the order of DiskStats.
_LINE = re.compile(
    rb'\n {0,8}\d{1,8} {1,8}\d{1,8} (?!%(no)s )(\S{1,256})'
    rb' %(n)s \d+ %(n)s %(n)s %(n)s \d+ %(n)s %(n)s \d+ %(n)s '
    % {b'no': _NO_WHOLE_DISK.encode(), b'n': proc.UINT}
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


def _read_diskstats(
    disks: Iterable[statistics.DiskStats],
) -> list[base.Sample]:
    values: dict[str, Sequence[float | None]] = {}
    for name, *counters in disks:
        if name not in values and not _is_no_whole_disk(name):
            values[name] = _values(counters)
    return rows.device_samples(DiskCollector.metrics, values)


def _read_proc(content: bytes) -> list[base.Sample]:
    found = proc.devices(_LINE, content, rows.MAX_DEVICES)
    values = {name: _values(counters) for name, counters in found.items()}
    return rows.device_samples(DiskCollector.metrics, values)


_DISKSTATS = base.Source(commands.get_diskstats(), _read_diskstats)
_PROC = base.Source(base.ProcFile('/proc/diskstats'), _read_proc)


class DiskCollector(base.Collector):
    """How busy the guest's disks are."""

    #: In the order of DiskStats.
    metrics = (
        READ_OPERATIONS,
        READ_BYTES,
        READ_TIME,
        WRITE_OPERATIONS,
        WRITE_BYTES,
        WRITE_TIME,
        BUSY_TIME,
    )

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        return base.best(enabled, _DISKSTATS, _PROC)

    def stand_in(self, known: figures.Figures) -> Sequence[base.Sample]:
        # Not how long they were busy.
        return rows.device_samples(
            self.metrics, {block.name: block[1:7] for block in known.blocks}
        )
