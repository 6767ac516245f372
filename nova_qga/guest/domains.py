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

All of libvirt's calls are made on one thread: a libvirtd that hangs holds up
that one alone. Whoever waits for it waits for a bounded time.

Source: https://libvirt.org/html/libvirt-libvirt-domain.html (events).
"""

from concurrent import futures
import contextlib
import queue
import threading
from typing import Any, NamedTuple

import libvirt
from oslo_log import log as logging

from nova_qga import errors
from nova_qga.guest import directory as guest_directory
from nova_qga.guest import events
from nova_qga.guest import looks
from nova_qga import text
from nova_qga.transport import loop as channel_loop

LOG = logging.getLogger(__name__)

#: Seconds between attempts to reach libvirtd.
RETRY = 2.0
#: Seconds for which a start waits for the listing, and a request for a look
#: at one guest.
FIRST = 5.0
PATIENCE = 1.5

_LOST = object()
_STOP = object()


class _Asked(NamedTuple):
    """Somebody waits for a look at a guest."""

    uuid: str
    answer: futures.Future[None]


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
        #: Set after the first attempt to list the guests.
        self._tried = threading.Event()
        #: Why there is no connection.
        self._reason = 'it has not answered yet'
        #: The last look for which somebody waited in vain.
        self._late: futures.Future[None] | None = None
        self._looks = looks.Looks(directory)
        self._thread = threading.Thread(
            target=self._watch, name='qga-domains', daemon=True
        )

    def start(self) -> None:
        """Connect, list all guests, and go on watching.

        Without libvirtd it returns all the same, soon, and goes on trying.
        """
        events.start()
        self._thread.start()
        if not self._tried.wait(FIRST):
            self._complain()

    def stop(self) -> None:
        """Stop watching, and close the connection, unless libvirtd hangs."""
        self._events.put(_STOP)
        self._thread.join(timeout=1.0)

    def check(self) -> None:
        """Raise ServiceUnavailable while libvirtd is away, or hangs."""
        if self._connection is None:
            raise self._away()
        late = self._late
        if late is not None and not late.done():
            raise errors.ServiceUnavailable(
                f'libvirt at {self._uri} has stopped answering: try later, '
                'and restart libvirtd if it hangs'
            )

    def refresh(self, uuid: str) -> None:
        """Ask libvirt about one guest, and wait until the directory knows.

        An open port shows only in the XML; there is no event for ours.

        :raises ServiceUnavailable: libvirtd is away, or does not answer soon
        """
        self.check()
        asked = _Asked(uuid, futures.Future())
        self._events.put(asked)
        try:
            asked.answer.result(PATIENCE)
        except futures.TimeoutError:
            self._late = asked.answer
            raise errors.ServiceUnavailable(
                f'libvirt at {self._uri} does not answer within {PATIENCE} s: '
                'try later, and restart libvirtd if it hangs'
            ) from None
        self._settle()

    def look_again(self, uuid: str) -> None:
        """Look at a guest soon; wait for nothing."""
        # What a libvirtd that hangs will never see need not queue up.
        with contextlib.suppress(errors.ServiceUnavailable):
            self.check()
            self._events.put(events.Event(uuid, False))

    def _away(self) -> errors.ServiceUnavailable:
        return errors.ServiceUnavailable(
            f'libvirt at {self._uri} cannot be used ({self._reason}): '
            'start libvirtd if it does not run, correct '
            '[qga_agent]libvirt_uri if that is wrong, or run this as a '
            'user whom libvirtd lets in'
        )

    # On the thread, from here on.

    def _try_to_connect(self) -> bool:
        """Connect and list all guests; note the reason if that fails."""
        known = self._reason
        try:
            self._connect()
        except (libvirt.libvirtError, errors.QgaError) as error:
            self._reason = text.printable(str(error))
        except Exception as error:
            self._reason = type(error).__name__
            LOG.exception('listing the guests of %s', self._uri)
        else:
            return True
        if self._reason != known:
            self._complain()
        return False

    def _complain(self) -> None:
        LOG.error(
            'libvirt at %(uri)s cannot be used: %(reason)s. Guests that '
            'are not known yet are not served until it can; trying every '
            '%(retry)s s.',
            {'uri': self._uri, 'reason': self._reason, 'retry': RETRY},
        )

    def _connect(self) -> None:
        connection = libvirt.open(self._uri)
        try:
            listing = self._begin(connection)
        except BaseException:
            self._disconnect(connection)
            raise
        self._loop.call(self._directory.replace, listing)
        self._settle()
        self._connection = connection

    def _begin(
        self, connection: libvirt.virConnect
    ) -> guest_directory.Listing:
        """Watch and list all guests."""
        connection.registerCloseCallback(self._on_close, None)
        try:
            connection.setKeepAlive(5, 3)
        except libvirt.libvirtError:
            LOG.debug('%s needs no keepalive', self._uri)
        self._callbacks = events.register(connection, self._events.put)
        return self._looks.listing(connection)

    def _disconnect(self, connection: libvirt.virConnect) -> None:
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
        self._try_to_connect()
        self._tried.set()
        while True:
            event = self._next()
            if event is _STOP:
                break
            if event is _LOST:
                LOG.warning('libvirt at %s went away', self._uri)
                self._lose('the connection broke')
            elif isinstance(event, _Asked):
                self._answer(event)
            elif event is not None:
                self._handle(event)
        self._lose('nova-qga stops')

    def _lose(self, reason: str) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._reason = reason
        self._disconnect(connection)

    def _next(self) -> Any:
        """Wait for what happens; without a connection, try to get one."""
        if self._connection is not None:
            return self._events.get()
        try:
            event = self._events.get(timeout=RETRY)
        except queue.Empty:
            event = None
        if event is _STOP:
            return event
        if self._try_to_connect():
            LOG.info('libvirt at %s is back', self._uri)
        # The listing has told what events would; but this one waits.
        return event if isinstance(event, _Asked) else None

    def _answer(self, asked: _Asked) -> None:
        try:
            self._look_at(asked.uuid)
        except libvirt.libvirtError as error:
            asked.answer.set_exception(
                errors.ServiceUnavailable(
                    f'libvirt: {text.printable(str(error))}'
                )
            )
        except Exception as error:
            asked.answer.set_exception(error)
        else:
            asked.answer.set_result(None)

    def _handle(self, event: events.Event) -> None:
        try:
            self._look_at(event.uuid)
        except (libvirt.libvirtError, errors.QgaError) as error:
            self._looks.note(event.uuid, error)
        except Exception:
            # Whatever it is, the other guests are still watched.
            LOG.exception('looking at guest %s', event.uuid)
        if event.new_agent:
            self._loop.call(
                self._directory.restarted, event.uuid, event.booted
            )

    def _look_at(self, uuid: str) -> None:
        connection = self._connection
        if connection is None:
            raise self._away()
        described = self._looks.at(connection, uuid)
        if described is None:
            self._loop.call(self._directory.remove, uuid)
        else:
            self._loop.call(self._directory.update, *described)

    def _settle(self) -> None:
        """Wait until the loop has done what it was handed so far."""
        done = threading.Event()
        self._loop.call(done.set)
        done.wait(timeout=10.0)
