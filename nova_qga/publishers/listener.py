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

"""A port on which a WSGI application is served, to few clients at a time.

Clients are not trusted: each has a time for all of its request, its TLS
handshake included, and holds up no other meanwhile; where too many come at
once, the next are turned away.

Source: wsgiref.simple_server; socketserver.ThreadingMixIn.
"""

from collections.abc import Callable, Iterable
import socket
import socketserver
import ssl
import sys
import threading
from typing import Any, NamedTuple
from wsgiref import simple_server

from oslo_log import log as logging

from nova_qga.publishers import leash

LOG = logging.getLogger(__name__)

#: Seconds for one client's request.
TIMEOUT = 30.0
#: Clients at a time.
MOST = 16
#: Seconds between two looks whether to end.
_TICK = 0.5

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Place(NamedTuple):
    """Where to listen."""

    address: str
    port: int


class Listener:
    """Serves until it is closed.

    :param tls: with our certificate, where TLS is spoken
    :param beside: one whose port is taken over: both serve until that one is
        closed, and no client is turned away
    :raises OSError: it cannot listen there
    """

    def __init__(
        self,
        place: Place,
        application: Application,
        tls: ssl.SSLContext | None = None,
        beside: 'Listener | None' = None,
    ) -> None:
        self.place = place
        taken_over = beside is not None and beside.place == place
        self._socket: socket.socket = (
            beside._socket.dup()
            if beside is not None and taken_over
            else _bind(place)
        )
        self._server = _Server(self._socket, tls)
        self._server.set_app(application)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            args=(_TICK,),
            name=f'qga-listen-{self.port}',
            daemon=True,
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """On which it listens."""
        port: int = self._socket.getsockname()[1]
        return port

    def close(self) -> None:
        """Listen no more; who is being served, is served."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _bind(place: Place) -> socket.socket:
    [found, *_] = socket.getaddrinfo(
        place.address,
        place.port,
        type=socket.SOCK_STREAM,
        flags=socket.AI_PASSIVE,
    )
    family, address = found[0], found[4]
    return socket.create_server(
        address[:2],
        family=family,
        backlog=MOST,
        dualstack_ipv6=family == socket.AF_INET6
        and socket.has_dualstack_ipv6(),
    )


class _Handler(simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: clients choose the words."""


class _Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True

    def __init__(
        self, listening: socket.socket, tls: ssl.SSLContext | None
    ) -> None:
        address = listening.getsockname()[:2]
        super().__init__(address, _Handler, bind_and_activate=False)
        self.socket.close()
        # Two servers may wait for one client, and only one gets it.
        listening.setblocking(False)
        self.socket = listening
        self.server_name, self.server_port = address
        self.setup_environ()
        self._tls = tls
        self._places = threading.BoundedSemaphore(MOST)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            LOG.debug('too many clients: one is turned away')
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(
        self, request: Any, client_address: Any
    ) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one client, on a thread of its own."""
        limit = leash.Leash()
        limit.hold(request)
        try:
            with limit.within(TIMEOUT):
                request.settimeout(TIMEOUT)
                if self._tls is None:
                    super().finish_request(request, client_address)
                    return
                with self._tls.wrap_socket(request, server_side=True) as tls:
                    super().finish_request(tls, client_address)
        finally:
            limit.let_go()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say it where somebody looks for it: anybody can cause it."""
        LOG.debug('a client was not served: %r', sys.exception())
