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

"""What nova-qga costs: the agent's own parts, with nobody to publish to.

Guests come from libvirt, the real directory, channels, collectors and poller
sample them, replies are validated and samples built; then they are counted
and dropped. There is no RPC and no broker.

Latency is from the tick that a guest is due in until its samples are built.
"""

# First, as in the agent: it keeps eventlet out.
from nova_qga import cmd  # noqa: F401

from collections.abc import Iterator
import time
from typing import Any

from stevedore import named

from nova_qga.agent import poller as agent_poller
from nova_qga.agent import schedule
from nova_qga.collectors import base
from nova_qga.collectors import sample_set
from nova_qga.guest import host as guest_host

import domains
import measure


COLLECTORS = ('cpu', 'load', 'memory', 'disks') + (
    'filesystems',
    'network',
    'uptime',
)


class NotedSchedule(schedule.Schedule):
    """A schedule that notes when it told whom to be due."""

    def __init__(self, interval: float) -> None:
        super().__init__(interval)
        self.told: dict[str, float] = {}

    def due(self, since: float, until: float) -> Iterator[str]:
        """Yield who is due."""
        for uuid in super().due(since, until):
            self.told[uuid] = until
            yield uuid


class Count:
    """Takes samples in the place of publishers.

    :ivar guests: who was sampled, since the last reset
    :ivar latencies: seconds, as many as samples
    :ivar missing: collectors that gave nothing
    """

    guests: set[str]
    latencies: list[float]
    missing: int

    def __init__(self, told: dict[str, float]) -> None:
        self._told = told
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.guests = set()
        self.latencies = []
        self.missing = 0

    def publish(self, samples: sample_set.SampleSet) -> None:
        """Count a guest's samples."""
        uuid = samples.instance_uuid
        self.guests.add(uuid)
        self.missing += len(samples.missing)
        self.latencies.append(time.monotonic() - self._told[uuid])


def load_collectors() -> dict[str, base.Collector]:
    """Return all collectors of the project, by name."""
    loaded: named.NamedExtensionManager[Any] = named.NamedExtensionManager(
        'nova_qga.collectors', COLLECTORS, invoke_on_load=True
    )
    if set(loaded.names()) != set(COLLECTORS):
        raise RuntimeError('nova-qga is not installed: pip install -e .')
    return {each.name: each.obj for each in loaded if each.obj}


def settle(count: Count, expected: int, interval: float) -> int:
    """Wait until every guest that answers has done so; return how many."""
    seen = -1
    while len(count.guests) < expected and len(count.guests) > seen:
        seen = len(count.guests)
        time.sleep(interval)
    # What belongs to the last round of first contacts is over by then.
    time.sleep(interval)
    return len(count.guests)


def main() -> None:
    """Measure, and print the report."""
    args = measure.arguments(__doc__)
    noted = NotedSchedule(args.interval)
    count = Count(noted.told)
    host = guest_host.Host(
        guest_host.HostSettings(args.place, domains.CHANNEL)
    )
    poller = agent_poller.Poller(
        host,
        load_collectors(),
        args.interval,
        count.publish,
    )
    poller._schedule = noted
    host.start()
    listed = measure.rss_kib()
    poller.start()
    answering = settle(count, args.count, args.interval)
    count.reset()
    period = measure.Period()
    time.sleep(args.interval * args.rounds)
    if not count.latencies:
        raise RuntimeError('no guest was sampled')
    period.report(
        len(count.latencies),
        answering - len(count.guests),
        guests=args.count,
        missing=count.missing,
        rss_listed_kib=listed,
        p50_ms=measure.percentile(count.latencies, 50) * 1e3,
        p99_ms=measure.percentile(count.latencies, 99) * 1e3,
    )


if __name__ == '__main__':
    main()
