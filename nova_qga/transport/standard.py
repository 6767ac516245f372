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

"""The standard channel of one guest: what is asked when, over libvirt.

A hung guest holds a thread for as long as it was allowed. So after a failure,
sampling first asks for a sync alone, of the least that libvirt can count, and
does so on a thread that only failing guests share. What somebody waits for is
tried at once, on threads of its own.
"""

from collections.abc import Callable
from concurrent import futures
import math
import time
from typing import Any

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.transport import breaker
from nova_qga.transport import libvirt_agent
from nova_qga.transport import loop as channel_loop
from nova_qga.transport import request
from nova_qga.transport import waiting

LOG = logging.getLogger(__name__)

#: Seconds for a sync after a failure. libvirt takes up to 5 s before it, where
#: it must sync by itself.
PROBE = 1.0


class Channel:
    """One guest's ``org.qemu.guest_agent.0``, one request at a time.

    All methods are called on the loop's thread; libvirt's calls are made on
    the threads of ``agents``.

    :param uuid: of the domain
    :param on_contact: called when an agent answers after a failure, or for
        the first time
    """

    __slots__ = (
        '_agents',
        '_breaker',
        '_call',
        '_contacted',
        '_current',
        '_due',
        '_ended',
        '_loop',
        '_on_contact',
        '_queue',
        '_uuid',
        'spent',
    )

    kind = 'standard'
    name = 'org.qemu.guest_agent.0'

    def __init__(
        self,
        uuid: str,
        loop: channel_loop.Loop,
        agents: libvirt_agent.LibvirtAgents,
        on_contact: Callable[[], None],
    ) -> None:
        self._uuid = uuid
        self._loop = loop
        self._agents = agents
        self._on_contact = on_contact
        self._queue = waiting.Queue()
        self._current: request.Request | None = None
        self._call: futures.Future[None] | None = None
        #: When to give up waiting for a thread; monotonic clock.
        self._due = math.inf
        self._breaker = breaker.Breaker()
        self._contacted = False
        self.spent = 0.0
        self._ended: errors.QgaError | None = None

    @property
    def deadline(self) -> float:
        """When to call :meth:`expire`; monotonic clock."""
        return min(self._due, self._queue.deadline)

    @property
    def contacted(self) -> bool:
        """An agent has answered, and nothing has failed since."""
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
            asked.tell(None, self._ended)
        elif not asked.urgent and self._breaker.waits(time.monotonic()):
            asked.tell(None, breaker.left_alone())
        else:
            self._queue.put(asked)
            if asked.urgent:
                self._give_way()
            self._advance()

    def retry(self) -> None:
        """End a pause: the next request begins with a sync alone."""
        self._breaker.rearm(time.monotonic())

    def close(self, reason: errors.QgaError) -> None:
        """End what waits; what is under way in libvirt ends by itself."""
        self._ended = reason
        for asked in self._queue.take_all():
            asked.tell(None, reason)
        self._withdraw(reason)

    def expire(self) -> None:
        """Give up what is late and has not been sent.

        A call of libvirt's keeps its deadline by itself.
        """
        now = time.monotonic()
        for asked in self._queue.take_overdue(now):
            asked.tell(None, request.no_time())
        if self._due <= now:
            self._due = math.inf
            self._withdraw(request.no_time())

    def _give_way(self) -> None:
        """Let sampling that waits for a thread wait in the queue again.

        Failing guests wait long for theirs.
        """
        current = self._current
        if current is None or current.urgent:
            return
        if self._call is not None and self._call.cancel():
            self._current = self._call = None
            self._due = math.inf
            self._queue.put(current)

    def _withdraw(self, reason: errors.QgaError) -> None:
        """End what no thread has begun with."""
        if self._call is not None and self._call.cancel():
            self._end(None, reason, tried=False)

    def _advance(self) -> None:
        if self._current is not None:
            return
        if not self._queue:
            self._loop.forget(self)
            return
        asked = self._current = self._queue.take()
        self._due = asked.deadline
        self._loop.watch(self)
        probe = self.failing is not None and not asked.urgent
        if asked.urgent:
            threads = self._agents.urgent
        elif probe:
            threads = self._agents.failing
        else:
            threads = self._agents.routine
        try:
            self._call = threads.submit(self._ask, asked, probe)
        except RuntimeError:  # shut down: we are stopping
            stops = errors.ServiceUnavailable('nova-qga stops')
            self._end(None, stops, tried=False)

    def _ask(self, asked: request.Request, probe: bool) -> None:
        """Run on a thread of the pool.

        :param probe: make sure that the agent answers at all first
        """
        if asked.deadline <= time.monotonic():
            self._loop.call(self._end, None, request.no_time(), False)
            return
        began = time.thread_time()
        try:
            if probe:
                soon = min(asked.deadline, time.monotonic() + PROBE)
                self._agents.ask(self._uuid, command.Batch(()), soon)
            replies = self._agents.ask(self._uuid, asked.batch, asked.deadline)
            self.spent += time.thread_time() - began
        except errors.QgaError as error:
            self._loop.call(self._end, None, error)
        except Exception:
            # Whoever asked must be told, whatever happened here.
            LOG.exception('asking guest %s through libvirt', self._uuid)
            text = 'nova-qga failed: see its log'
            failed = errors.QgaError(text)
            if asked.batch.has_effect:
                failed = errors.OutcomeUnknown(text)
            self._loop.call(self._end, None, failed)
        else:
            self._loop.call(self._end, replies, None)

    def _end(
        self,
        replies: list[Any] | None,
        error: errors.QgaError | None,
        tried: bool = True,
    ) -> None:
        """Tell the outcome, and go on.

        :param tried: the guest was asked, so that the outcome is its own
        """
        asked, self._current = self._current, None
        self._call = None
        self._due = math.inf
        if error is None:
            self._breaker.succeeded()
            if not self._contacted:
                self._contacted = True
                self._on_contact()
        elif tried:
            self._contacted = False
            self._breaker.failed(time.monotonic(), error)
        if asked is not None:
            asked.tell(replies, error)
        self._advance()
