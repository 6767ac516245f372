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

"""The standard channel: guest commands through libvirt's API, in few threads.

libvirtd holds ``org.qemu.guest_agent.0`` and syncs by itself. A hung guest
holds one of libvirtd's workers for the whole call, and enough of those make
it deaf for nova-compute. So calls go over a connection of their own, are few
at a time, and always say how long they may take. libvirt counts whole seconds,
syncs after a failure for up to 5 s before it sends a command, whatever it was
allowed, and what it has begun cannot be taken back. So nothing is begun after
its deadline, and an effect only after a sync that has just been answered.

Each command taints the domain (``custom-ga-command``), and libvirtd writes
its text to a debug log, if an operator turned one on.

Source: src/qemu/qemu_agent.c, include/libvirt/virterror.h of libvirt 9.0.
"""

from concurrent import futures
import math
import threading
import time
from typing import Any

import libvirt
import libvirt_qemu
from oslo_log import log as logging

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import decoding
from nova_qga.protocol import session
from nova_qga.transport import libvirt_errors
from nova_qga.transport import request

LOG = logging.getLogger(__name__)

#: Threads of each kind. libvirtd serves five calls at once on a connection
#: and reads nothing more from it then, not even an answer to its keepalive:
#: all kinds together leave one free.
URGENT = 2
ROUTINE = 1
FAILING = 1
#: Bytes of a request. What does not fit at once into the buffer of libvirt's
#: socket to QEMU, 212992 bytes by default and less what they are wrapped in,
#: libvirt starts to send anew from its beginning (qemuAgentIOWrite() takes
#: no notice of what safewrite() sent before EAGAIN): the agent would get a
#: garbled command.
MAX_REQUEST = 200_000

_SYNC = '{"execute":"guest-sync","arguments":{"id":%d}}'


class LibvirtAgents:
    """All guests' standard channels, over one libvirt connection.

    Its methods block, and may be called from any thread.

    :param uri: libvirt's URI
    :ivar urgent: threads for what somebody waits for
    :ivar routine: the thread for sampling
    :ivar failing: the thread for sampling where the last attempt failed, so
        that guests which go on hanging hold only this one
    """

    def __init__(self, uri: str) -> None:
        self.urgent = _threads(URGENT, 'qga-libvirt-urgent')
        self.routine = _threads(ROUTINE, 'qga-libvirt')
        self.failing = _threads(FAILING, 'qga-libvirt-failing')
        self._uri = uri
        #: Held for no call to libvirtd, which may hang.
        self._lock = threading.Lock()
        self._connection: libvirt.virConnect | None = None
        self._closed = False

    def ask(
        self, uuid: str, batch: command.Batch, deadline: float
    ) -> list[Any]:
        """Run a batch's commands in a guest, one after another.

        :param deadline: for all of them; monotonic clock
        :returns: one item for each: the value of ``return``, not yet
            checked, or a CommandError
        :raises InvalidRequest: a command is too long for libvirt
        :raises GuestNotFound: libvirt has no such domain
        :raises GuestUnavailable: it is off, or has no standard channel
        :raises ChannelTimeout: the agent does not answer, or no time was
            left; no effect was sent
        :raises ProtocolError: the agent breaks the rules, says libvirt or we
        :raises ChannelBusy: the host is busy with the domain
        :raises OutcomeUnknown: a command with an effect got no answer
        :raises ServiceUnavailable: libvirtd does not answer
        """
        domain = self._domain(uuid)
        if batch.has_effect or not batch.commands:
            self._sync(domain, deadline)
        return [self._run(domain, each, deadline) for each in batch.commands]

    def close(self) -> None:
        """Close the connection; do not wait for calls under way."""
        for threads in (self.urgent, self.routine, self.failing):
            threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._closed = True
            connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection)

    def _domain(self, uuid: str) -> libvirt.virDomain:
        try:
            return self._connected().lookupByUUIDString(uuid)
        except libvirt.libvirtError as error:
            raise libvirt_errors.before(error) from None

    def _connected(self) -> libvirt.virConnect:
        """Return a connection that lives, opened anew where there is none."""
        with self._lock:
            known = self._connection
        if known is not None and known.isAlive():
            return known
        opened = _open(self._uri)
        with self._lock:
            if self._connection is known and not self._closed:
                self._connection = opened
            kept = self._connection
        if kept is not opened:
            _close(opened)
        if kept is None:
            raise errors.ServiceUnavailable('nova-qga stops')
        return kept

    def _sync(self, domain: libvirt.virDomain, deadline: float) -> None:
        """Make sure of the agent before anything with an effect is sent."""
        sync_id = session.random_id()
        try:
            answer = _call(domain, _SYNC % sync_id, deadline)
        except libvirt.libvirtError as error:
            raise libvirt_errors.before(error) from None
        value = decoding.decode(answer).get('return')
        # A type check, for True == 1 and 5.0 == 5.
        if type(value) is not int or value != sync_id:
            raise errors.ProtocolError('the agent answers another sync')

    def _run(
        self,
        domain: libvirt.virDomain,
        single: command.Command[Any],
        deadline: float,
    ) -> Any:
        line = single.encode().decode()
        if len(line) > MAX_REQUEST:
            raise errors.InvalidRequest(
                f'{single.name}: {len(line)} bytes are over the {MAX_REQUEST} '
                'that libvirt can send to an agent'
            )
        try:
            answer = _call(domain, line, deadline)
        except libvirt.libvirtError as error:
            refusal = libvirt_errors.refusal(error, single.name)
            if refusal is not None:
                return refusal
            failure = libvirt_errors.before(error)
            if single.has_effect and libvirt_errors.may_be_sent(error):
                raise errors.OutcomeUnknown(
                    f'{single.name} was sent and no answer came ({failure}); '
                    'look in the guest before you repeat it'
                ) from None
            raise failure from None
        try:
            if len(answer) > single.max_reply:
                raise errors.MessageTooLarge(len(answer), single.max_reply)
            return decoding.decode(answer).get('return')
        except errors.ProtocolError as broken:
            if single.has_effect:
                raise errors.OutcomeUnknown(
                    f'{single.name} was answered, not readably: {broken}'
                ) from None
            raise


def _threads(number: int, name: str) -> futures.ThreadPoolExecutor:
    return futures.ThreadPoolExecutor(number, thread_name_prefix=name)


def _open(uri: str) -> libvirt.virConnect:
    """Connect so that a libvirtd that hangs is noticed, in 20 s or so.

    That needs libvirt's event loop, started before.
    """
    connection = libvirt.open(uri)
    try:
        connection.setKeepAlive(5, 3)
    except libvirt.libvirtError as error:
        LOG.debug('no keepalive for libvirt at %s: %s', uri, error)
    return connection


def _close(connection: libvirt.virConnect) -> None:
    try:
        connection.close()
    except libvirt.libvirtError as error:
        LOG.debug('libvirtd is gone, and the connection with it: %s', error)


def _call(domain: libvirt.virDomain, line: str, deadline: float) -> bytes:
    # libvirt counts whole seconds; 0 would mean not to wait at all.
    seconds = math.ceil(deadline - time.monotonic())
    if seconds <= 0:
        raise request.no_time()
    answer = libvirt_qemu.qemuAgentCommand(domain, line, seconds, 0)
    return str(answer).encode()
