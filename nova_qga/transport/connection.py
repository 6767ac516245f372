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

"""One connection to the socket of a QEMU chardev, and its session.

Never connect to ``org.qemu.guest_agent.0``: libvirtd holds that one, and a
second connect() succeeds and is never served.

Source: chardev/char-socket.c of QEMU 7.2.
"""

import asyncio
import errno
import os
import socket
import stat
import time
from typing import Any, Protocol

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.protocol import session
from nova_qga import text
from nova_qga.transport import loop as channel_loop

LOG = logging.getLogger(__name__)

#: Bytes of the longest path a unix socket can have.
MAX_PATH = 107
#: Seconds between two warnings for the same reason, for all guests.
QUIET = 60.0

#: What no waiting helps against, unlike QEMU being away, and what to do.
_REMEDIES = {
    errno.EACCES: 'run nova-qga as root or in the group of the sockets',
    errno.EPERM: 'run nova-qga as root or in the group of the sockets',
    errno.ENAMETOOLONG: 'choose a shorter [qga]direct_channel_dir',
}
_warned: dict[int, float] = {}


def connect(path: str) -> socket.socket:
    """Connect without waiting.

    Not asyncio's own connect: it takes the EAGAIN of a full backlog for
    success and fails at the first write.

    :raises ChannelBusy: other clients hold the channel and its backlog
    :raises ChannelClosed: no QEMU serves this path
    """
    if len(os.fsencode(path)) > MAX_PATH:
        _warn(path, errno.ENAMETOOLONG)
        raise errors.ChannelClosed(f'{path} is over {MAX_PATH} bytes')
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise errors.ChannelClosed(f'{path} is not a socket')
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.setblocking(False)
        try:
            client.connect(path)
        except OSError:
            client.close()
            raise
    except BlockingIOError:
        raise errors.ChannelBusy(f'{path}: other clients wait') from None
    except OSError as error:
        _warn(path, error.errno)
        raise errors.ChannelClosed(f'{path}: {error.strerror}') from None
    return client


def _warn(path: str, reason: int | None) -> None:
    """Say what an operator has to change; each reason once in a while."""
    if reason not in _REMEDIES:
        return
    now = time.monotonic()
    if now - _warned.get(reason, -QUIET) < QUIET:
        return
    _warned[reason] = now
    LOG.warning(
        'direct channels cannot be used, such as %(path)s: %(reason)s; '
        '%(remedy)s',
        {
            'path': text.printable(path),
            'reason': os.strerror(reason),
            'remedy': _REMEDIES[reason],
        },
    )


class Listener(Protocol):
    """Whom a connection tells.

    :ivar spent: seconds of CPU that reading has cost; it is added to
    """

    spent: float

    def opened(self, connection: 'Connection') -> None:
        """Bytes can be written."""

    def answered(self, connection: 'Connection', replies: list[Any]) -> None:
        """The exchange is complete."""

    def broken(self, connection: 'Connection', error: errors.QgaError) -> None:
        """The guest broke the rules, or QEMU closed the channel."""


class Connection(asyncio.BufferedProtocol):
    """Bytes between a socket and a session.

    :ivar session: what to write comes from here
    """

    __slots__ = ('_listener', '_loop', '_transport', 'session')

    def __init__(self, loop: channel_loop.Loop, listener: Listener) -> None:
        self.session = session.Session()
        self._loop = loop
        self._listener: Listener | None = listener
        self._transport: asyncio.Transport | None = None

    def write(self, data: bytes) -> None:
        """Send ``data``; the caller watches the deadline."""
        if self._transport is not None:
            self._transport.write(data)

    def abort(self) -> None:
        """Close at once and tell nobody. QEMU drops what it has not read."""
        self._listener = None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the socket is ready."""
        self._transport = transport  # type: ignore[assignment]
        if self._listener is None:
            transport.abort()  # type: ignore[attr-defined]
        else:
            self._listener.opened(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """asyncio: where to read into."""
        return self._loop.read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """asyncio: bytes were read."""
        if self._listener is None:
            return
        began = time.thread_time()
        try:
            replies = self.session.receive(
                bytes(self._loop.read_buffer[:nbytes])
            )
        except errors.ProtocolError as error:
            self._listener.spent += time.thread_time() - began
            self._listener.broken(self, error)
            return
        self._listener.spent += time.thread_time() - began
        if replies is not None:
            self._listener.answered(self, replies)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: end of file, which means only that the guest is gone."""
        self._transport = None
        if self._listener is not None:
            self._listener.broken(
                self, errors.ChannelClosed('QEMU closed the channel')
            )
