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

"""One thread that publishes samples, behind a bounded queue.

Whoever hands something over never waits: where more comes than can be sent,
as while the broker is away, the oldest is dropped, counted and said.
"""

import collections
from collections.abc import Iterable, Mapping
import threading
import time

from oslo_log import log as logging

from nova_qga.collectors import sample_set
from nova_qga.publishers import base

LOG = logging.getLogger(__name__)

#: Guests' samples that may wait; those of one guest are about 10 KiB.
MAX_SAMPLES = 2000
#: Seconds between two warnings of the same kind.
QUIET = 60.0


class Worker:
    """Publishes samples in the order in which they came.

    :param publishers: by name
    :ivar dropped: guests' samples that were dropped so far
    """

    def __init__(
        self,
        publishers: Mapping[str, base.Publisher],
        max_samples: int = MAX_SAMPLES,
    ) -> None:
        self.dropped = 0
        self._publishers = dict(publishers)
        self._retired: list[base.Publisher] = []
        self._samples: collections.deque[sample_set.SampleSet] = (
            collections.deque()
        )
        self._limit = max_samples
        self._changed = threading.Condition()
        self._stopping = False
        self._warned: dict[str, float] = {}
        self._thread = threading.Thread(
            target=self._run, name='qga-publisher', daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Drop the samples that wait, and end.

        :param timeout: seconds
        """
        with self._changed:
            self._stopping = True
            self._samples.clear()
            self._changed.notify()
        self._thread.join(timeout)

    def put_samples(self, samples: sample_set.SampleSet) -> None:
        """Hand over the samples of one guest."""
        with self._changed:
            if self._stopping:
                return
            if len(self._samples) >= self._limit:
                self._samples.popleft()
                self.dropped += 1
                self._warn_of_dropped()
            self._samples.append(samples)
            self._changed.notify()

    def use(self, publishers: Mapping[str, base.Publisher]) -> None:
        """Publish to these from now on, and close the others."""
        kept = set(map(id, publishers.values()))
        with self._changed:
            self._retired += [
                each
                for each in self._publishers.values()
                if id(each) not in kept
            ]
            self._publishers = dict(publishers)
            self._changed.notify()

    def _warn_of_dropped(self) -> None:
        if self._may_warn('dropped'):
            LOG.warning(
                'Samples come faster than they can be published: '
                '%d were dropped so far, the oldest first. Is the broker '
                'reachable? If it is, raise [qga_monitor]interval or leave '
                'out collectors.',
                self.dropped,
            )

    def _may_warn(self, about: str) -> bool:
        now = time.monotonic()
        if now - self._warned.get(about, -QUIET) < QUIET:
            return False
        self._warned[about] = now
        return True

    # On the thread, from here on.

    def _run(self) -> None:
        while self._step():
            pass
        _close(self._publishers.values())

    def _step(self) -> bool:
        """Wait for something to do, and do it; False when all is done."""
        samples = None
        with self._changed:
            while not (self._samples or self._retired or self._stopping):
                self._changed.wait()
            retired, self._retired = self._retired, []
            publishers = self._publishers
            if self._samples:
                samples = self._samples.popleft()
            elif self._stopping:
                return False
        _close(retired)
        if samples is not None:
            self._publish(samples, publishers)
        return True

    def _publish(
        self,
        samples: sample_set.SampleSet,
        publishers: Mapping[str, base.Publisher],
    ) -> None:
        for name, publisher in publishers.items():
            try:
                publisher.publish(samples)
            except Exception as error:
                self._warn_of_failure(f'publisher {name}', error)

    def _warn_of_failure(self, what: str, error: Exception) -> None:
        if self._may_warn(what):
            LOG.error('%s: %s', what, error, exc_info=error)


def _close(publishers: Iterable[base.Publisher]) -> None:
    for publisher in publishers:
        try:
            publisher.close()
        except Exception:
            LOG.exception('a publisher does not close')
