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

"""The one thread that owns all direct channels, and their deadlines.

Everything that touches a channel runs on this thread; other threads hand
work over with :meth:`Loop.call`. One sweep looks at all deadlines, instead of
a timer for each command.
"""

import asyncio
from collections.abc import Callable
import threading
import time
from typing import Any, Protocol

from nova_qga.transport import interpreter

#: Seconds between two looks at the deadlines.
SWEEP = 0.1
#: Bytes taken from a socket at once.
READ_SIZE = 64 * 1024


class Expiring(Protocol):
    """What the sweep looks at."""

    @property
    def deadline(self) -> float:
        """When to call :meth:`expire`; monotonic clock."""

    def expire(self) -> None:
        """Called soon after the deadline, with no promise that it stands.

        What was late may just have ended: look again.
        """


class Loop:
    """An asyncio loop on a daemon thread of its own.

    :ivar asyncio: the loop; use it on its own thread only
    :ivar read_buffer: where sockets are read into. One is enough: whoever
        reads has taken the bytes out before the loop goes on.
    """

    def __init__(self) -> None:
        self.asyncio = asyncio.new_event_loop()
        self.read_buffer = memoryview(bytearray(READ_SIZE))
        self._watched: set[Expiring] = set()
        self._sweeping = False
        self._thread = threading.Thread(
            target=self._run, name='qga-channels', daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        interpreter.prepare()
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; what is under way is dropped."""
        if self._thread.is_alive():
            # A socket that is aborted now is closed in the turn after this.
            self.call(self.asyncio.call_soon, self.asyncio.stop)
            self._thread.join()
        if not self.asyncio.is_closed():
            self.asyncio.close()

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Run ``function`` on the loop's thread, soon."""
        self.asyncio.call_soon_threadsafe(function, *args)

    def watch(self, expiring: Expiring) -> None:
        """Look after a deadline (on the loop's thread)."""
        self._watched.add(expiring)
        if not self._sweeping:
            self._sweeping = True
            self.asyncio.call_later(SWEEP, self._sweep)

    def forget(self, expiring: Expiring) -> None:
        """Look after it no more (on the loop's thread)."""
        self._watched.discard(expiring)

    def _run(self) -> None:
        asyncio.set_event_loop(self.asyncio)
        self.asyncio.run_forever()

    def _sweep(self) -> None:
        self._sweeping = bool(self._watched)
        if not self._sweeping:
            return
        # First, for no fault of one guest's may end the sweep for all.
        self.asyncio.call_later(SWEEP, self._sweep)
        now = time.monotonic()
        for each in [each for each in self._watched if each.deadline <= now]:
            self.asyncio.call_soon(each.expire)
