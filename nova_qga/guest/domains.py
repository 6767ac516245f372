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

"""Keep the directory current by libvirt's domain events.

All domains are listed once for each connection to libvirtd; after that, an
event names the one domain to look at. When libvirtd goes away, what was known
stays, the direct channels go on, and a new connection is tried until one
works.

Source: https://libvirt.org/html/libvirt-libvirt-domain.html (events).
"""

import contextlib
import queue
import threading
from typing import Any

import libvirt
from oslo_log import log as logging

from nova_qga import errors
from nova_qga.guest import description as guest_description
from nova_qga.guest import directory as guest_directory
from nova_qga.guest import events
from nova_qga.transport import loop as channel_loop

LOG = logging.getLogger(__name__)

STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: 'nostate',
    libvirt.VIR_DOMAIN_RUNNING: 'running',
    libvirt.VIR_DOMAIN_BLOCKED: 'running',
    libvirt.VIR_DOMAIN_PAUSED: 'paused',
    libvirt.VIR_DOMAIN_SHUTDOWN: 'shutdown',
    libvirt.VIR_DOMAIN_SHUTOFF: 'shutoff',
    libvirt.VIR_DOMAIN_CRASHED: 'crashed',
    libvirt.VIR_DOMAIN_PMSUSPENDED: 'pmsuspended',
}
#: Seconds between attempts to reach libvirtd.
RETRY = 2.0

#: The second one is for what is no UUID at all.
_NO_SUCH = (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_INVALID_ARG)
_LOST = object()
_STOP = object()


class Domains:
    """libvirt's domains, watched on a thread of its own.

    :param uri: libvirt's URI
    :param directory: what is kept current
    :param loop: the thread on which the directory is changed
    """

    def __init__(
        self,
        uri: str,
        directory: guest_directory.Directory,
        loop: channel_loop.Loop,
    ) -> None:
        self._uri = uri
        self._directory = directory
        self._loop = loop
        self._connection: libvirt.virConnect | None = None
        self._callbacks: list[int] = []
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        #: Held from a look at libvirt until the directory has been handed
        #: what was seen: nobody may overtake with something older.
        self._looking = threading.Lock()
        self._thread = threading.Thread(
            target=self._watch, name='qga-domains', daemon=True
        )

    def start(self) -> None:
        """Connect, list all guests, and go on watching.

        Without libvirtd it returns all the same, and goes on trying.
        """
        events.start()
        try:
            self._connect()
        except libvirt.libvirtError as error:
            LOG.error(
                'libvirt at %(uri)s does not answer: %(error)s. No guest is '
                'known until it does; trying every %(retry)s s.',
                {'uri': self._uri, 'error': error, 'retry': RETRY},
            )
        self._thread.start()

    def stop(self) -> None:
        """Stop watching, and close the connection."""
        self._events.put(_STOP)
        self._thread.join(timeout=1.0)
        self._disconnect()

    def check(self) -> None:
        """Raise ServiceUnavailable while libvirtd is away."""
        if self._connection is None:
            raise errors.ServiceUnavailable(
                f'libvirt at {self._uri} does not answer: start libvirtd, or '
                'correct [qga_agent]libvirt_uri'
            )

    def refresh(self, uuid: str) -> None:
        """Ask libvirt about one guest, and wait until the directory knows.

        An open port shows only in the XML; there is no event for ours.

        :raises ServiceUnavailable: libvirtd is away
        """
        self.check()
        try:
            self._look_at(uuid)
        except libvirt.libvirtError as error:
            raise errors.ServiceUnavailable(f'libvirt: {error}') from None
        self._settle()

    def _connect(self) -> None:
        connection = libvirt.open(self._uri)
        with self._looking:
            self._connection = connection
            try:
                self._begin(connection)
            except BaseException:
                self._disconnect()
                raise
        self._settle()

    def _begin(self, connection: libvirt.virConnect) -> None:
        connection.registerCloseCallback(self._on_close, None)
        try:
            connection.setKeepAlive(5, 3)
        except libvirt.libvirtError:
            LOG.debug('%s needs no keepalive', self._uri)
        self._callbacks = events.register(connection, self._events.put)
        listing = []
        for domain in connection.listAllDomains(0):
            try:
                described = _described(domain)
            except errors.QgaError as error:
                LOG.warning('guest %s: %s', domain.name(), error)
                continue
            if described is not None:
                listing.append(described)
        self._loop.call(self._directory.replace, listing)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        # Of a connection that is dead already, some of it fails.
        ignore = contextlib.suppress(libvirt.libvirtError)
        with ignore:
            connection.unregisterCloseCallback()
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            with ignore:
                connection.domainEventDeregisterAny(callback)
        with ignore:
            connection.close()

    def _on_close(self, *_: Any) -> None:
        self._events.put(_LOST)

    def _watch(self) -> None:
        while True:
            if self._connection is None:
                event = self._reconnect()
            else:
                event = self._events.get()
            if event is _STOP:
                return
            if event is _LOST:
                LOG.warning('libvirt at %s went away', self._uri)
                self._disconnect()
            elif event is not None:
                self._handle(event)

    def _reconnect(self) -> Any:
        try:
            event = self._events.get(timeout=RETRY)
        except queue.Empty:
            event = None
        if event is not _STOP:
            try:
                self._connect()
                LOG.info('libvirt at %s is back', self._uri)
            except (libvirt.libvirtError, errors.QgaError) as error:
                LOG.debug('libvirt at %s: %s', self._uri, error)
            return None
        return event

    def _handle(self, event: events.Event) -> None:
        try:
            self._look_at(event.uuid)
        except (libvirt.libvirtError, errors.QgaError) as error:
            LOG.warning('guest %s: %s', event.uuid, error)
        except Exception:
            # Whatever it is, the other guests are still watched.
            LOG.exception('looking at guest %s', event.uuid)
        if event.new_agent:
            self._loop.call(self._restarted, event.uuid)

    def _look_at(self, uuid: str) -> None:
        with self._looking:
            connection = self._connection
            if connection is None:
                return
            described = None
            try:
                described = _described(connection.lookupByUUIDString(uuid))
            except libvirt.libvirtError as error:
                if error.get_error_code() not in _NO_SUCH:
                    raise
            if described is None:
                self._loop.call(self._directory.remove, uuid)
            else:
                self._loop.call(self._directory.update, *described)

    def _restarted(self, uuid: str) -> None:
        if self._directory.knows(uuid):
            self._directory.get(uuid).restarted()

    def _settle(self) -> None:
        """Wait until the loop has done what it was handed so far."""
        done = threading.Event()
        self._loop.call(done.set)
        done.wait(timeout=10.0)


def _described(
    domain: libvirt.virDomain,
) -> tuple[guest_description.Description, str] | None:
    """Describe a domain; None if it has gone in the meantime."""
    try:
        state = STATES.get(domain.state()[0], 'nostate')
        return guest_description.parse(domain.XMLDesc(0)), state
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
        return None
