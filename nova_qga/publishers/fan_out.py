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

"""All publishers at once: each gets every guest's samples.

Each has threads and a queue of its own, so that a slow one, or one that
hangs, holds up no other. Whoever hands something over never waits.
"""

from collections.abc import Iterable, Mapping
import threading
import time

from nova_qga.collectors import base as collectors_base
from nova_qga.collectors import sample_set
from nova_qga.publishers import base
from nova_qga.publishers import outlet

#: Seconds for a publisher that is no longer wanted to send what waits.
RETIREMENT = 10.0

_COUNT, _SECONDS = collectors_base.Unit.COUNT, collectors_base.Unit.SECONDS
_TOTAL, _NOW = collectors_base.Kind.CUMULATIVE, collectors_base.Kind.GAUGE

PUBLISHED = collectors_base.Metric(
    'nova_qga.publisher.published', _COUNT, _TOTAL
)
DROPPED = collectors_base.Metric('nova_qga.publisher.dropped', _COUNT, _TOTAL)
FAILURES = collectors_base.Metric(
    'nova_qga.publisher.failures', _COUNT, _TOTAL
)
TIME = collectors_base.Metric('nova_qga.publisher.time', _SECONDS, _TOTAL)
QUEUE = collectors_base.Metric('nova_qga.publisher.queue', _COUNT, _NOW)
#: Every metric that :meth:`FanOut.internals` may give.
METRICS = (PUBLISHED, DROPPED, FAILURES, TIME, QUEUE)


class FanOut:
    """The publishers that are in use."""

    def __init__(self) -> None:
        self._outlets: dict[str, outlet.Outlet] = {}

    @property
    def publishers(self) -> Mapping[str, base.Publisher]:
        """By name, in order."""
        return {name: each.publisher for name, each in self._outlets.items()}

    def put(self, samples: sample_set.SampleSet) -> None:
        """Hand over the samples of one guest; used on one thread."""
        for each in self._outlets.values():
            each.put(samples)

    def use(self, publishers: Mapping[str, base.Publisher]) -> None:
        """Publish to these from now on.

        Those that are in use already go on as they are; the others that were
        are closed, after what waits for them.
        """
        before = self._outlets
        self._outlets = {
            name: before[name]
            if name in before and before[name].publisher is publisher
            else outlet.Outlet(name, publisher)
            for name, publisher in publishers.items()
        }
        for name, each in before.items():
            if self._outlets.get(name) is not each:
                each.close(RETIREMENT)

    def stop(self, timeout: float) -> None:
        """Publish what waits as far as time allows, and end.

        :param timeout: seconds
        """
        ending = [each.close(timeout) for each in self._outlets.values()]
        deadline = time.monotonic() + timeout
        _join(ending, deadline)

    def internals(self) -> list[collectors_base.Sample]:
        """Return what became of guests' samples; on any thread.

        It starts anew for a publisher that was made anew at SIGHUP.
        """
        found = []
        for name, each in self._outlets.items():
            counts = each.counts()
            found += [
                collectors_base.Sample(metric, value, ('publisher', name))
                for metric, value in (
                    (PUBLISHED, counts.published),
                    (DROPPED, counts.dropped),
                    (FAILURES, counts.failures),
                    (TIME, counts.seconds),
                    (QUEUE, counts.waiting),
                )
            ]
        return found


def _join(threads: Iterable[threading.Thread], deadline: float) -> None:
    for each in threads:
        each.join(max(0.0, deadline - time.monotonic()))
