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

"""The direct channel of one guest: what is asked when, what a failure ends.

The channel connects by itself, keeps the connection, and runs one request at
a time. It sends nothing but a sync until the agent has answered on this very
connection: bytes written while no agent listens are run later.

Source: docs/interop/qemu-ga.rst of QEMU 7.2.
"""

import asyncio
from collections.abc import Callable
import math
import time
from typing import Any

from nova_qga import errors
from nova_qga.transport import breaker
from nova_qga.transport import connection
from nova_qga.transport import loop as channel_loop
from nova_qga.transport import phase
from nova_qga.transport import request
from nova_qga.transport import waiting


class Channel:
    """The direct channel of one guest.

    All methods are called on the loop's thread.

    :param name: of the port in the guest
    :param path: the socket, as in the live domain XML
    :param loop: the thread that all channels share
    :param on_contact: called when an agent answers on a new connection
    :param sync_timeout: seconds for an agent to answer a sync alone
    """

    __slots__ = (
        '_breaker',
        '_connection',
        '_contacted',
        '_current',
        '_due',
        '_ended',
        '_loop',
        '_on_contact',
        '_opening',
        '_phase',
        '_queue',
        '_recovery',
        '_sync_timeout',
        'name',
        'path',
        'spent',
    )

    kind = 'direct'

    def __init__(
        self,
        name: str,
        path: str,
        loop: channel_loop.Loop,
        on_contact: Callable[[], None],
        sync_timeout: float = 5.0,
    ) -> None:
        self.name = name
        self.path = path
        self._loop = loop
        self._sync_timeout = sync_timeout
        self._on_contact = on_contact
        self._queue = waiting.Queue()
        self._current: request.Request | None = None
        #: Deadline of what is under way; monotonic clock.
        self._due = math.inf
        self._phase = phase.Phase.CLOSED
        self._connection: connection.Connection | None = None
        self._opening: asyncio.Task[Any] | None = None
        self._breaker = breaker.Breaker()
        self._recovery: asyncio.TimerHandle | None = None
        self._contacted = False
        self.spent = 0.0
        self._ended: errors.QgaError | None = None

    @property
    def deadline(self) -> float:
        """When to call :meth:`expire`; monotonic clock."""
        return min(self._due, self._queue.deadline)

    @property
    def contacted(self) -> bool:
        """An agent has answered on the connection that is open."""
        return self._contacted

    @property
    def failing(self) -> breaker.Fault | None:
        """Why the last attempt failed, if no agent has answered since."""
        return self._breaker.fault

    @property
    def state(self) -> breaker.State:
        """Whether the guest is asked now."""
        return self._breaker.state(time.monotonic())

    def submit(self, asked: request.Request) -> None:
        """Queue a request; ``asked`` is told once how it ends."""
        if self._ended is not None:
            # The path may be another guest's by now.
            asked.tell(None, self._ended)
        elif not asked.urgent and self._breaker.waits(time.monotonic()):
            asked.tell(None, breaker.left_alone())
        else:
            self._queue.put(asked)
            self._advance()

    def retry(self) -> None:
        """End a pause, with a sync alone."""
        if self._breaker.fault is not None:
            self._come_back(self._breaker.rearm(time.monotonic()))

    def close(self, reason: errors.QgaError) -> None:
        """Close for good: the guest is gone, or we are."""
        self._ended = reason
        if self._recovery is not None:
            self._recovery.cancel()
        self._drop(reason, keep_urgent=False)

    def expire(self) -> None:
        """Give up what is late."""
        now = time.monotonic()
        for asked in self._queue.take_overdue(now):
            asked.tell(None, request.no_time())
        if self._due <= now:
            self._fail(
                errors.ChannelTimeout(
                    'the guest agent did not answer in time: it is not '
                    'running, it is busy, or another client holds the channel'
                )
            )

    # The connection calls these three.

    def opened(self, opened: connection.Connection) -> None:
        """Start with a sync alone: nobody knows who listens."""
        self._begin(phase.Phase.SYNCING, opened, opened.session.sync())

    def answered(
        self, answered: connection.Connection, replies: list[Any]
    ) -> None:
        """Go on: after a sync with the command, after that with the next."""
        if self._phase is phase.Phase.SYNCING:
            self._synced(answered)
            return
        asked, self._current = self._current, None
        self._rest()
        if asked is not None:
            asked.tell(replies, None)
        self._advance()

    def broken(
        self, broken: connection.Connection, error: errors.QgaError
    ) -> None:
        """End the connection and what was asked on it."""
        self._fail(error)

    # What is under way, from here on.

    def _begin(
        self, began: phase.Phase, current: connection.Connection, data: bytes
    ) -> None:
        self._phase = began
        asked = self._current
        self._due = math.inf if asked is None else asked.deadline
        alone = asked is None or not asked.batch.commands
        if alone or began is phase.Phase.SYNCING:
            # Nothing but a sync is out.
            patience = time.monotonic() + self._sync_timeout
            self._due = min(self._due, patience)
        self._loop.watch(self)
        current.write(data)

    def _rest(self) -> None:
        self._phase = phase.Phase.READY
        self._due = math.inf
        self._loop.forget(self)

    def _advance(self) -> None:
        while self._queue and self._phase in phase.IDLE:
            if self._connection is None:
                self._connect()
                continue
            asked = self._queue.take()
            if asked.deadline <= time.monotonic():
                asked.tell(None, request.no_time())
                continue
            self._current = asked
            current = self._connection
            if asked.batch.has_effect:
                self._begin(
                    phase.Phase.SYNCING, current, current.session.sync()
                )
            else:
                data = current.session.sync(asked.batch)
                self._begin(phase.Phase.BATCH, current, data)

    def _synced(self, synced: connection.Connection) -> None:
        self._opening = None  # a kibibyte for each guest, and long done
        self._breaker.succeeded()
        self._rest()
        if not self._contacted:
            self._contacted = True
            self._on_contact()
        asked = self._current
        if asked is None:
            self._advance()
            return
        if asked.deadline <= time.monotonic():
            self._current = None
            asked.tell(None, request.no_time())
            self._advance()
            return
        try:
            data = synced.session.send(asked.batch.commands[0])
        except errors.ProtocolError as error:
            self._fail(error)
            return
        self._begin(phase.Phase.COMMAND, synced, data)

    def _connect(self) -> None:
        try:
            client = connection.connect(self.path)
        except errors.ChannelError as error:
            pause = self._breaker.failed(time.monotonic(), error)
            self._come_back(pause)
            self._drop(error, keep_urgent=False)
            return
        current = connection.Connection(self._loop, self)
        self._connection = current
        self._phase = phase.Phase.CONNECTING
        self._due = time.monotonic() + self._sync_timeout
        self._loop.watch(self)
        self._opening = self._loop.asyncio.create_task(
            self._loop.asyncio.create_unix_connection(
                lambda: current, sock=client
            )
        )

    def _fail(self, error: errors.QgaError) -> None:
        pause = self._breaker.failed(time.monotonic(), error)
        # After a fault in service an urgent request gets a new connection;
        # where even a sync fails, it would only wait.
        self._drop(error, keep_urgent=self._phase in phase.SERVING)
        # An agent with an answer that nobody fetches spins at a full CPU.
        # So come back soon, with a sync alone that takes it.
        if not isinstance(error, errors.ChannelClosed):
            self._come_back(pause)
        self._advance()

    def _come_back(self, pause: float) -> None:
        if self._recovery is not None:
            self._recovery.cancel()
        if self._ended is None:
            self._recovery = self._loop.asyncio.call_later(
                pause, self._recover
            )

    def _recover(self) -> None:
        self._recovery = None
        if self._connection is None:
            self._connect()

    def _drop(self, error: errors.QgaError, keep_urgent: bool) -> None:
        sent = self._phase is phase.Phase.COMMAND
        self._phase = phase.Phase.CLOSED
        self._due = math.inf
        self._contacted = False
        self._loop.forget(self)
        dropped, self._connection = self._connection, None
        if dropped is not None:
            dropped.abort()
        queued = self._queue.take_all()
        kept = [each for each in queued if keep_urgent and each.urgent]
        for asked in kept:
            self._queue.put(asked)
        failed, self._current = self._current, None
        if failed is not None:
            failed.tell(None, request.unknown(error) if sent else error)
        for asked in queued[len(kept) :]:  # the urgent ones stand first
            asked.tell(None, error)
