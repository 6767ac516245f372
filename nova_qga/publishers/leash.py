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

"""A time limit for all that happens on a connection.

A socket's own limit is for each read: who sends a byte now and then is never
over it. So when the time is up, the connection is shut down by a second
handle on it, and whatever waits on the first one fails at once. It cannot cut
what happens before there is a connection, as the look-up of a name.
"""

from collections.abc import Iterator
import contextlib
import socket
import threading


class Leash:
    """Holds the one connection of a thread.

    :ivar cut: whether the last time was up
    """

    def __init__(self) -> None:
        self.cut = False
        self._handle: socket.socket | None = None
        self._running = False
        self._lock = threading.Lock()

    def hold(self, connection: socket.socket) -> None:
        """Take a new connection in the place of the one that was held."""
        with self._lock:
            self._let_go()
            self._handle = connection.dup()
            if self.cut:
                self._shut_down()

    def let_go(self) -> None:
        """Hold nothing more."""
        with self._lock:
            self._let_go()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Cut what is held, or is held meanwhile, when the time is up."""
        with self._lock:
            self.cut = False
            self._running = True
        timer = threading.Timer(seconds, self._time_is_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            with self._lock:
                self._running = False
            timer.cancel()
            timer.join()

    def _time_is_up(self) -> None:
        with self._lock:
            if self._running:
                self.cut = True
                self._shut_down()

    def _shut_down(self) -> None:
        if self._handle is not None:
            # It may have been closed by the other side.
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None
