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

"""Ask a guest's agents whether its filesystems are frozen.

Each agent knows of its own freeze only, so those on all channels are asked,
at the same time. What is not known in a few seconds is not waited for.

Source: qga/qapi-schema.json of QEMU 10.0, guest-fsfreeze-status.
"""

from collections.abc import Iterable
from concurrent import futures
import time
from typing import Any, NamedTuple

from nova_qga import errors
from nova_qga.guest import guest as guest_module
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.transport import channel as guest_channel
from nova_qga.transport import loop as channel_loop
from nova_qga.transport import request

FROZEN = 'frozen'
THAWED = 'thawed'

#: Seconds for which an agent that failed is not asked before each change.
LEFT_ALONE = 60.0
#: Seconds that one gets after that: most of them are still gone.
SECOND_CHANCE = 2.0

_STATUS = commands.freeze_status()
_BATCH = command.Batch((_STATUS,))

Replies = list[Any]


class State(NamedTuple):
    """What one agent says.

    :ivar channel: kind of that on which it listens
    :ivar status: ``frozen`` or ``thawed``; None where it does not say
    :ivar message: why not
    """

    channel: str
    status: str | None
    message: str | None = None


def ask(
    guest: guest_module.Guest,
    loop: channel_loop.Loop,
    patience: float,
    current: bool,
) -> list[State]:
    """Return what each agent says whose channel is open.

    :param patience: seconds
    :param current: libvirt answers; if not, nor do channels through it
    :raises GuestUnavailable: it is off, or has no channel
    """
    guest.check_reachable()
    asked = [_Question(each, loop, patience) for each in _open(guest, current)]
    return [each.state() for each in asked]


def check(
    guest: guest_module.Guest,
    loop: channel_loop.Loop,
    patience: float,
    current: bool,
) -> None:
    """Refuse a guest that is frozen, as far as its agents say so in time.

    An agent that failed a moment ago is not asked: each change would wait for
    it.

    :raises GuestUnavailable: it is frozen, or off
    """
    guest.check_reachable()
    now = time.monotonic()
    asked = []
    for each in _open(guest, current):
        fault = each.failing
        if fault is None:
            asked.append(_Question(each, loop, patience))
        elif now - fault.last > LEFT_ALONE:
            asked.append(_Question(each, loop, min(patience, SECOND_CHANCE)))
    for question in asked:
        if question.state().status == FROZEN:
            raise refusal(f'says its agent on the {question.kind} channel')


def refusal(who: str) -> errors.GuestUnavailable:
    """Return what a change of a frozen guest is refused with.

    :param who: says so
    """
    return errors.GuestUnavailable(
        FROZEN,
        f'filesystems in the guest are frozen, {who}, and a change would hang '
        'until they are thawed: thaw them, or wait until the snapshot or '
        'backup that froze them has ended',
    )


def _open(
    guest: guest_module.Guest, current: bool
) -> Iterable[guest_channel.Channel]:
    for each in guest.candidates():
        if guest.has_opened(each) if current else each.kind == 'direct':
            yield each


class _Question:
    """One agent, asked."""

    def __init__(
        self,
        channel: guest_channel.Channel,
        loop: channel_loop.Loop,
        patience: float,
    ) -> None:
        self.kind = channel.kind
        self._deadline = time.monotonic() + patience
        self._answer: futures.Future[Replies] = futures.Future()
        asked = request.Request(
            _BATCH, self._deadline, self._done, urgent=True
        )
        loop.call(channel.submit, asked)

    def state(self) -> State:
        """Wait for what it says."""
        # The sweep looks ten times a second; libvirt may take longer.
        left = self._deadline - time.monotonic() + 0.5
        try:
            [reply] = self._answer.result(max(0.0, left))
            if isinstance(reply, errors.CommandError):
                raise reply
            return State(self.kind, _STATUS.read(reply))
        except futures.TimeoutError:
            return State(self.kind, None, 'it did not answer in time')
        except errors.QgaError as error:
            return State(self.kind, None, str(error))

    def _done(
        self, replies: Replies | None, error: errors.QgaError | None
    ) -> None:
        if error is not None:
            self._answer.set_exception(error)
        else:
            self._answer.set_result(replies or [])
