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

"""Ask all guests of a host at once what their agents can do.

All of it has one end: what is not known by then is not waited for. Guests
that answered lately go first, and one that failed lately is left alone, for
its failure is known. Nothing but guest-info is sent.
"""

from collections.abc import Sequence
import threading
import time
from typing import Any, NamedTuple

from nova_qga import errors
from nova_qga.guest import capabilities
from nova_qga.guest import guest as guest_module
from nova_qga.protocol import command
from nova_qga.protocol import replies
from nova_qga.transport import channel as guest_channel
from nova_qga.transport import loop as channel_loop
from nova_qga.transport import request

#: Guests that are asked in one go, and seconds until the next are, so that
#: requests of others get their turn in between.
GROUP = 25
PAUSE = 0.01

NOT_ASKED = 'not_asked'

_BATCH = command.Batch((capabilities.INFO,))


class Fault(NamedTuple):
    """Why an agent gave no answer.

    :ivar code: that of an error, or ``not_asked``
    :ivar since: since when it gives none, Unix time; None where that is not
        known
    """

    code: str
    message: str
    since: float | None


class Finding(NamedTuple):
    """What was found out about a guest.

    :ivar channel: kind of that on which an agent answered; None for none
    :ivar info: what the agent says; None where it refuses to
    :ivar fault: why no agent answered; None where none was asked, as no
        channel is open
    """

    guest: guest_module.Guest
    channel: str | None = None
    info: replies.AgentInfo | None = None
    fault: Fault | None = None


class Survey:
    """One round of questions.

    :param deadline: monotonic clock
    :param patience: seconds for an agent on a direct channel
    """

    def __init__(
        self, loop: channel_loop.Loop, deadline: float, patience: float
    ) -> None:
        self._loop = loop
        self._deadline = deadline
        self._patience = patience
        self._findings: dict[str, Finding] = {}
        self._open = 0
        self._ended = threading.Event()

    def ask(self, guests: Sequence[guest_module.Guest]) -> list[Finding]:
        """Return a finding for each guest, in their order."""
        self._open = len(guests)
        if guests:
            ordered = sorted(guests, key=lambda each: not each.answers)
            self._loop.call(self._ask, ordered)
            # The channels keep the deadline; libvirt counts whole seconds.
            self._ended.wait(max(0.0, self._deadline - time.monotonic()) + 1)
        found = dict(self._findings)
        return [found.get(each.uuid) or _known(each) for each in guests]

    # On the loop's thread, from here on.

    def _ask(self, guests: Sequence[guest_module.Guest]) -> None:
        for each in guests[:GROUP]:
            self._begin(each)
        if guests[GROUP:]:
            self._loop.asyncio.call_later(PAUSE, self._ask, guests[GROUP:])

    def _begin(self, guest: guest_module.Guest) -> None:
        channels = [
            each
            for each in guest.candidates()
            if each.contacted or guest.has_opened(each)
        ]
        if guest.state == guest_module.RUNNING and channels:
            self._try(guest, channels)
        else:
            self._end(Finding(guest))

    def _try(
        self,
        guest: guest_module.Guest,
        channels: Sequence[guest_channel.Channel],
    ) -> None:
        """Ask over the first channel, over the next where that fails."""
        channel, *others = channels
        deadline = self._deadline
        if channel.kind == 'direct':
            deadline = min(deadline, time.monotonic() + self._patience)

        def done(
            answer: list[Any] | None, error: errors.QgaError | None
        ) -> None:
            if error is None:
                self._end(_answered(guest, channel, answer or []))
            elif others and time.monotonic() < self._deadline:
                self._try(guest, others)
            else:
                self._end(_unanswered(guest, channel, error))

        asked = request.Request(_BATCH, deadline, done)
        failed = channel.failing
        # Another agent may have come after the failure: do not leave it alone.
        asked.urgent = failed is not None and failed.last < guest.opened
        channel.submit(asked)

    def _end(self, finding: Finding) -> None:
        self._findings[finding.guest.uuid] = finding
        self._open -= 1
        if not self._open:
            self._ended.set()


def _answered(
    guest: guest_module.Guest,
    channel: guest_channel.Channel,
    answer: list[Any],
) -> Finding:
    [reply] = answer
    if isinstance(reply, errors.CommandError):
        return Finding(guest, channel.kind)
    try:
        info = capabilities.read(reply)
    except errors.InvalidReply as error:
        return Finding(guest, fault=Fault(error.code, str(error), None))
    if not capabilities.looks_frozen(info):
        guest.info = info
    return Finding(guest, channel.kind, info)


def _unanswered(
    guest: guest_module.Guest,
    channel: guest_channel.Channel,
    error: errors.QgaError,
) -> Finding:
    fault = channel.failing
    if fault is not None:
        # It may be of an earlier attempt, after which it was left alone.
        since = time.time() - (time.monotonic() - fault.since)
        return Finding(guest, fault=Fault(fault.code, fault.message, since))
    if isinstance(error, errors.ChannelTimeout):
        # It was not asked: whoever does not answer has a fault.
        return _known(guest)
    return Finding(guest, fault=Fault(error.code, str(error), None))


def _known(guest: guest_module.Guest) -> Finding:
    """Return what was known before of a guest whose turn did not come."""
    for channel in guest.channels:
        if channel.contacted and guest.info is not None:
            return Finding(guest, channel.kind, guest.info)
    late = Fault(NOT_ASKED, 'there was no time to ask its agent', None)
    return Finding(guest, fault=late)
