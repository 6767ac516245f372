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

"""What nova-qga costs: all of the agent that measures guests and publishes.

It is made of a configuration file, as the agent is: libvirt's guests, the
journal, channels, poller, collectors and publishers. Of the agent, what serves
requests is left out.

Figures are those of rounds after the first, in which guests are met: of each
their median, or the most for memory. Lateness is how long after a guest was
due the samples have their timestamp, of guests that answer.
"""

# First, as in the agent: it keeps eventlet out.
from nova_qga import cmd  # noqa: F401

import argparse
from collections.abc import Callable
import json
import pathlib
import statistics
import tempfile
import time
from typing import Any

from oslo_config import cfg

from nova_qga.agent import assembly
from nova_qga.agent import internals
from nova_qga.agent import measuring
from nova_qga.agent import schedule
from nova_qga import conf as qga_conf
from nova_qga.publishers import fan_out

import domains
import measure

#: Rounds from one question for what changes slowly to the next, as in the
#: agent by default.
SLOW = 5

_CONFIGURATION = """\
[DEFAULT]
host = bench
transport_url = {broker}
[oslo_messaging_notifications]
driver = messagingv2
[qga]
direct_channel = {channel}
[qga_agent]
libvirt_uri = {uri}
state_path = {state}
[qga_monitor]
interval = {interval}
slow_interval = {slow_interval}
publishers = {publishers}
[qga_notification]
batch_size = {batch_size}
[qga_prometheus]
listen_port = {port}
"""


def configure(
    args: argparse.Namespace, folder: pathlib.Path
) -> cfg.ConfigOpts:
    """Return the options of an agent whose files are in ``folder``."""
    file = folder / 'nova-qga.conf'
    file.write_text(
        _CONFIGURATION.format(
            broker=args.broker,
            channel=domains.CHANNEL,
            uri=args.place,
            state=folder,
            interval=args.interval,
            slow_interval=args.interval * SLOW,
            publishers=args.publishers,
            batch_size=args.batch_size,
            port=args.port,
        )
    )
    conf = cfg.ConfigOpts()
    qga_conf.register_opts(conf)
    conf([], project='nova-qga', default_config_files=[str(file)])
    return conf


class Agent:
    """The part of nova-qga-agent that measures guests."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._interval: float = conf.qga_monitor.interval
        self._host = assembly.build_host(conf)
        self._measuring = measuring.Measuring(
            conf,
            assembly.build_notifier(conf),
            self._host,
            assembly.build_journal(conf),
        )
        self._host.start()
        self.listed = measure.rss_kib()
        self._measuring.start()

    def lateness(self, since: float) -> list[float]:
        """Return how late, in seconds, guests were sampled last.

        :param since: Unix time; those sampled before it are left out
        """
        uuids = [guest.uuid for guest in self._host.directory.guests()]
        # The poller's clock begins elsewhere.
        began = time.time() - time.monotonic()
        late = [
            (used.timestamp - began) / self._interval - schedule.place(uuid)
            for uuid, used in self._measuring.usage.of(uuids).items()
            # Else the host alone has told of it.
            if used.source is not None and used.timestamp >= since
        ]
        return [each % 1.0 * self._interval for each in late]

    def counts(self) -> dict[str, float]:
        """Return what the agent counts of its own work."""
        names = {
            internals.ROUNDS.name: 'samples',
            fan_out.PUBLISHED.name: 'published',
            fan_out.DROPPED.name: 'dropped',
        }
        found = dict.fromkeys(names.values(), 0.0)
        for sample in self._measuring.internals():
            name = names.get(sample.metric.name)
            told = 'outcome' not in sample.labels or 'told' in sample.labels
            if name and told:
                found[name] += sample.value
        return found

    def meet(self, count: int) -> int:
        """Wait until all guests are listed and those that answer have.

        :returns: how many have answered
        """
        while len(self._host.directory.guests()) < count:
            time.sleep(0.1)
        time.sleep(self._interval + schedule.LONGEST * 2)
        return len(self.lateness(0.0))


def measure_round(agent: Agent, until: float) -> dict[str, float]:
    """Measure until a moment of the monotonic clock."""
    before = agent.counts()
    began, cpu = time.time(), measure.cpu_ms()
    time.sleep(max(0.0, until - time.monotonic()))
    cpu_ms = measure.cpu_ms() - cpu
    late = agent.lateness(began)
    counts = agent.counts()
    done = {name: counts[name] - before[name] for name in counts}
    if not late or not done['samples']:
        raise RuntimeError('no guest was sampled')
    return done | {
        'cpu_ms': cpu_ms,
        'sample_ms': cpu_ms / done['samples'],
        'rss_kib': measure.rss_kib(),
        'p50_ms': measure.percentile(late, 50) * 1e3,
        'p99_ms': measure.percentile(late, 99) * 1e3,
    }


def summary(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Return what all rounds amount to."""

    def of(combined: Callable[[list[float]], float], *figures: str) -> Any:
        return {name: combined([r[name] for r in rounds]) for name in figures}

    return {
        **of(sum, 'samples', 'published', 'dropped', 'cpu_ms'),
        **of(statistics.median, 'sample_ms', 'p50_ms', 'p99_ms'),
        **of(max, 'rss_kib'),
        'round_cpu_ms': statistics.median(r['cpu_ms'] for r in rounds),
        'dearest_cpu_ms': max(r['cpu_ms'] for r in rounds),
    }


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = measure.parser(__doc__)
    parser.add_argument('--publishers', default='no-op')
    parser.add_argument('--broker', default='fake://')
    parser.add_argument('--batch-size', type=int, default=1)
    parser.add_argument('--port', type=int, default=9177, help='prometheus')
    return parser.parse_args()


def main() -> None:
    """Measure, and print the report."""
    args = arguments()
    with tempfile.TemporaryDirectory(prefix='qga-bench-') as folder:
        agent = Agent(configure(args, pathlib.Path(folder)))
        met = agent.meet(args.count)
        begin = time.monotonic()
        rounds = [
            measure_round(agent, begin + args.interval * (number + 1))
            for number in range(args.rounds)
        ]
        told = summary(rounds)
        print(
            json.dumps(
                told
                | {
                    'failed': met * args.rounds - told['samples'],
                    'interval_ms': args.interval * 1e3,
                    'guests': args.count,
                    'rss_listed_kib': agent.listed,
                }
            ),
            flush=True,
        )


if __name__ == '__main__':
    main()
