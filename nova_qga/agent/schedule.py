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

"""When each guest of a host is due: spread over the period by its UUID. Pure.

A burst of all guests at once delays urgent commands, and one wake-up a guest
costs more than the guest; so those due within one tick are woken together.
"""

import bisect
from collections.abc import Iterator
import hashlib

#: Guests woken together, about.
GROUP = 25
#: Seconds that a tick may last at least and at most.
SHORTEST, LONGEST = 0.05, 0.5


class Schedule:
    """Guests in the order in which a period wakes them.

    :param interval: seconds of a period
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._due: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._due)

    @property
    def tick(self) -> float:
        """Seconds between two wake-ups."""
        each = self.interval * GROUP / max(1, len(self._due))
        return min(max(each, SHORTEST), LONGEST, self.interval)

    def add(self, uuid: str) -> None:
        """Give a guest its place in the period."""
        entry = (place(uuid), uuid)
        at = bisect.bisect_left(self._due, entry)
        if self._due[at : at + 1] != [entry]:
            self._due.insert(at, entry)

    def remove(self, uuid: str) -> None:
        """Take a guest out."""
        entry = (place(uuid), uuid)
        at = bisect.bisect_left(self._due, entry)
        if self._due[at : at + 1] == [entry]:
            del self._due[at]

    def due(self, since: float, until: float) -> Iterator[str]:
        """Yield who is due after ``since`` and not after ``until``.

        :param since: seconds on any clock that only grows
        :param until: later, on the same clock. Who missed several periods is
            due once.
        """
        periods_before, first = divmod(since / self.interval, 1.0)
        periods, last = divmod(until / self.interval, 1.0)
        if periods == periods_before:
            spans = [(first, last)]
        elif periods == periods_before + 1.0 and last < first:
            spans = [(first, 1.0), (-1.0, last)]
        else:
            spans = [(-1.0, 1.0)]
        for low, high in spans:
            begin = bisect.bisect_right(self._due, (low, '~'))
            end = bisect.bisect_right(self._due, (high, '~'))
            yield from [uuid for _, uuid in self._due[begin:end]]


def place(uuid: str) -> float:
    """Return a guest's place in the period, from 0.0 to below 1.0.

    It depends on the UUID alone, so that it stays over a restart and a
    migration.
    """
    digest = hashlib.sha256(uuid.encode()).digest()
    return int.from_bytes(digest[:6], 'big') / (1 << 48)
