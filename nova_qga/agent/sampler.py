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

"""Take one guest's samples, over the channel that answers."""

from collections.abc import Callable, Sequence
import functools
import time
from typing import Any

from nova_qga.agent import attempt as agent_attempt
from nova_qga.agent import debt as agent_debt
from nova_qga.agent import kept as agent_kept
from nova_qga.agent import plan as sampling_plan
from nova_qga.agent import rounds
from nova_qga.agent import sampling
from nova_qga.agent import seldom
from nova_qga.agent import told as agent_told
from nova_qga import errors
from nova_qga.guest import guest as guest_module
from nova_qga.journal import open_files
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.transport import breaker
from nova_qga.transport import channel as guest_channel
from nova_qga.transport import request

Done = Callable[[rounds.Round], None]

#: Nothing was learned over this channel, and another may do.
_NOT_REACHED = (
    errors.ChannelError,
    errors.GuestUnavailable,
    errors.OutcomeUnknown,
    errors.ProtocolError,
)


class Sampler:
    """What is kept of one guest between its samples.

    Used on the loop's thread only.

    :param files: where open files are remembered; None for nowhere
    :ivar taken: samples that were begun
    """

    __slots__ = (
        '_began',
        '_debt',
        '_epoch',
        '_files',
        '_kept',
        '_running',
        '_seldom',
        '_spent',
        '_waiting',
        'guest',
        'taken',
    )

    def __init__(
        self,
        guest: guest_module.Guest,
        files: open_files.OpenFiles | None = None,
    ) -> None:
        self.guest = guest
        self._files = files
        self.taken = 0
        self._kept: dict[str, agent_kept.Kept] = {}
        self._running = False
        self._waiting: list[Done] = []
        self._seldom = seldom.Seldom()
        #: The guest's in the last round.
        self._epoch = guest.epoch
        #: When the round under way began: Unix time, monotonic clock.
        self._began = 0.0, 0.0
        #: Seconds of CPU that it has cost here.
        self._spent = 0.0
        self._debt = agent_debt.Debt()

    @property
    def running(self) -> bool:
        """A sample is under way."""
        return self._running

    def run(
        self,
        plans: sampling_plan.Plans,
        deadline: float,
        done: Done,
        urgent: bool = False,
    ) -> None:
        """Take a sample; who asks during one is told of that one.

        :param deadline: monotonic clock
        :param done: told once
        :param urgent: somebody waits, and wants to see everything
        """
        self._waiting.append(done)
        if self._running:
            return
        now = time.monotonic()
        self._began = time.time(), now
        self._spent = 0.0
        try:
            self.guest.check_reachable()
            self._debt.pay_off(plans.budget, urgent)
        except errors.GuestUnavailable as error:
            self._end(None, error)
            return
        self._running = True
        self.taken += 1
        if self._epoch != self.guest.epoch:
            self._epoch = self.guest.epoch
            self._seldom.renew()
        slow = urgent or self._seldom.due(now)
        channels = self.guest.candidates()
        if not urgent and all(map(_is_left_alone, channels)):
            # At once: this is all there is to a guest that hangs.
            self._finish(breaker.left_alone(), plans, slow, urgent)
        else:
            self._try(channels, plans, deadline, slow, urgent)

    def _try(
        self,
        channels: Sequence[guest_channel.Channel],
        plans: sampling_plan.Plans,
        deadline: float,
        slow: bool,
        urgent: bool,
    ) -> None:
        """Sample over the first channel, over the next where that fails."""
        channel, *others = channels
        kept = self._kept.setdefault(channel.name, agent_kept.Kept())

        def done(outcome: agent_attempt.Outcome, spent: float) -> None:
            self._spent += spent
            self._remember(channel.name, kept)
            if isinstance(outcome, _NOT_REACHED) and others:
                self._try(others, plans, deadline, slow, urgent)
            else:
                self._finish(outcome, plans, slow, urgent)

        agent_attempt.Attempt(
            self.guest.uuid,
            channel,
            sampling.steps(self.guest, kept, plans, slow),
            _share(deadline, len(channels)),
            urgent,
            done,
        ).start()

    def _finish(
        self,
        outcome: agent_attempt.Outcome,
        plans: sampling_plan.Plans,
        slow: bool,
        urgent: bool,
    ) -> None:
        told = isinstance(outcome, agent_told.Told)
        # Who waits for a round takes nobody's turn.
        if not urgent:
            note = self._seldom.told if told else self._seldom.failed
            note(self._began[1], plans.slow_interval, slow)
        self._debt.add(self._spent, plans.budget)
        if isinstance(outcome, agent_told.Told):
            self._end(outcome, None)
        else:
            self._end(None, outcome)

    def beat(self, deadline: float, done: Callable[[bool], None]) -> None:
        """Ask for a sign of life, unless a sample is under way.

        :param deadline: monotonic clock
        :param done: told whether there was one
        """
        channels = self.guest.candidates()
        if not self._running and self.guest.state == guest_module.RUNNING:
            for channel in channels[:1]:
                asked = request.Request(
                    command.Batch(()),
                    deadline,
                    lambda _, error: done(error is None),
                )
                channel.submit(asked)

    def adopt(self, channel: str, before: open_files.Remembered) -> None:
        """Use the files on that an earlier run has left open.

        :param channel: its name
        """
        kept = self._kept.setdefault(channel, agent_kept.Kept())
        kept.boot = before.boot
        kept.handles = dict(before.handles)
        kept.noted = dict(before.handles)

    def close_files(self, deadline: float) -> bool:
        """Close the files kept open in the guest, as far as time allows.

        :returns: there is something to wait for
        """
        waits = False
        for channel in self.guest.channels:
            kept = self._kept.pop(channel.name, None)
            if kept is None or not channel.contacted:
                continue
            for path, handle in list(kept.handles.items()):
                batch = command.Batch((commands.close_file(handle),))
                done = functools.partial(
                    self._closed, channel.name, kept, path
                )
                channel.submit(request.Request(batch, deadline, done))
                waits = True
        return waits

    def _closed(
        self,
        channel: str,
        kept: agent_kept.Kept,
        path: str,
        _: list[Any] | None,
        error: errors.QgaError | None,
    ) -> None:
        if error is None:
            kept.handles.pop(path, None)
            self._remember(channel, kept)

    def _remember(self, channel: str, kept: agent_kept.Kept) -> None:
        """Note what is open, for a run that comes after a crash."""
        # Without a boot nobody could tell whether it still is.
        if self._files is None or not kept.boot:
            return
        if kept.handles != kept.noted:
            kept.noted = dict(kept.handles)
            self._files.note(self.guest.uuid, channel, kept.boot, kept.handles)

    def _end(
        self, told: agent_told.Told | None, error: errors.QgaError | None
    ) -> None:
        self._running = False
        moment, began = self._began
        seconds = time.monotonic() - began
        ended = rounds.Round(told, error, moment, seconds, self._spent)
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done(ended)


def _is_left_alone(channel: guest_channel.Channel) -> bool:
    return channel.state is breaker.State.OPEN


def _share(deadline: float, channels: int) -> float:
    """Return until when the first of some channels may take.

    One whose agent has ended takes all that it may.

    :param deadline: for all of them; monotonic clock
    """
    if channels == 1:
        return deadline
    now = time.monotonic()
    return now + (deadline - now) / channels
