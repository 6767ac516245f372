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

"""I/O of the partitions of the guest's disks: bytes, operations and time.

What is read from a partition is read from its disk too: add them up, and all
counts twice. The hypervisor knows no partitions.

Source: qga/qapi-schema.json, GuestDiskStats (QEMU 7.1).
"""

from collections.abc import Mapping, Sequence
import re

from nova_qga.collectors import base
from nova_qga.collectors import disk_io

METRICS = disk_io.metrics('partition')

_PARTITION = (
    r'(?:(?:[hsv]|xv)d[a-z]{1,8}\d{1,4}'
    r'|(?:nvme\d{1,4}n|mmcblk|nbd|rbd)\d{1,8}p\d{1,4})'
)
_is_partition = re.compile(_PARTITION).fullmatch

_SOURCES = disk_io.sources(
    METRICS,
    lambda name: not _is_partition(name),
    b'(%s)' % _PARTITION.encode(),
)


class PartitionCollector(base.Collector):
    """How busy the partitions of the guest's disks are."""

    metrics = METRICS

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        return base.best(enabled, *_SOURCES)
