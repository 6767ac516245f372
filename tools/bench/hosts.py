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

"""Whole agents, each with a host of simulated guests, at the agent's period.

Agents that are told of together run at the same time, on the same machine:
each has guests, a fleet and publishers of its own, and they share a libvirtd
and a broker.
"""

from collections.abc import Iterator, Sequence
import contextlib
import dataclasses

from nova_qga.tests.fixtures import rabbitmq

import bench as bench_module
import scrape

NO_OP = 'nobody'
BATCHED = 'notifications, 50 guests each'
SINGLE = 'notifications, one a guest'
PROMETHEUS = 'Prometheus'
#: The options of ours.py that publish so.
PUBLISHING = {
    NO_OP: ('--publishers', 'no-op'),
    BATCHED: ('--publishers', 'notification', '--batch-size', '50'),
    SINGLE: ('--publishers', 'notification', '--batch-size', '1'),
    PROMETHEUS: ('--publishers', 'prometheus'),
}
#: Messages that the broker keeps: nobody takes them.
KEPT = 100


@dataclasses.dataclass(frozen=True)
class Host:
    """One agent, and the guests of its host.

    :ivar publishing: to whom
    :ivar hang_every: every so manieth guest never answers
    :ivar silent_every: every so manieth guest has no channel
    """

    guests: int
    publishing: str = NO_OP
    hang_every: int = 0
    silent_every: int = 0

    @property
    def troubled(self) -> bool:
        """Not all guests answer."""
        return bool(self.hang_every or self.silent_every)

    @property
    def title(self) -> str:
        """As it is told in tables."""
        title = f'{self.guests:,}'
        if self.hang_every:
            title += f', {100 // self.hang_every} % hang'
        if self.silent_every:
            title += f', {100 // self.silent_every} % without an agent'
        return title


#: Those in one list run together; those that are to be compared do.
PHASES = (
    [
        Host(5000),
        Host(5000, hang_every=10),
        Host(1000),
        Host(1000, hang_every=10),
        Host(1000, silent_every=10),
    ],
    [Host(count, BATCHED) for count in (100, 500, 1000, 2000, 5000)]
    + [Host(count) for count in (100, 500, 2000)],
    [
        Host(5000, SINGLE),
        Host(5000, PROMETHEUS),
        Host(1000, SINGLE),
        Host(1000, PROMETHEUS),
    ],
)
#: For a look whether it works.
QUICK = (
    [
        Host(50),
        Host(50, hang_every=10),
        Host(50, BATCHED),
        Host(50, PROMETHEUS),
        Host(10),
        Host(10, BATCHED),
    ],
)

Results = dict[Host, bench_module.Run]


@contextlib.contextmanager
def broker() -> Iterator[str]:
    """Start RabbitMQ, and yield its URL."""
    with rabbitmq.RabbitMQ() as node:
        node.control('set_policy', 'kept', '.*', f'{{"max-length":{KEPT}}}')
        yield node.url


def measure(
    bench: bench_module.Bench,
    hosts: Sequence[Host],
    broker_url: str,
    rounds: int,
    interval: float,
) -> Results:
    """Run these agents at the same time; return what each tells."""
    with contextlib.ExitStack() as stack:
        running = {
            host: _start(stack, bench, host, broker_url, rounds, interval)
            for host in hosts
        }
        told = {}
        for host, (client, scraper) in running.items():
            told[host] = bench_module.tell(client)
            if scraper is not None:
                told[host] |= scraper.summary()
            print(host, told[host], flush=True)
    return told


def _start(
    stack: contextlib.ExitStack,
    bench: bench_module.Bench,
    host: Host,
    broker_url: str,
    rounds: int,
    interval: float,
) -> tuple[object, scrape.Scraper | None]:
    place = stack.enter_context(
        bench.agents(
            bench_module.Guests(
                host.guests,
                hang_every=host.hang_every,
                silent_every=host.silent_every,
            )
        )
    )
    port = rabbitmq.free_port()
    client = bench_module.start(
        'ours.py',
        *(place.uri, host.guests, rounds, interval, 0, bench.template),
        *('--broker', broker_url, '--port', port),
        *PUBLISHING[host.publishing],
    )
    scraper = None
    if host.publishing == PROMETHEUS:
        scraper = stack.enter_context(scrape.Scraper(port, interval))
    return client, scraper
