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

"""The standard channel of one guest: what is asked when, over libvirt."""

from collections.abc import Callable
import time
from typing import Any

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.transport import backoff
from nova_qga.transport import libvirt_agent
from nova_qga.transport import loop as channel_loop
from nova_qga.transport import request

LOG = logging.getLogger(__name__)


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
        '_backoff',
        '_contacted',
        '_current',
        '_loop',
        '_on_contact',
        '_queue',
        '_uuid',
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
        self._queue: list[request.Request] = []
        self._current: request.Request | None = None
        self._backoff = backoff.Backoff()
        self._contacted = False

    @property
    def contacted(self) -> bool:
        """An agent has answered, and nothing has failed since."""
        return self._contacted

    @property
    def failing(self) -> bool:
        """The last attempt failed, and no agent has answered since."""
        return self._backoff.failures > 0

    def submit(self, asked: request.Request) -> None:
        """Queue a request; ``asked.done`` is told once how it ends."""
        if asked.urgent:
            self._queue.insert(0, asked)
        elif self._backoff.waits(time.monotonic()):
            asked.done(None, backoff.left_alone())
            return
        else:
            self._queue.append(asked)
        self._advance()

    def close(self, reason: errors.QgaError) -> None:
        """End what waits; what is under way in libvirt ends by itself."""
        queued, self._queue = self._queue, []
        for asked in queued:
            asked.done(None, reason)

    def _advance(self) -> None:
        if self._current is not None or not self._queue:
            return
        asked = self._current = self._queue.pop(0)
        threads = self._agents.urgent if asked.urgent else self._agents.routine
        try:
            threads.submit(self._ask, asked)
        except RuntimeError:  # shut down: we are stopping
            self._end(None, errors.ServiceUnavailable('nova-qga stops'))

    def _ask(self, asked: request.Request) -> None:
        """Run on a thread of the pool."""
        try:
            if asked.deadline <= time.monotonic():
                raise errors.ChannelTimeout('no time was left')
            replies = self._agents.ask(self._uuid, asked.batch, asked.deadline)
        except errors.QgaError as error:
            self._loop.call(self._end, None, error)
        except Exception:
            # Whoever asked must be told, whatever happened here.
            LOG.exception('asking guest %s through libvirt', self._uuid)
            failed = errors.QgaError('nova-qga failed: see its log')
            self._loop.call(self._end, None, failed)
        else:
            self._loop.call(self._end, replies, None)

    def _end(
        self, replies: list[Any] | None, error: errors.QgaError | None
    ) -> None:
        asked, self._current = self._current, None
        if error is not None:
            self._contacted = False
            self._backoff.failed(time.monotonic())
        else:
            self._backoff.succeeded()
            if not self._contacted:
                self._contacted = True
                self._on_contact()
        if asked is not None:
            asked.done(replies, error)
        self._advance()
