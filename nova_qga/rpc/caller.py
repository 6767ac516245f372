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

"""Carry one call to a host's agent and its answer back.

oslo.messaging would wait without end while no broker answers; here every wait
has an end, and who calls learns whether the request can have left.
"""

from collections.abc import Mapping
import threading
from typing import Any, Protocol

import oslo_messaging as messaging

from nova_qga import errors
from nova_qga.rpc import broker
from nova_qga.rpc import target

#: Seconds past a call's time until oslo.messaging is taken for stuck.
GRACE = 2.0
#: Attempts of oslo.messaging to send; a repeated request runs only once.
RETRY = 2
#: Calls that may be stuck in oslo.messaging until no other is begun.
MAX_STUCK = 8


class NoAnswer(errors.ServiceUnavailable):
    """The request may have arrived; no answer came in time."""


class Caller(Protocol):
    """A way to the endpoint of a host."""

    def call(
        self,
        host: str,
        method: str,
        arguments: Mapping[str, Any],
        timeout: float,
    ) -> dict[str, Any]:
        """Call a method and return its outcome.

        :param timeout: seconds
        :raises NoAnswer: it may have arrived
        :raises ServiceUnavailable: it has not been sent
        """


class RpcCaller:
    """Calls over the message broker.

    :param transport: from ``oslo_messaging.get_rpc_transport``
    :param context: of the user that asks; see :mod:`nova_qga.rpc.user`
    """

    def __init__(
        self, transport: messaging.Transport, context: Mapping[str, Any]
    ) -> None:
        self._context = dict(context)
        self._client = messaging.get_rpc_client(transport, target.target())
        self._broker = broker.Broker(transport)
        self._lock = threading.Lock()
        self._stuck: list[threading.Thread] = []

    def call(
        self,
        host: str,
        method: str,
        arguments: Mapping[str, Any],
        timeout: float,
    ) -> dict[str, Any]:
        """Call a method on a host; see :class:`Caller`."""
        self._broker.connect(timeout)
        self._check_stuck()
        ended: list[dict[str, Any] | Exception] = []

        def work() -> None:
            try:
                ended.append(self._call(host, method, arguments, timeout))
            except Exception as error:
                ended.append(error)

        # It cannot be ended from outside; its thread dies with the process.
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(timeout + GRACE)
        if not ended:
            with self._lock:
                self._stuck.append(thread)
            raise NoAnswer(
                'the message broker does not take the request: look at '
                'transport_url, and at the log of the broker'
            )
        [answer] = ended
        if isinstance(answer, Exception):
            raise _translated(answer, host, timeout) from None
        return answer

    def _call(
        self,
        host: str,
        method: str,
        arguments: Mapping[str, Any],
        timeout: float,
    ) -> dict[str, Any]:
        # Without a queue for the host, RabbitMQ says so at once.
        prepared = self._client.prepare(
            server=host,
            timeout=timeout,
            retry=RETRY,
            transport_options=messaging.TransportOptions(at_least_once=True),
        )
        answer: dict[str, Any] = prepared.call(
            self._context, method, **arguments
        )
        return answer

    def _check_stuck(self) -> None:
        """Raise ServiceUnavailable where calls only heap up."""
        with self._lock:
            self._stuck = [each for each in self._stuck if each.is_alive()]
            if len(self._stuck) < MAX_STUCK:
                return
        raise errors.ServiceUnavailable(
            f'the message broker has not taken the last {MAX_STUCK} requests, '
            'so this one was not sent: look at the log of the broker'
        )


def _translated(
    error: Exception, host: str, timeout: float
) -> errors.QgaError:
    if isinstance(error, messaging.MessagingTimeout):
        return NoAnswer(
            f'nova-qga-agent on {host} did not answer within {timeout:.0f} s; '
            'see that it runs there, and that the host is named as Nova '
            'knows it'
        )
    if isinstance(error, messaging.MessageUndeliverable):
        return errors.ServiceUnavailable(
            f'nova-qga-agent on {host} is not connected to this message '
            'broker; see that it runs there, and that the host is named as '
            'Nova knows it. Where each cell has a broker of its own, '
            "[DEFAULT]transport_url must name the one of the host's cell"
        )
    if isinstance(error, messaging.RemoteError):
        # Its text holds the traceback of the other side.
        return errors.ServiceUnavailable(
            f'nova-qga-agent on {host} cannot answer ({error.exc_type}): is '
            'it of the same version, with the same packages that add '
            'operations? Its log may say more'
        )
    if isinstance(error, messaging.MessagingException):
        return NoAnswer(f'the message broker failed: {error}')
    if advice := broker.advice(error):
        return errors.ServiceUnavailable(
            f'the message broker refused the request: {advice}'
        )
    # It may have been sent.
    return NoAnswer(f'the call failed with {type(error).__name__}')
