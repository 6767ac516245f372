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

"""Posts to one receiver, and says how that went.

The receiver is not trusted: it has a time for all of it, its redirects are
not followed, and of its answer nothing but the status is used.

Source: https://urllib3.readthedocs.io/en/stable/advanced-usage.html
"""

import contextlib
import http.client
import socket
import ssl
from typing import Any, NamedTuple

import urllib3
from urllib3 import connection
from urllib3 import connectionpool
from urllib3 import exceptions

from nova_qga import errors
from nova_qga.publishers import address
from nova_qga.publishers import leash
from nova_qga import text

#: Bytes of an answer that are read, so that the connection can be used again.
_LARGEST_ANSWER = 65536
#: Answers that say that it may take the same later.
_LATER = frozenset((408, 425, 429, 500, 502, 503, 504))


class Settings(NamedTuple):
    """What is the same for all receivers.

    :ivar timeout: seconds for a POST, all of it
    :ivar tls: whom to trust, and who we are
    :ivar proxy: address of the one to go by, if any
    """

    timeout: float
    tls: ssl.SSLContext
    proxy: str = ''


class Receiver:
    """One receiver, with one connection that is kept; for one thread."""

    def __init__(self, to: address.Address, settings: Settings) -> None:
        self._to = to
        self._timeout = settings.timeout
        self._late = f'no whole answer within {settings.timeout:g} s'
        self._leash = leash.Leash()
        self._pools = _pools(settings)
        self._pools.pool_classes_by_scheme = _on_leash(self._leash)

    def post(self, body: bytes, content_type: str) -> None:
        """Post, and forget the answer.

        :raises ServiceUnavailable: it may be taken later, or may have been
            taken and the answer was lost
        :raises OperationFailed: it is refused
        """
        headers = {'Content-Type': content_type, 'User-Agent': 'nova-qga'}
        authorization = self._to.authorization()
        if authorization is not None:
            headers['Authorization'] = authorization
        try:
            with self._leash.within(self._timeout):
                status = self._post(body, headers)
        except (exceptions.HTTPError, http.client.HTTPException, OSError) as e:
            raise errors.ServiceUnavailable(
                f'{self._to.shown}: {self._why(e)}'
            ) from None
        if self._leash.cut:
            # To http.client, headers that end early have just ended.
            raise errors.ServiceUnavailable(f'{self._to.shown}: {self._late}')
        if status in _LATER:
            raise errors.ServiceUnavailable(
                f'{self._to.shown} answers with {status}'
            )
        if not 200 <= status < 300:
            raise errors.OperationFailed(
                f'{self._to.shown} refuses samples with {status}; see '
                f'{self._to.option}'
            )

    def close(self) -> None:
        """Close the connection."""
        self._pools.clear()
        self._leash.let_go()

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        answer = self._pools.request(
            'POST',
            self._to.url,
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(total=self._timeout),
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )
        with contextlib.suppress(exceptions.HTTPError, OSError):
            if len(answer.read(_LARGEST_ANSWER)) < _LARGEST_ANSWER:
                answer.release_conn()
        # Where there is more, the connection goes with it.
        answer.close()
        return int(answer.status)

    def _why(self, error: Exception) -> str:
        if self._leash.cut:
            return self._late
        if isinstance(error, exceptions.SSLError):
            # Of OpenSSL, which may cite the certificate.
            return text.printable(f'TLS: {error.args[0]}')
        if isinstance(error, exceptions.NameResolutionError):
            return 'its name cannot be resolved'
        if isinstance(error, exceptions.NewConnectionError):
            return 'nothing answers there'
        if isinstance(error, exceptions.TimeoutError):
            return self._late
        return f'the connection failed ({type(error).__name__})'


def _pools(settings: Settings) -> urllib3.PoolManager:
    common: dict[str, Any] = {
        'num_pools': 1,
        'maxsize': 1,
        'ssl_context': settings.tls,
    }
    if settings.proxy:
        return urllib3.ProxyManager(settings.proxy, **common)
    return urllib3.PoolManager(**common)


def _on_leash(held: leash.Leash) -> dict[str, Any]:
    """Return the kinds of connections, each of which is held."""

    class Plain(connection.HTTPConnection):
        def _new_conn(self) -> socket.socket:
            made = super()._new_conn()
            held.hold(made)
            return made

    class Tls(connection.HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            made = super()._new_conn()
            held.hold(made)
            return made

    class PlainPool(connectionpool.HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(connectionpool.HTTPSConnectionPool):
        ConnectionCls = Tls

    return {'http': PlainPool, 'https': TlsPool}
