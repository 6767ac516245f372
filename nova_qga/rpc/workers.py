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


"""Threads that do what was accepted, so many at once, of each guest fewer.

A guest that does not answer holds up its own requests, and no other's.
"""

import collections
from collections.abc import Callable
import threading

from oslo_log import log as logging

from nova_qga import errors

LOG = logging.getLogger(__name__)

#: Requests, and bytes of their arguments, that may wait for a thread.
MOST = 10_000
MOST_BYTES = 256 << 20
#: Those for one guest may take this part of it.
SHARE = 8

Job = Callable[[], None]


class Workers:
    """Threads, started as they are needed.

    :param count: threads
    :param each: of them, how many may work for one guest
    """

    def __init__(self, count: int, each: int) -> None:
        self._count = count
        self._each = each
        self._changed = threading.Condition()
        self._waiting: collections.OrderedDict[
            str, collections.deque[tuple[Job, int]]
        ] = collections.OrderedDict()
        self._active: collections.Counter[str] = collections.Counter()
        self._jobs = 0
        self._bytes = 0
        self._threads = 0
        self._idle = 0
        self._stopped = False

    def check_room(self, uuid: str) -> None:
        """Raise ServiceUnavailable where too much waits already.

        :param uuid: of the guest that one more is for
        """
        with self._changed:
            queue = self._waiting.get(uuid, ())
            size = sum(each for _, each in queue)
            if len(queue) >= MOST // SHARE or size >= MOST_BYTES // SHARE:
                raise errors.ServiceUnavailable(
                    f'{len(queue)} requests wait for this guest already: try '
                    'later, and see whether its agent answers'
                )
            if self._jobs >= MOST or self._bytes >= MOST_BYTES:
                raise errors.ServiceUnavailable(
                    f'{self._jobs} requests wait on this host already: try '
                    'later, and see whether its guests answer'
                )

    def would_wait(self, uuid: str) -> bool:
        """Tell whether a job for a guest would not begin at once."""
        with self._changed:
            return (
                self._stopped
                or bool(self._waiting)
                or self._active[uuid] >= self._each
                or self._active.total() >= self._count
            )

    def submit(self, uuid: str, job: Job, size: int) -> None:
        """Have a job done; what it raises is logged.

        :param uuid: of the guest that it is for
        :param size: bytes that it holds while it waits
        """
        with self._changed:
            queue = self._waiting.setdefault(uuid, collections.deque())
            queue.append((job, size))
            self._jobs += 1
            self._bytes += size
            if not self._idle and self._threads < self._count:
                self._threads += 1
                threading.Thread(
                    target=self._work, name='qga-worker', daemon=True
                ).start()
            self._changed.notify_all()

    def stop(self, timeout: float) -> None:
        """Begin nothing more, and wait for what is under way.

        :param timeout: seconds
        """
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._active, timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self._stopped or self._next())
                self._idle -= 1
                if self._stopped:
                    return
                uuid = self._next()
                job = self._take(uuid)
            try:
                job()
            except Exception:
                # Others wait for this thread.
                LOG.exception('working for guest %s', uuid)
            finally:
                with self._changed:
                    self._active[uuid] -= 1
                    if not self._active[uuid]:
                        del self._active[uuid]
                    self._changed.notify_all()

    def _next(self) -> str:
        """Return the guest whose turn it is; '' where none can be served."""
        for uuid in self._waiting:
            if self._active[uuid] < self._each:
                return uuid
        return ''

    def _take(self, uuid: str) -> Job:
        queue = self._waiting[uuid]
        job, size = queue.popleft()
        if queue:
            # The others first.
            self._waiting.move_to_end(uuid)
        else:
            del self._waiting[uuid]
        self._jobs -= 1
        self._bytes -= size
        self._active[uuid] += 1
        return job
