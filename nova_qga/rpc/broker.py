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

"""Find out whether the message broker takes us, before anything is sent.

By one real connection of the driver, with its own settings: a port that
accepts says nothing of TLS, the login or the virtual host. It goes into the
driver's pool, so that the first request uses it. Nothing here repeats what
the driver says, which may hold the transport's URL and so a password.

Source: oslo_messaging/_drivers/impl_rabbit.py of 17.1, Connection.__init__.
"""

import ssl
import threading
from typing import Any

from oslo_config import cfg
import oslo_messaging as messaging

from nova_qga import errors

#: Seconds for each of the brokers that the transport's URL names.
CONNECT_TIMEOUT = 5.0
_PORTS = {'rabbit': 5672, 'kombu': 5672, 'amqp': 5672}
#: By the reply codes of AMQP 0-9-1.
_ADVICE = {
    403: 'correct user and password in [DEFAULT]transport_url, or let the '
    'user into the virtual host with "rabbitmqctl set_permissions"',
    530: 'correct the virtual host in [DEFAULT]transport_url, which is what '
    'follows the last slash, or let the user into it',
}


class Broker:
    """The broker of a transport; may be used from any thread.

    :param transport: from ``oslo_messaging.get_rpc_transport``
    """

    def __init__(self, transport: messaging.Transport) -> None:
        # There is no public way; a driver in memory has none to try.
        self._open = getattr(transport._driver, '_get_connection', None)
        self._addresses = addresses(
            messaging.TransportURL.parse(transport.conf)
        )
        self._lock = threading.Lock()
        self._connected = self._open is None
        self._attempt: _Attempt | None = None

    def connect(self, timeout: float) -> None:
        """Return once a connection was made, now or earlier.

        :param timeout: seconds
        :raises ServiceUnavailable: none was ever made; nothing was sent
        """
        if self._connected:
            return
        count = max(1, len(self._addresses))
        with self._lock:
            # One that hangs is waited for again, not begun anew.
            if self._attempt is None or self._attempt.ended.is_set():
                self._attempt = _Attempt(self._open, count - 1)
            attempt = self._attempt
        attempt.ended.wait(min(timeout, CONNECT_TIMEOUT * count))
        if not attempt.ended.is_set():
            raise self._unavailable('it does not answer')
        if attempt.error is not None:
            raise self._explain(attempt.error)
        self._connected = True

    def _explain(self, error: Exception) -> errors.ServiceUnavailable:
        if refused := advice(error):
            return self._unavailable(f'it refuses us: {refused}')
        if isinstance(error, cfg.ConfigFileValueError):
            # What follows is the value.
            wrong = str(error).partition(' is not valid')[0]
            return self._unavailable(f'{wrong} is not valid: correct it')
        cause = error.__cause__ or error
        if isinstance(cause, ssl.SSLError | ssl.CertificateError):
            reason = getattr(cause, 'reason', None) or type(cause).__name__
            return self._unavailable(
                f'TLS failed ({reason}): [oslo_messaging_rabbit]ssl, its '
                'certificates and the port in [DEFAULT]transport_url must '
                'fit the broker'
            )
        reason = getattr(cause, 'strerror', None) or type(cause).__name__
        return self._unavailable(
            f'{reason}; start it, or correct [DEFAULT]transport_url and '
            '[oslo_messaging_rabbit]ssl'
        )

    def _unavailable(self, why: str) -> errors.ServiceUnavailable:
        shown = ', '.join(self._addresses) or 'localhost'
        return errors.ServiceUnavailable(
            f'no connection to the message broker ({shown}): {why}. Nothing '
            'was sent'
        )


class _Attempt:
    """One attempt to connect, on a thread that cannot be ended."""

    def __init__(self, open_connection: Any, retry: int) -> None:
        self.ended = threading.Event()
        self.error: Exception | None = None
        self._open = open_connection
        self._retry = retry
        threading.Thread(
            target=self._run, name='qga-connect', daemon=True
        ).start()

    def _run(self) -> None:
        try:
            # Each retry is the next broker's turn.
            with self._open(retry=self._retry):
                pass
        except Exception as error:
            self.error = error
        finally:
            self.ended.set()


def advice(error: Exception) -> str | None:
    """Return what to do where the broker refuses a login or a right."""
    return _ADVICE.get(getattr(error, 'reply_code', 0))


def addresses(url: messaging.TransportURL) -> list[str]:
    """Return the brokers of a transport's URL, without its password."""
    default = _PORTS.get(url.transport.partition('+')[0])
    found = []
    for host in url.hosts:
        port = host.port or default
        if host.hostname and port:
            name = host.hostname
            shown = f'[{name}]' if ':' in name else name
            found.append(f'{shown}:{port}')
    return found
