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
from typing import Any

from oslo_log import log as logging

from nova_qga.agent import kept as agent_kept
from nova_qga.agent import plan as sampling_plan
from nova_qga.agent import sampling
from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.guest import guest as guest_module
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.transport import channel as guest_channel
from nova_qga.transport import request

LOG = logging.getLogger(__name__)

Done = Callable[[sample_set.SampleSet | None, errors.QgaError | None], None]

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

    :ivar taken: samples that were begun
    """

    __slots__ = ('_kept', '_running', '_waiting', 'guest', 'taken')

    def __init__(self, guest: guest_module.Guest) -> None:
        self.guest = guest
        self.taken = 0
        self._kept: dict[str, agent_kept.Kept] = {}
        self._running = False
        self._waiting: list[Done] = []

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
        """
        self._waiting.append(done)
        if self._running:
            return
        try:
            self.guest.check_reachable()
        except errors.GuestUnavailable as error:
            self._end(None, error)
            return
        self._running = True
        self.taken += 1
        self._try(self.guest.candidates(), plans, deadline, urgent)

    def _try(
        self,
        channels: Sequence[guest_channel.Channel],
        plans: sampling_plan.Plans,
        deadline: float,
        urgent: bool,
    ) -> None:
        """Sample over the first channel, over the next where that fails."""
        channel = channels[0]
        kept = self._kept.setdefault(channel.name, agent_kept.Kept())
        steps = sampling.steps(self.guest, kept, plans)

        def step(
            replies: list[Any] | None, error: errors.QgaError | None
        ) -> None:
            try:
                if error is not None:
                    batch = steps.throw(error)
                elif replies is None:
                    batch = next(steps)
                else:
                    batch = steps.send(replies)
                channel.submit(request.Request(batch, deadline, step, urgent))
            except StopIteration as stop:
                self._end(stop.value, None)
            except _NOT_REACHED as failure:
                if channels[1:]:
                    self._try(channels[1:], plans, deadline, urgent)
                else:
                    self._end(None, failure)
            except errors.QgaError as failure:
                self._end(None, failure)
            except Exception:
                # A plugin's fault, or ours, ends no other guest's samples.
                LOG.exception('sampling guest %s', self.guest.uuid)
                self._end(
                    None, errors.QgaError('sampling failed: see the log')
                )

        step(None, None)

    def close_files(self, deadline: float) -> None:
        """Close the files kept open in the guest, as far as time allows."""
        for channel in self.guest.channels:
            kept = self._kept.pop(channel.name, None)
            if kept is None or not channel.contacted:
                continue
            for handle in kept.handles.values():
                batch = command.Batch((commands.close_file(handle),))
                channel.submit(request.Request(batch, deadline, _ignore))

    def _end(
        self,
        samples: sample_set.SampleSet | None,
        error: errors.QgaError | None,
    ) -> None:
        self._running = False
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done(samples, error)


def _ignore(_: list[Any] | None, __: errors.QgaError | None) -> None:
    """Take the answer of a close that nobody waits for."""
