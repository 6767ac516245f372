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

"""A guest's agent, reached over one channel, for one operation.

File handles belong to one agent process, and a guest may run one on each
channel; so an operation picks its channel once and keeps it.
"""

from collections.abc import Sequence
from concurrent import futures
import contextlib
import time
from typing import Any, TypeVar

from nova_qga import errors
from nova_qga.guest import capabilities
from nova_qga.guest import guest as guest_module
from nova_qga.protocol import command
from nova_qga.protocol import replies
from nova_qga.transport import channel as guest_channel
from nova_qga.transport import loop as channel_loop
from nova_qga.transport import request

ReplyT = TypeVar('ReplyT')

#: Seconds past a deadline until a channel is taken for dead. It keeps its
#: deadlines itself; libvirt counts whole seconds and rounds up.
GRACE = 3.0
_SYNC_ONLY = command.Batch(())
_NOT_OPENED = 'the guest has not opened it'


class GuestAgent:
    """Commands to one guest, one after another, from any thread.

    :param deadline: for all that is done with it; monotonic clock
    :param command_timeout: seconds for each command
    :ivar channel_kind: ``direct`` or ``standard``
    """

    def __init__(
        self,
        guest: guest_module.Guest,
        channel: guest_channel.Channel,
        loop: channel_loop.Loop,
        deadline: float,
        command_timeout: float,
    ) -> None:
        self.channel_kind = channel.kind
        self._guest = guest
        self._channel = channel
        self._loop = loop
        self._deadline = deadline
        self._command_timeout = command_timeout

    def ping(self) -> float:
        """Let the agent answer a sync.

        Not guest-ping: some guests write that one to their syslog.

        :returns: seconds until the answer
        :raises ChannelError, ProtocolError: it did not
        """
        began = time.monotonic()
        self._ask(_SYNC_ONLY)
        return time.monotonic() - began

    def execute(
        self,
        single: command.Command[ReplyT],
        *,
        cleanup: bool = False,
        slow: bool = False,
        patience: float | None = None,
    ) -> ReplyT:
        """Run one command and return its checked reply.

        :param cleanup: it ends what an earlier one began, such as an open
            file, and so gets the time of a command also past the deadline
        :param slow: it may take all the time until the deadline
        :param patience: seconds at most, for one that has no answer where it
            succeeds
        :raises CommandError: the guest refused
        :raises GuestUnavailable, ChannelError: nothing was run
        :raises OutcomeUnknown: it has an effect, and its answer never came
        :raises ProtocolError: the answer to a reading command is broken
        """
        [reply] = self._ask(command.Batch((single,)), cleanup, slow, patience)
        if isinstance(reply, errors.CommandUnsupported):
            self._explain(single.name)
        if isinstance(reply, errors.CommandError):
            raise reply
        try:
            return single.read(reply)
        except errors.InvalidReply as error:
            if single.has_effect:
                raise errors.OutcomeUnknown(
                    f'{single.name} was answered, not readably: {error}'
                ) from None
            raise

    def info(self) -> replies.AgentInfo:
        """Return the agent's version and commands.

        :raises GuestUnavailable: its filesystems are frozen
        """
        known = self._guest.info
        if known is not None:
            return known
        info = capabilities.read(self._raw(capabilities.INFO))
        if capabilities.looks_frozen(info):
            raise errors.GuestUnavailable(
                'frozen',
                'filesystems in the guest are frozen: thaw them, or wait '
                'until the snapshot or backup that froze them has ended',
            )
        self._guest.info = info
        return info

    def require(self, *names: str) -> None:
        """Raise CommandUnsupported unless the agent has these commands."""
        was_known = self._guest.info is not None
        try:
            capabilities.check(self.info(), *names)
        except errors.CommandUnsupported:
            if not was_known:
                raise
            # Somebody may have unblocked it: an agent that is started anew
            # with other options shows on no direct channel.
            self._guest.forget_info()
            capabilities.check(self.info(), *names)

    def _explain(self, name: str) -> None:
        """Raise why a command was refused, if the agent says more of it.

        Frozen filesystems and a blocked command are refused alike.
        """
        self._guest.forget_info()
        with contextlib.suppress(errors.ChannelError, errors.ProtocolError):
            self.require(name)

    def _raw(self, single: command.Command[Any]) -> Any:
        [reply] = self._ask(command.Batch((single,)))
        if isinstance(reply, errors.CommandError):
            raise reply
        return reply

    def _ask(
        self,
        batch: command.Batch,
        cleanup: bool = False,
        slow: bool = False,
        patience: float | None = None,
    ) -> list[Any]:
        allowed = self._command_timeout
        if patience is not None:
            allowed = min(allowed, patience)
        deadline = time.monotonic() + allowed
        if slow:
            deadline = self._deadline
        elif not cleanup:
            deadline = min(self._deadline, deadline)
        answer: futures.Future[list[Any]] = futures.Future()

        def done(
            replies: list[Any] | None, error: errors.QgaError | None
        ) -> None:
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(replies or [])

        asked = request.Request(batch, deadline, done, urgent=True)
        self._loop.call(self._channel.submit, asked)
        try:
            return answer.result(deadline + GRACE - time.monotonic())
        except futures.TimeoutError:
            if batch.has_effect:
                raise errors.OutcomeUnknown(
                    'the channel gave no answer in time; look in the guest '
                    'before you repeat it'
                ) from None
            raise errors.ChannelTimeout('the channel gave no answer') from None


def reach(
    guest: guest_module.Guest,
    loop: channel_loop.Loop,
    deadline: float,
    command_timeout: float,
    current: bool = True,
    direct_first: bool = False,
    kinds: Sequence[str] = (),
) -> GuestAgent:
    """Return the guest's agent over the first channel that answers.

    Nothing but a sync is sent. A channel that failed last time comes last:
    its agent may hang, and each attempt takes as long as a sync may.

    :param current: libvirt has just said which ports the guest has open; if
        not, it does not answer, and nor do channels that go through it
    :param direct_first: the direct one comes first also after a failure
    :param kinds: of channels that may be used, the preferred one first; all
        where none is named
    :raises GuestUnavailable: no agent answers; the reason says why
    """
    guest.check_reachable()
    failures = []
    candidates = guest.candidates(kinds)
    if direct_first:
        candidates.sort(key=lambda each: each.kind != 'direct')
    for channel in candidates:
        if not current and channel.kind != 'direct':
            continue
        if current and not guest.has_opened(channel):
            failures.append(f'{channel.name}: {_NOT_OPENED}')
            continue
        agent = GuestAgent(guest, channel, loop, deadline, command_timeout)
        try:
            agent.ping()
        except (
            errors.ChannelError,
            errors.ProtocolError,
            errors.GuestUnavailable,
        ) as error:
            failures.append(f'{channel.name}: {error}')
        else:
            return agent
    raise no_agent(failures)


def check_opened(guest: guest_module.Guest) -> None:
    """See that a guest of which libvirt has just told can be asked.

    :raises GuestUnavailable: it has opened no channel, or cannot be reached
    """
    guest.check_reachable()
    channels = guest.candidates()
    if not any(guest.has_opened(each) for each in channels):
        raise no_agent([f'{each.name}: {_NOT_OPENED}' for each in channels])


def no_agent(failures: Sequence[str]) -> errors.GuestUnavailable:
    """Return what is told where no agent answers, with each one's fault."""
    return errors.GuestUnavailable(
        'no_agent',
        'no guest agent answers: is qemu-guest-agent installed and running '
        f'in the guest? ({"; ".join(failures)})',
    )
