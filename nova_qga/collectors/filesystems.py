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

"""How full the guest's filesystems are.

Sizes are those for unprivileged users, who cannot have the blocks that
ext4 reserves for root: so used / size is what df(1) shows as Use%. Pseudo
and network filesystems are not in the agent's reply; read-only images, which
are always full, are left out here. Inodes are told by agents to which
operators have added guest-get-statvfs. The hypervisor knows no filesystems: in
their place it tells of the guest's drives.

Source: qga/qapi-schema.json, GuestFilesystemInfo (sizes from QEMU 3.0);
statvfs(3).
"""

from collections.abc import Iterable, Mapping, Sequence
import dataclasses
import functools

from nova_qga.collectors import base
from nova_qga.collectors import rows
from nova_qga.guest import figures
from nova_qga.protocol import commands
from nova_qga.protocol import statistics
from nova_qga import text

SIZE = base.Metric('guest.filesystem.size', base.Unit.BYTES, base.Kind.GAUGE)
USED = base.Metric('guest.filesystem.used', base.Unit.BYTES, base.Kind.GAUGE)
AVAILABLE = base.Metric(
    'guest.filesystem.available', base.Unit.BYTES, base.Kind.GAUGE
)
INODES_TOTAL = base.Metric(
    'guest.filesystem.inodes.total', base.Unit.COUNT, base.Kind.GAUGE
)
INODES_FREE = base.Metric(
    'guest.filesystem.inodes.free', base.Unit.COUNT, base.Kind.GAUGE
)
CAPACITY = base.Metric('guest.disk.capacity', base.Unit.BYTES, base.Kind.GAUGE)
ALLOCATION = base.Metric(
    'guest.disk.allocation', base.Unit.BYTES, base.Kind.GAUGE
)

_SIZES = (SIZE, USED, AVAILABLE)
_INODES = (INODES_TOTAL, INODES_FREE)
_DRIVES = (CAPACITY, ALLOCATION)

#: Types on CD-ROM drives and in image files, as Linux and Windows say.
_IMAGES = frozenset(
    ('iso9660', 'udf', 'squashfs', 'erofs', 'cramfs', 'romfs', 'CDFS', 'UDF')
)


def _read_filesystems(
    filesystems: Iterable[statistics.Filesystem],
) -> list[base.Sample]:
    samples: list[base.Sample] = []
    for filesystem in _distinct(filesystems):
        used, size = filesystem.used_bytes, filesystem.total_bytes
        if used is None or not size or used > size:
            continue
        values = (size, used, size - used)
        samples += rows.samples(_SIZES, values, _labels(filesystem))
    return samples


def _labels(filesystem: statistics.Filesystem) -> tuple[str, ...]:
    device, mountpoint, kind = filesystem[:3]
    return ('mountpoint', mountpoint, 'device', device, 'fstype', kind)


def _ask_inodes(
    filesystems: Iterable[statistics.Filesystem],
) -> list[base.Source]:
    return [
        base.Source(
            commands.get_inodes(filesystem.mountpoint),
            functools.partial(_read_inodes, _labels(filesystem)),
        )
        for filesystem in _distinct(filesystems)
        if _is_path(filesystem.mountpoint)
    ]


def _is_path(mountpoint: str) -> bool:
    """Tell whether it is as the guest sent it, neither cut nor escaped."""
    return (
        mountpoint.startswith('/')
        and '\\' not in mountpoint
        and len(mountpoint) <= text.LIMIT
    )


def _read_inodes(
    labels: tuple[str, ...], inodes: statistics.Inodes
) -> list[base.Sample]:
    # btrfs and vfat have no fixed number of them.
    if not inodes.total or inodes.free > inodes.total:
        return []
    return rows.samples(_INODES, inodes, labels)


def _distinct(
    filesystems: Iterable[statistics.Filesystem],
) -> Iterable[statistics.Filesystem]:
    """Return each device's filesystem once, where it is mounted highest.

    Agents before 10.0 list a filesystem again for each bind mount, of which
    a container host has hundreds, and list the newest first.
    """
    highest: dict[str, statistics.Filesystem] = {}
    for filesystem in filesystems:
        if filesystem.type in _IMAGES:
            continue
        other = highest.setdefault(filesystem.name, filesystem)
        if _height(filesystem) < _height(other):
            highest[filesystem.name] = filesystem
    if len(highest) <= rows.MAX_DEVICES:
        return highest.values()
    return sorted(highest.values(), key=_height)[: rows.MAX_DEVICES]


def _height(filesystem: statistics.Filesystem) -> tuple[int, str]:
    return len(filesystem.mountpoint), filesystem.mountpoint


_FSINFO = base.Source(commands.get_filesystems(), _read_filesystems)
_FSINFO_AND_INODES = dataclasses.replace(_FSINFO, then=_ask_inodes)
_STATVFS = commands.get_inodes('/').name


class FilesystemCollector(base.Collector):
    """How much room the guest's filesystems have left."""

    metrics = (*_SIZES, *_INODES, *_DRIVES)
    slow = True

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        if enabled.get(_STATVFS, False):
            return base.best(enabled, _FSINFO_AND_INODES)
        return base.best(enabled, _FSINFO)

    def stand_in(self, known: figures.Figures) -> Sequence[base.Sample]:
        sizes = {
            block.name: (block.capacity, block.allocation)
            for block in known.blocks
        }
        return rows.device_samples(_DRIVES, sizes)
