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

Source: qga/qapi-schema.json, GuestDiskStats (QEMU 7.1).
"""

from collections.abc import Mapping, Sequence
import re

from nova_qga.collectors import base
from nova_qga.collectors import disk_io
from nova_qga.collectors import rows
from nova_qga.guest import figures

METRICS = disk_io.metrics('disk')
(
    READ_OPERATIONS,
    READ_BYTES,
    READ_TIME,
    WRITE_OPERATIONS,
    WRITE_BYTES,
    WRITE_TIME,
    BUSY_TIME,
) = METRICS

_NO_WHOLE_DISK = (
    r'(?:(?:loop|z?ram|fd|sr|dm-|md|md_d)\d+(?:p\d+)?'
    r'|(?:[hsv]|xv)d[a-z]+\d+'
    r'|(?:nvme\d+n|mmcblk|nbd|rbd)\d+p\d+'
    r'|mmcblk\d+(?:boot\d+|rpmb)'
    r'|nvme\d+c\d+n\d+)'  # a path to a disk, not the disk
)
_is_no_whole_disk = re.compile(_NO_WHOLE_DISK).fullmatch

_SOURCES = disk_io.sources(
    METRICS,
    _is_no_whole_disk,
    rb'(?!%s )(\S{1,256})' % _NO_WHOLE_DISK.encode(),
)


class DiskCollector(base.Collector):
    """How busy the guest's disks are."""

    metrics = METRICS

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        return base.best(enabled, *_SOURCES)

    def stand_in(self, known: figures.Figures) -> Sequence[base.Sample]:
        # Not how long they were busy.
        return rows.device_samples(
            self.metrics, {block.name: block[1:7] for block in known.blocks}
        )
