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

"""One thread that publishes what goes one way, behind a queue.

Whoever hands something over never waits. Where nothing is taken, as while a
broker is away, what waits is tried again after pauses that grow.
"""

import collections
from collections.abc import Sequence
import dataclasses
import random
import threading
import time

from oslo_log import log as logging

from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.publishers import base

LOG = logging.getLogger(__name__)

#: Seconds for which samples gather before they are published: guests are asked
#: in groups, and to wake a thread for each costs more than most publishers.
GATHER = 0.05
#: Seconds between two attempts while nothing is taken: the first, the most.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
#: Attempts to publish a batch; it may be what is not taken.
ATTEMPTS = 3
#: Seconds between two warnings of the same kind.
QUIET = 60.0


@dataclasses.dataclass(slots=True)
class Counts:
    """What has become of guests' samples so far.

    :ivar failures: attempts that failed
    :ivar seconds: that publishing took
    :ivar waiting: samples that wait now
    """

    published: int = 0
    dropped: int = 0
    failures: int = 0
    seconds: float = 0.0
    waiting: int = 0

    def add(self, other: 'Counts') -> None:
        """Add others to these."""
        self.published += other.published
        self.dropped += other.dropped
        self.failures += other.failures
        self.seconds += other.seconds
        self.waiting += other.waiting


class Worker:
    """Publishes samples in the order in which they came, in batches.

    :param name: for the log
    """

    def __init__(self, name: str, publisher: base.Publisher) -> None:
        self.name = name
        self._publisher = publisher
        self._counts = Counts()
        self._waiting: collections.deque[sample_set.SampleSet] = (
            collections.deque()
        )
        self._changed = threading.Condition()
        #: When what waits is published, if it is no whole batch by then.
        self._due = 0.0
        self._attempts = 0
        self._pause = 0.0
        self._paused_until = 0.0
        self._end_by: float | None = None
        self._warned: dict[str, float] = {}
        self._thread = threading.Thread(
            target=self._run, name=f'qga-publish-{name}', daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, samples: sample_set.SampleSet) -> None:
        """Hand over the samples of one guest."""
        with self._changed:
            self._waiting.append(samples)
            count = len(self._waiting)
            if count == 1:
                self._due = time.monotonic() + max(GATHER, self._batch_wait)
            # Between these there is nothing to do: it is not woken.
            if count in (1, self._publisher.batch_size):
                self._changed.notify()

    @property
    def _batch_wait(self) -> float:
        batches = self._publisher.batch_size > 1
        return self._publisher.batch_wait if batches else 0.0

    @property
    def waiting(self) -> int:
        """Guests' samples that wait."""
        return len(self._waiting)

    def counts(self) -> Counts:
        """Return what has become of them so far."""
        return dataclasses.replace(self._counts, waiting=len(self._waiting))

    def drop_oldest(self) -> None:
        """Make room, count it, and say so now and then."""
        with self._changed:
            if not self._waiting:
                return
            self._waiting.popleft()
            self._counts.dropped += 1
            if self._may_warn('dropped'):
                LOG.warning(
                    'publisher %(name)s: samples come faster than they are '
                    'taken; %(dropped)d were dropped so far, the oldest '
                    'first. Is it reachable? If it is, raise '
                    '[qga_monitor]interval or leave out collectors',
                    {'name': self.name, 'dropped': self._counts.dropped},
                )

    def end(self, timeout: float) -> None:
        """Take no more, and publish what waits as far as time allows.

        :param timeout: seconds
        """
        with self._changed:
            self._end_by = time.monotonic() + timeout
            self._changed.notify()

    def join(self) -> None:
        """Return when it has ended."""
        self._thread.join()

    def _may_warn(self, about: str) -> bool:
        now = time.monotonic()
        if now - self._warned.get(about, -QUIET) < QUIET:
            return False
        self._warned[about] = now
        return True

    # On the thread, from here on.

    def _run(self) -> None:
        while batch := self._next():
            self._publish(batch)

    def _next(self) -> list[sample_set.SampleSet]:
        """Wait for a batch and take it; none when it is time to end."""
        with self._changed:
            while (patience := self._patience()) is None or patience > 0:
                self._changed.wait(patience)
            now = time.monotonic()
            if self._end_by is not None and (
                self._pause or now > self._end_by
            ):
                self._counts.dropped += len(self._waiting)
                self._waiting.clear()
            size = min(len(self._waiting), self._publisher.batch_size)
            self._due = now + self._batch_wait
            return [self._waiting.popleft() for _ in range(size)]

    def _patience(self) -> float | None:
        """Seconds for which there is nothing to do; None: until there is."""
        if self._end_by is not None:
            return 0.0
        now = time.monotonic()
        if now < self._paused_until:
            return self._paused_until - now
        if not self._waiting:
            return None
        full = len(self._waiting) >= self._publisher.batch_size > 1
        return 0.0 if full or self._pause else self._due - now

    def _publish(self, batch: list[sample_set.SampleSet]) -> None:
        began = time.monotonic()
        try:
            self._publisher.publish(batch)
        except errors.ServiceUnavailable as error:
            self._counts.failures += 1
            self._try_again(batch, error)
        except Exception as error:
            self._counts.failures += 1
            self._lose(batch, error)
        else:
            self._counts.published += len(batch)
            self._attempts = 0
            self._pause = 0.0
        self._counts.seconds += time.monotonic() - began

    def _try_again(
        self, batch: Sequence[sample_set.SampleSet], error: Exception
    ) -> None:
        self._pause = min(max(FIRST_PAUSE, self._pause * 2), LONGEST_PAUSE)
        pause = self._pause * random.uniform(0.75, 1.25)  # noqa: S311
        self._attempts += 1
        with self._changed:
            self._paused_until = time.monotonic() + pause
            if self._attempts < ATTEMPTS:
                self._waiting.extendleft(reversed(batch))
            else:
                self._attempts = 0
                self._counts.dropped += len(batch)
            if self._may_warn('unavailable'):
                LOG.warning(
                    'publisher %s: %s; samples wait, and are sent when it '
                    'is well again',
                    self.name,
                    error,
                )

    def _lose(
        self, batch: Sequence[sample_set.SampleSet], error: Exception
    ) -> None:
        with self._changed:
            self._attempts = 0
            self._pause = 0.0
            self._counts.dropped += len(batch)
            if not self._may_warn(type(error).__name__):
                return
        known = isinstance(error, errors.QgaError)
        LOG.error(
            'publisher %s: %s; the samples of %d guests are lost',
            self.name,
            error,
            len(batch),
            exc_info=None if known else error,
        )
