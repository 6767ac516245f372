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

"""Take a round of a guest over one channel: its steps, one after the other."""

from collections.abc import Callable
import time
from typing import Any

from oslo_log import log as logging

from nova_qga.agent import sampling
from nova_qga.agent import told as agent_told
from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.transport import channel as guest_channel
from nova_qga.transport import request

LOG = logging.getLogger(__name__)

_FAULT = 'sampling failed: see the log'

Outcome = agent_told.Told | errors.QgaError
#: Told how it ended, and the seconds of CPU that it has cost here.
Done = Callable[[Outcome, float], None]


class Attempt:
    """A round over one channel; used on the loop's thread only.

    It is no closure: that would refer to itself, and what each round leaves
    could be freed by the garbage collector alone, which stops everything.

    :param guest: its UUID, for the log
    :param deadline: monotonic clock
    :param done: told once
    """

    __slots__ = (
        '_before',
        '_channel',
        '_deadline',
        '_done',
        '_guest',
        '_spent',
        '_steps',
        '_urgent',
    )

    def __init__(
        self,
        guest: str,
        channel: guest_channel.Channel,
        steps: sampling.Steps,
        deadline: float,
        urgent: bool,
        done: Done,
    ) -> None:
        self._guest = guest
        self._channel = channel
        self._steps = steps
        self._deadline = deadline
        self._urgent = urgent
        self._done = done
        self._before = channel.spent
        self._spent = 0.0

    def start(self) -> None:
        """Begin; ``done`` may be told before this returns."""
        self._step(None, None)

    def _step(
        self, replies: list[Any] | None, error: errors.QgaError | None
    ) -> None:
        began = time.thread_time()
        outcome = self._advance(replies, error)
        self._spent += time.thread_time() - began
        if isinstance(outcome, command.Batch):
            fault = self._submit(outcome)
            if fault is None:
                return
            outcome = fault
        self._done(outcome, self._spent + self._channel.spent - self._before)

    def _advance(
        self, replies: list[Any] | None, error: errors.QgaError | None
    ) -> command.Batch | Outcome:
        """Return what to ask next, or how it ended."""
        try:
            if error is not None:
                return self._steps.throw(error)
            if replies is None:
                return next(self._steps)
            return self._steps.send(replies)
        except StopIteration as stop:
            told: agent_told.Told = stop.value
            return told
        except errors.QgaError as failure:
            return failure
        except Exception:
            # A plugin's fault, or ours, ends no other guest's samples.
            LOG.exception('sampling guest %s', self._guest)
            return errors.QgaError(_FAULT)

    def _submit(self, batch: command.Batch) -> errors.QgaError | None:
        asked = request.Request(
            batch, self._deadline, self._step, self._urgent
        )
        try:
            self._channel.submit(asked)
        except Exception:
            LOG.exception('sampling guest %s', self._guest)
            return errors.QgaError(_FAULT)
        return None
