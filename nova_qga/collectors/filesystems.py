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
are always full, are left out here.

Source: qga/qapi-schema.json, GuestFilesystemInfo (sizes from QEMU 3.0).
"""

from collections.abc import Iterable, Mapping, Sequence

from nova_qga.collectors import base
from nova_qga.collectors import rows
from nova_qga.protocol import commands
from nova_qga.protocol import statistics

SIZE = base.Metric('guest.filesystem.size', base.Unit.BYTES, base.Kind.GAUGE)
USED = base.Metric('guest.filesystem.used', base.Unit.BYTES, base.Kind.GAUGE)
AVAILABLE = base.Metric(
    'guest.filesystem.available', base.Unit.BYTES, base.Kind.GAUGE
)

#: Types on CD-ROM drives and in image files, as Linux and Windows say.
_IMAGES = frozenset(
    ('iso9660', 'udf', 'squashfs', 'erofs', 'cramfs', 'romfs', 'CDFS', 'UDF')
)


def _read_filesystems(
    filesystems: Iterable[statistics.Filesystem],
) -> list[base.Sample]:
    samples: list[base.Sample] = []
    for filesystem in _distinct(filesystems):
        device, mountpoint, kind, used, size = filesystem
        if used is None or not size or used > size:
            continue
        labels = ('mountpoint', mountpoint, 'device', device, 'fstype', kind)
        values = (size, used, size - used)
        samples += rows.samples(FilesystemCollector.metrics, values, labels)
    return samples


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


class FilesystemCollector(base.Collector):
    """How much room the guest's filesystems have left."""

    metrics = (SIZE, USED, AVAILABLE)

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        return base.best(enabled, _FSINFO)
