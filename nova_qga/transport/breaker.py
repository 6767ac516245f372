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

"""When to try a guest again that did not answer."""

import enum
import random
from typing import NamedTuple

from nova_qga import errors


class Fault(NamedTuple):
    """Why a guest does not answer.

    :ivar since: of the first failure after an answer; monotonic clock
    :ivar last: of the last failure, likewise
    :ivar code: of the last error
    :ivar message: the last error's
    """

    since: float
    last: float
    code: str
    message: str


class State(enum.Enum):
    """Whether a guest is asked."""

    CLOSED = 'closed'  # it answers, or nobody has asked yet
    OPEN = 'open'  # it failed, and is left alone for a while
    HALF_OPEN = 'half-open'  # it failed, and is tried again


class Breaker:
    """A circuit breaker whose pauses double from ``base`` to ``limit``.

    Jitter keeps a thousand guests that failed together from being tried
    together.

    :param base: seconds of the first pause
    :param limit: seconds of the longest
    """

    __slots__ = ('_base', '_failures', '_limit', '_until', 'fault')

    def __init__(self, base: float = 1.0, limit: float = 60.0) -> None:
        self._base = base
        self._limit = limit
        self._failures = 0
        self._until = 0.0
        #: Since the last success; None where nothing has failed since.
        self.fault: Fault | None = None

    def state(self, now: float) -> State:
        """Tell whether the guest is asked now.

        :param now: monotonic clock, seconds
        """
        if self.fault is None:
            return State.CLOSED
        return State.OPEN if now < self._until else State.HALF_OPEN

    def failed(self, now: float, error: errors.QgaError) -> float:
        """Note a failure; return the seconds to wait.

        :param now: monotonic clock, seconds
        :param error: its words are kept, and nothing that hangs on it
        """
        since = now if self.fault is None else self.fault.since
        self.fault = Fault(since, now, error.code, str(error))
        pause = min(self._limit, self._base * 2.0 ** min(self._failures, 16))
        pause *= random.uniform(0.75, 1.25)  # noqa: S311
        self._failures += 1
        self._until = now + pause
        return pause

    def succeeded(self) -> None:
        """Note that the guest answered."""
        self._failures = 0
        self._until = 0.0
        self.fault = None

    def rearm(self, now: float) -> float:
        """Note that the guest may answer again; return the seconds to wait.

        None of them, unless it failed a moment ago: a guest that makes one
        event after the other is not tried more often than that.
        """
        self._failures = 0
        if self.fault is None:
            return 0.0
        self._until = min(self._until, self.fault.last + self._base)
        return max(0.0, self._until - now)

    def waits(self, now: float) -> bool:
        """Tell whether the pause is still on."""
        return now < self._until


def left_alone() -> errors.GuestUnavailable:
    """Return what a routine request is told during a pause."""
    return errors.GuestUnavailable(
        'backoff', 'the agent failed lately and is left alone for a while'
    )
