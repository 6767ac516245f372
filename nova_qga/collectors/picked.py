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

"""Pick of one round of samples what usage is made of. Pure."""

from collections.abc import Mapping
import re
import sys
from typing import NamedTuple

from nova_qga.collectors import base
from nova_qga.collectors import cpu
from nova_qga.collectors import disks
from nova_qga.collectors import filesystems
from nova_qga.collectors import load
from nova_qga.collectors import memory
from nova_qga.collectors import network
from nova_qga.collectors import sample_set
from nova_qga.collectors import uptime

#: Some figures come from the guest, some from the hypervisor.
BOTH = 'both'
#: Characters kept of a mount point.
MAX_NAME = 64

#: Modes in which a guest's CPUs do no work of its own.
_IDLE = frozenset(('idle', 'iowait', 'steal'))
#: Modes without which the sum of all says nothing.
_NEEDED = frozenset(('user', 'system', 'idle'))
#: The hypervisor's modes of work: one or the other; see ``cpu``.
_STOOD_IN = ('vcpu', 'qemu')

#: Interfaces of a guest that carry the traffic of others once more: bridges,
#: bonds, tunnels, VLANs, and those of containers.
_is_stacked = re.compile(
    r'(?:veth|docker|virbr|vnet|cali|cni|flannel|lxc|lxd|podman|kube|ovs'
    r'|vxlan|geneve|gre|wg|tun|tap|bond|team|dummy|ifb|macvtap).*'
    r'|br(?:\d+|-.*)|.*\.\d+'
).fullmatch

#: What is looked at of a sample.
_WANTED = frozenset(
    metric.name
    for metric in (
        cpu.CPU_TIME,
        load.LOAD_1M,
        memory.TOTAL,
        memory.USED,
        memory.AVAILABLE,
        filesystems.SIZE,
        filesystems.USED,
        disks.READ_BYTES,
        disks.WRITE_BYTES,
        network.RECEIVE_BYTES,
        network.TRANSMIT_BYTES,
    )
)
_BOOT = frozenset((uptime.UPTIME.name, uptime.BOOT_INFO.name))

#: Metric -> its samples, and the part that has them.
Found = Mapping[str, tuple[sample_set.Part, list[base.Sample]]]
#: Of a device: its name, and two counters.
_Counts = tuple[str, float, float]


class Reading(NamedTuple):
    """Counters of one kind that were read together.

    :ivar timestamp: seconds since the epoch, by the host's clock
    """

    source: str
    timestamp: float
    counts: tuple[_Counts, ...]


class Boot(NamedTuple):
    """Which boot a guest's counters are of, as far as it is known."""

    boot_id: str | None
    source: str | None
    uptime: float | None


class Filesystem(NamedTuple):
    """How full one is.

    :ivar used: share of its size, from 0 to 1
    """

    mountpoint: str
    used: float


def find(samples: sample_set.SampleSet) -> Found:
    """Return the samples that are wanted; the guest's go before."""
    found: dict[str, tuple[sample_set.Part, list[base.Sample]]] = {}
    for part in sorted(samples.parts, key=_rank):
        for sample in part.samples:
            name = sample.metric.name
            if name in _WANTED or name in _BOOT:
                of, known = found.setdefault(name, (part, []))
                if of is part:
                    known.append(sample)
    return found


def _rank(part: sample_set.Part) -> bool:
    return part.source != sample_set.GUEST


def source(found: Found) -> str | None:
    """Return where the figures come from; which boot it is, is none."""
    sources = {
        part.source for name, (part, _) in found.items() if name not in _BOOT
    }
    return BOTH if len(sources) > 1 else next(iter(sources), None)


def gauge(found: Found, metric: base.Metric) -> float | None:
    """Return the value of a metric that a guest has once."""
    if metric.name not in found:
        return None
    _, [sample, *_] = found[metric.name]
    return sample.value


def boot(found: Found, before: Boot | None) -> Boot:
    """Return which boot it is.

    :param before: the last that was known
    """
    boot_id = source = None
    if uptime.BOOT_INFO.name in found:
        _, [sample, *_] = found[uptime.BOOT_INFO.name]
        boot_id = sample.labels[-1] if sample.labels else None
    if uptime.UPTIME.name in found:
        source = found[uptime.UPTIME.name][0].source
    if boot_id is None and before is not None:
        boot_id = before.boot_id
    return Boot(boot_id, source, gauge(found, uptime.UPTIME))


def same_boot(before: Boot, now: Boot) -> bool:
    """Tell whether counters go on; where nothing is known, they tell."""
    if before.boot_id and now.boot_id:
        return before.boot_id == now.boot_id
    if before.uptime is None or now.uptime is None:
        return True
    return before.source != now.source or before.uptime <= now.uptime


def cpu_time(found: Found) -> Reading | None:
    """Return the time that all CPUs worked, and all of their time.

    The second is 0 where the hypervisor tells the first.
    """
    if cpu.CPU_TIME.name not in found:
        return None
    part, samples = found[cpu.CPU_TIME.name]
    modes = {
        sample.labels[1]: sample.value
        for sample in samples
        if len(sample.labels) == 2 and sample.labels[0] == 'mode'
    }
    stood_in = [modes[mode] for mode in _STOOD_IN if mode in modes]
    if stood_in:
        counts = ('', stood_in[0], 0.0)
    elif modes.keys() >= _NEEDED:
        work = sum(s for mode, s in modes.items() if mode not in _IDLE)
        counts = ('', work, sum(modes.values()))
    else:
        return None
    return Reading(part.source, part.timestamp, (counts,))


def memory_use(found: Found) -> tuple[float | None, float | None]:
    """Return what is used, and the total."""
    used = gauge(found, memory.USED)
    total = gauge(found, memory.TOTAL)
    available = gauge(found, memory.AVAILABLE)
    if used is None and total is not None and available is not None:
        used = total - available
    if total is None or used is None or not 0 <= used <= total:
        used = None
    return used, total


def fullest(found: Found) -> Filesystem | None:
    """Return the filesystem that has the least room, by its size."""
    if not {filesystems.SIZE.name, filesystems.USED.name} <= found.keys():
        return None
    _, sizes = found[filesystems.SIZE.name]
    size = {each.labels: each.value for each in sizes if each.value > 0}
    shares = [
        (each.value / size[each.labels], each.labels)
        for each in found[filesystems.USED.name][1]
        if each.labels in size and each.value <= size[each.labels]
    ]
    if not shares:
        return None
    share, labels = max(shares)
    named = dict(zip(labels[::2], labels[1::2], strict=False))
    return Filesystem(named.get('mountpoint', '')[:MAX_NAME], share)


def devices(
    found: Found, first: base.Metric, second: base.Metric
) -> Reading | None:
    """Return two counters of each device that has both."""
    if not {first.name, second.name} <= found.keys():
        return None
    part, samples = found[first.name]
    others = {s.labels: s.value for s in found[second.name][1]}
    counts = [
        # Most guests name theirs alike, and share one copy of it.
        (sys.intern(sample.labels[1]), sample.value, others[sample.labels])
        for sample in samples
        if len(sample.labels) == 2 and sample.labels in others
    ]
    if part.source == sample_set.GUEST:
        counts = [each for each in counts if not _is_stacked(each[0])]
    return Reading(part.source, part.timestamp, tuple(counts))
