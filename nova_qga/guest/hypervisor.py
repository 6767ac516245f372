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

"""What the hypervisor knows of guests, asked for all of them in one call.

libvirt's calls are made on a thread and a connection of their own: a libvirtd
that hangs holds up that thread alone, and who asked is told in time that
nothing is known. Guests that nobody asks for are not read.

Source: https://libvirt.org/html/libvirt-libvirt-domain.html
(virConnectGetAllDomainStats).
"""

from collections.abc import Callable, Mapping, Set
import contextlib
import queue
import threading
import time

import libvirt
from oslo_log import log as logging

from nova_qga.guest import figures
from nova_qga import text
from nova_qga.transport import loop as channel_loop

LOG = logging.getLogger(__name__)

#: Seconds between two calls, at least.
SPACING = 2.0
#: Seconds that somebody waits.
PATIENCE = 5.0
#: Who has asked is read in all calls for so many times the age that it takes:
#: who asks once in a period is served by the calls that others cause.
KEEP = 2.0

STATS = (
    libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
    | libvirt.VIR_DOMAIN_STATS_BALLOON
    | libvirt.VIR_DOMAIN_STATS_VCPU
    | libvirt.VIR_DOMAIN_STATS_INTERFACE
    | libvirt.VIR_DOMAIN_STATS_BLOCK
)
# A domain that is busy with a job is told of as far as that goes.
FLAGS = (
    libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
    | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
)

Known = Mapping[str, figures.Figures]
Done = Callable[[figures.Figures | None], None]


class Hypervisor:
    """libvirt's statistics of this host's guests.

    :param uri: libvirt's URI
    :param loop: where who asked is told
    :ivar calls: to libvirt, so far
    """

    def __init__(self, uri: str, loop: channel_loop.Loop) -> None:
        self.calls = 0
        self._uri = uri
        self._loop = loop
        self._known: Known = {}
        #: When these were asked for, and when the last call was begun;
        #: monotonic clock.
        self._known_since = self._began = -SPACING
        self._asking = False
        self._waiting: list[tuple[str, Done]] = []
        #: UUID -> until when it is read in each call; monotonic clock.
        self._wanted: dict[str, float] = {}
        self._asked_for: frozenset[str] = frozenset()
        self._work: queue.SimpleQueue[frozenset[str] | None] = (
            queue.SimpleQueue()
        )
        self._connection: libvirt.virConnect | None = None
        self._fault = ''
        self._thread = threading.Thread(
            target=self._serve, name='qga-hypervisor', daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, soon; wait for nothing."""
        self._work.put(None)

    # On the loop's thread, from here on.

    def ask(self, uuid: str, max_age: float, done: Done) -> None:
        """Tell what is known of a guest, at once or within ``PATIENCE``.

        :param max_age: seconds that it may be old
        :param done: told None where nothing is known
        """
        now = time.monotonic()
        until = now + max_age * KEEP
        self._wanted[uuid] = max(until, self._wanted.get(uuid, until))
        if uuid in self._known and now - self._known_since < max_age:
            done(self._known[uuid])
        elif self._asking and now - self._began > PATIENCE:
            done(None)  # libvirtd hangs
        else:
            self._waiting.append((uuid, done))
            if len(self._waiting) == 1 and not self._asking:
                self._begin_soon()

    def _begin_soon(self) -> None:
        pause = max(0.0, self._began + SPACING - time.monotonic())
        self._loop.asyncio.call_later(pause, self._begin)

    def _begin(self) -> None:
        self._began = now = time.monotonic()
        waiting = {uuid for uuid, _ in self._waiting}
        self._wanted = {
            uuid: until
            for uuid, until in self._wanted.items()
            if until > now or uuid in waiting
        }
        self._asked_for = frozenset(self._wanted)
        self._asking = True
        self.calls += 1
        self._loop.asyncio.call_later(PATIENCE, self._give_up, self.calls)
        self._work.put(self._asked_for)

    def _give_up(self, call: int) -> None:
        if self._asking and call == self.calls:
            self._tell({}, {uuid for uuid, _ in self._waiting})

    def _answered(self, known: Known | None) -> None:
        self._asking = False
        self._known, self._known_since = known or {}, self._began
        # Who came while libvirt was asked for others waits on.
        self._tell(self._known, self._asked_for)
        if self._waiting:
            self._begin_soon()

    def _tell(self, known: Known, uuids: Set[str]) -> None:
        """Tell all that wait for one of these guests."""
        waiting, self._waiting = self._waiting, []
        for uuid, done in waiting:
            if uuid in uuids:
                done(known.get(uuid))
            else:
                self._waiting.append((uuid, done))

    # On the thread, from here on.

    def _serve(self) -> None:
        while (wanted := self._work.get()) is not None:
            known = None
            try:
                known = self._fetch(wanted)
            except libvirt.libvirtError as error:
                self._lose(text.printable(str(error)))
            except Exception as error:
                LOG.exception('reading the figures of guests')
                self._lose(type(error).__name__)
            self._loop.call(self._answered, known)
        self._lose('')

    def _fetch(self, wanted: Set[str]) -> Known:
        if self._connection is None:
            self._connection = libvirt.open(self._uri)
            # A driver inside this process needs none.
            with contextlib.suppress(libvirt.libvirtError):
                self._connection.setKeepAlive(5, 3)
        taken = time.time()
        found = self._connection.getAllDomainStats(STATS, FLAGS)
        known = {}
        for domain, stats in found:
            uuid = domain.UUIDString()
            if uuid in wanted:
                known[uuid] = figures.read(stats, taken)
        self._fault = ''
        return known

    def _lose(self, fault: str) -> None:
        if fault and fault != self._fault:
            LOG.warning(
                'libvirt at %(uri)s gives no figures of guests: %(fault)s. '
                'What their agents do not tell is not known until it does.',
                {'uri': self._uri, 'fault': fault},
            )
        self._fault = fault
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(libvirt.libvirtError):
                connection.close()
