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
at a time, and always say how long they may take.

Each command taints the domain (``custom-ga-command``), and libvirtd writes
its text to a debug log, if an operator turned one on.

Source: src/qemu/qemu_agent.c, include/libvirt/virterror.h of libvirt 9.0.
"""

from concurrent import futures
import math
import re
import threading
import time
from typing import Any

import libvirt
import libvirt_qemu

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import decoding
from nova_qga.protocol import session

#: Threads of each kind. libvirt serves five calls at once on a connection, so
#: that both kinds together leave one free.
THREADS = 2
#: Bytes of a request. What does not fit at once into the buffer of libvirt's
#: socket to QEMU, 212992 bytes by default and less what they are wrapped in,
#: libvirt starts to send anew from its beginning (qemuAgentIOWrite() takes
#: no notice of what safewrite() sent before EAGAIN): the agent would get a
#: garbled command.
MAX_REQUEST = 200_000

_SYNC = '{"execute":"guest-sync","arguments":{"id":%d}}'
# From libvirt 11.2 a command that timed out has codes of its own.
_NO_ANSWER = (
    libvirt.VIR_ERR_AGENT_UNRESPONSIVE,
    libvirt.VIR_ERR_AGENT_UNSYNCED,
    112,
    113,
)
_CONNECTION_LOST = (
    libvirt.VIR_ERR_RPC,
    libvirt.VIR_ERR_SYSTEM_ERROR,
    libvirt.VIR_ERR_INVALID_CONN,
    libvirt.VIR_ERR_NO_CONNECT,
)
_REFUSED = re.compile(
    r"unable to execute QEMU agent command '[^']*': (.*)", re.DOTALL
)
_UNSUPPORTED = re.compile(
    r'\bcommand \S+ has (been disabled|not been found)', re.IGNORECASE
)


class LibvirtAgents:
    """All guests' standard channels, over one libvirt connection.

    Its methods block, and may be called from any thread.

    :param uri: libvirt's URI
    :ivar urgent: threads for what somebody waits for
    :ivar routine: threads for sampling, so that hung guests hold only these
    """

    def __init__(self, uri: str) -> None:
        self.urgent = _threads('qga-libvirt-urgent')
        self.routine = _threads('qga-libvirt')
        self._uri = uri
        self._lock = threading.Lock()
        self._connection: libvirt.virConnect | None = None

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
        :raises ChannelTimeout: the agent does not answer; nothing was run
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
        self.urgent.shutdown(wait=False, cancel_futures=True)
        self.routine.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except libvirt.libvirtError:
                return  # libvirtd is gone, and the connection with it

    def _domain(self, uuid: str) -> libvirt.virDomain:
        try:
            with self._lock:
                if self._connection is None or not self._connection.isAlive():
                    self._connection = libvirt.open(self._uri)
                connection = self._connection
            return connection.lookupByUUIDString(uuid)
        except libvirt.libvirtError as error:
            raise _before(error) from None

    def _sync(self, domain: libvirt.virDomain, deadline: float) -> None:
        """Make sure of the agent before anything with an effect is sent."""
        sync_id = session.random_id()
        try:
            answer = _call(domain, _SYNC % sync_id, deadline)
        except libvirt.libvirtError as error:
            raise _before(error) from None
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
        text = single.encode().decode()
        if len(text) > MAX_REQUEST:
            raise errors.InvalidRequest(
                f'{single.name}: {len(text)} bytes are over the {MAX_REQUEST} '
                'that libvirt can send to an agent'
            )
        try:
            answer = _call(domain, text, deadline)
        except libvirt.libvirtError as error:
            refusal = _REFUSED.search(error.get_error_message() or '')
            if refusal:
                return _refused(refusal.group(1))
            failure = _before(error)
            if single.has_effect:
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


def _threads(name: str) -> futures.ThreadPoolExecutor:
    return futures.ThreadPoolExecutor(THREADS, thread_name_prefix=name)


def _left(deadline: float) -> float:
    return deadline - time.monotonic()


def _call(domain: libvirt.virDomain, text: str, deadline: float) -> bytes:
    # libvirt counts whole seconds; 0 would mean not to wait at all.
    seconds = max(1, math.ceil(_left(deadline)))
    answer = libvirt_qemu.qemuAgentCommand(domain, text, seconds, 0)
    return str(answer).encode()


def _refused(description: str) -> errors.CommandError:
    # libvirt keeps the agent's text and drops its class.
    if _UNSUPPORTED.search(description):
        return errors.CommandUnsupported('CommandNotFound', description)
    return errors.CommandError('GenericError', description)


def _before(error: libvirt.libvirtError) -> errors.QgaError:
    """Say what a libvirt error means where nothing was run."""
    code = error.get_error_code()
    message = error.get_error_message() or 'libvirt gives no reason'
    if code in _NO_ANSWER:
        return errors.ChannelTimeout(f'no answer on channel 0: {message}')
    if code == libvirt.VIR_ERR_NO_DOMAIN:
        return errors.GuestNotFound(message)
    if code == libvirt.VIR_ERR_OPERATION_INVALID:
        return errors.GuestUnavailable('shutoff', message)
    if code == libvirt.VIR_ERR_OPERATION_TIMEOUT:
        return errors.ChannelBusy(f'{message}: the host is busy with it')
    if code in _CONNECTION_LOST:
        return errors.ServiceUnavailable(f'libvirt: {message}')
    return errors.GuestUnavailable('no_channel', message)
