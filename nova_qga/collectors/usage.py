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

"""What a guest uses now, made of its last two samples. Pure.

A rate needs two samples of one boot and one source, and counters that did not
go back; else it is not known. Nothing else of a sample is kept, so that it
costs little to follow thousands of guests.
"""

from typing import NamedTuple

from nova_qga.collectors import disks
from nova_qga.collectors import load
from nova_qga.collectors import network
from nova_qga.collectors import picked
from nova_qga.collectors import sample_set


class Usage(NamedTuple):
    """What a guest uses; None for what is not known.

    :ivar timestamp: of the samples, seconds since the epoch
    :ivar source: ``guest``, ``hypervisor`` or ``both``
    :ivar cpu_time: seconds of work a second, of all CPUs together
    :ivar cpu_capacity: seconds a second that these CPUs had, where it is told
    :ivar load: average of the last minute
    :ivar memory_used: bytes, as ``memory_total``
    :ivar filesystem: the fullest one
    :ivar disk_read: bytes a second, as what follows
    """

    timestamp: float
    source: str | None
    cpu_time: float | None
    cpu_capacity: float | None
    load: float | None
    memory_used: float | None
    memory_total: float | None
    filesystem: picked.Filesystem | None
    disk_read: float | None
    disk_write: float | None
    network_receive: float | None
    network_transmit: float | None


class Followed(NamedTuple):
    """What is kept of a guest until its next samples."""

    usage: Usage
    boot: picked.Boot
    cpu: picked.Reading | None
    disks: picked.Reading | None
    network: picked.Reading | None


def follow(
    before: Followed | None, samples: sample_set.SampleSet
) -> Followed | None:
    """Return what a guest uses, after one more round of samples.

    :param before: what came of the round before; None where there was none
    :returns: None where nothing is known yet
    """
    found = picked.find(samples)
    boot = picked.boot(found, before and before.boot)
    if before is not None and not picked.same_boot(before.boot, boot):
        before = None
    filesystem = picked.fullest(found)
    asked = any(part.slow for part in samples.parts)
    if not filesystem and not asked and 'filesystems' not in samples.missing:
        # It was not their turn.
        filesystem = before and before.usage.filesystem
    quick = [part.timestamp for part in samples.parts if not part.slow]
    if not quick:
        return before and before._replace(
            usage=before.usage._replace(filesystem=filesystem)
        )
    return _followed(before, max(quick), found, boot, filesystem)


def _followed(
    before: Followed | None,
    timestamp: float,
    found: picked.Found,
    boot: picked.Boot,
    filesystem: picked.Filesystem | None,
) -> Followed:
    time = picked.cpu_time(found)
    io = picked.devices(found, disks.READ_BYTES, disks.WRITE_BYTES)
    traffic = picked.devices(
        found, network.RECEIVE_BYTES, network.TRANSMIT_BYTES
    )
    work, capacity = _rates(before and before.cpu, time)
    if work is not None and capacity:
        # A kernel may take back some of its idle time.
        work = min(work, capacity)
    usage = Usage(
        timestamp,
        picked.source(found),
        work,
        capacity or None,
        picked.gauge(found, load.LOAD_1M),
        *picked.memory_use(found),
        filesystem,
        *_rates(before and before.disks, io),
        *_rates(before and before.network, traffic),
    )
    return Followed(usage, boot, time, io, traffic)


def _rates(
    before: picked.Reading | None, now: picked.Reading | None
) -> tuple[float | None, float | None]:
    """Return how fast two counters grow, over all devices.

    A device that has come or gone counts for nothing this time.
    """
    if before is None or now is None or before.source != now.source:
        return None, None
    seconds = now.timestamp - before.timestamp
    known = {name: (first, second) for name, first, second in before.counts}
    grown = [
        (first - known[name][0], second - known[name][1])
        for name, first, second in now.counts
        if name in known
    ]
    if not grown or seconds <= 0 or min(map(min, grown)) < 0:
        return None, None
    first_sum, second_sum = map(sum, zip(*grown, strict=True))
    return first_sum / seconds, second_sum / seconds
