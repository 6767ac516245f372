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

"""One publisher with its threads: one for each way that samples go.

What waits is bounded for the publisher as a whole: where it is too much, the
oldest of the longest queue is dropped.
"""

import threading

from nova_qga.collectors import sample_set
from nova_qga.publishers import base
from nova_qga.publishers import worker

#: Guests' samples that may wait; those of one guest are about 10 KiB.
MAX_SAMPLES = 2000


class Outlet:
    """Publishes what it is given, and lets nobody wait.

    :param name: of the publisher
    :ivar publisher: closed with it
    """

    def __init__(
        self, name: str, publisher: base.Publisher, most: int = MAX_SAMPLES
    ) -> None:
        self.publisher = publisher
        self._name = name
        self._most = most
        self._workers: dict[str, worker.Worker] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._lost = 0

    def put(self, samples: sample_set.SampleSet) -> None:
        """Hand over the samples of one guest."""
        route = self._route(samples)
        if route is None:
            return
        with self._lock:
            if self._closed:
                return
            known = self._workers.get(route) or self._open(route)
            known.put(samples)
            self._make_room()

    def _route(self, samples: sample_set.SampleSet) -> str | None:
        try:
            return self.publisher.route(samples)
        except Exception:
            # It is not on a thread of its own yet.
            if not self._lost:
                worker.LOG.exception('publisher %s has no route', self._name)
            self._lost += 1
            return None

    def _make_room(self) -> None:
        workers = self._workers.values()
        while sum(each.waiting for each in workers) > self._most:
            max(workers, key=lambda each: each.waiting).drop_oldest()

    def _open(self, route: str) -> worker.Worker:
        name = f'{self._name} to {route}' if route else self._name
        made = worker.Worker(name, self.publisher)
        made.start()
        # Not changed in place: others count meanwhile.
        self._workers = {**self._workers, route: made}
        return made

    def counts(self) -> worker.Counts:
        """Return what has become of guests' samples so far; on any thread."""
        total = worker.Counts(dropped=self._lost, failures=self._lost)
        for each in self._workers.values():
            total.add(each.counts())
        return total

    def close(self, timeout: float) -> threading.Thread:
        """Publish what waits as far as time allows, and end.

        :param timeout: seconds
        :returns: the thread that does it; it ends when all has ended, which
            may be never where a publisher hangs
        """
        with self._lock:
            self._closed = True
        workers = self._workers.values()
        for each in workers:
            each.end(timeout)

        def finish() -> None:
            for each in workers:
                each.join()
            _close(self._name, self.publisher)

        thread = threading.Thread(
            target=finish, name=f'qga-close-{self._name}', daemon=True
        )
        thread.start()
        return thread


def _close(name: str, publisher: base.Publisher) -> None:
    try:
        publisher.close()
    except Exception:
        worker.LOG.exception('publisher %s does not close', name)
