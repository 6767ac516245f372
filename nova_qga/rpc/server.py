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


"""The RPC server of a host: only what is exposed can be called.

Source: oslo_messaging/server.py and rpc/server.py of 17.1 and 18.3, whose
server hands all it can read to its threads, acknowledged already: a kill
would lose all of that. This one has a few in hand.
"""

import functools
import threading
from typing import Any

import oslo_messaging as messaging
from oslo_messaging.rpc import dispatcher
from oslo_messaging.rpc import server as messaging_server

from nova_qga.rpc import arrival
from nova_qga.rpc import endpoint as rpc_endpoint
from nova_qga.rpc import intake
from nova_qga.rpc import target

#: Requests that may be acknowledged and not noted yet.
IN_HAND = 2
#: Seconds for which reading waits for them; longer, and the broker would
#: take this connection for dead.
PATIENCE = 10.0
#: Threads that wait for the ends of calls.
THREADS = 256


class Server(messaging_server.RPCServer):
    """oslo.messaging's server, which reads on when requests are noted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_hand = threading.Semaphore(IN_HAND)
        self._stopping = threading.Event()

    def stop_reading(self) -> None:
        """Leave with the broker what was not read yet."""
        self._stopping.set()

    def _create_listener(self) -> Any:
        listener = super()._create_listener()
        intake.guard(listener, self._stopping.is_set)
        return listener

    def _on_incoming(self, incoming: Any) -> None:
        noted = threading.Event()
        if not self._in_hand.acquire(timeout=PATIENCE):
            noted.set()
        [message] = incoming
        arrived = arrival.Arrival(
            functools.partial(self._note, noted), _is_cast(message)
        )
        message.ctxt = {**message.ctxt, arrival.KEY: arrived}
        super()._on_incoming(incoming)

    def _process_incoming(self, incoming: Any) -> None:
        try:
            super()._process_incoming(incoming)
        finally:
            [message] = incoming
            # What is no operation is not noted anywhere.
            message.ctxt[arrival.KEY].noted()

    def _note(self, noted: threading.Event) -> None:
        """Let another be read, once for each."""
        if not noted.is_set():
            noted.set()
            self._in_hand.release()


def _is_cast(message: Any) -> bool:
    # By the name of the attribute in the drivers for RabbitMQ and for tests.
    reply_to = getattr(message, 'reply_q', getattr(message, '_reply_q', None))
    return reply_to is None


def get_server(
    transport: messaging.Transport,
    host: str,
    endpoint: rpc_endpoint.Endpoint,
) -> Server:
    """Return a server that is not started.

    Start it with ``override_pool_size``, the number of calls that may wait
    for their ends.

    :param host: name of this host, as Nova knows it
    """
    dispatch = dispatcher.RPCDispatcher(
        [endpoint],
        messaging.NoOpSerializer(),
        dispatcher.ExplicitRPCAccessPolicy,
    )
    where = target.target(server=host)
    return Server(transport, where, dispatch, 'threading')
