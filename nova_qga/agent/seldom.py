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

"""When a guest is asked for what changes slowly. Pure."""

import math


class Seldom:
    """One guest's turns.

    What changes slowly may also take an agent longer than a round may last,
    as the sizes of many filesystems do: that must not cost the rest of the
    samples, round after round.
    """

    __slots__ = ('_answered', '_at')

    def __init__(self) -> None:
        #: Monotonic clock; infinite: after the next answer.
        self._at = 0.0
        #: The last round was answered.
        self._answered = False

    def due(self, now: float) -> bool:
        """Tell whether a round that begins now asks for it.

        :param now: monotonic clock, seconds
        """
        return now >= self._at

    def told(self, began: float, interval: float, asked: bool) -> None:
        """Note that a round was answered.

        :param began: when it did; monotonic clock, seconds
        :param interval: seconds between two turns
        :param asked: it was asked for this too
        """
        self._answered = True
        if asked:
            self._at = began + interval
        elif self._at == math.inf:
            self._at = 0.0

    def renew(self) -> None:
        """Note that another agent may answer now: it has its turn soon."""
        self._at = math.inf
        self._answered = False

    def failed(self, began: float, interval: float, asked: bool) -> None:
        """Note that a round was not answered.

        The agent may be away, and another come back. Or it is this that it
        does not manage: then it did without, just before.
        """
        self._at = began + interval if asked and self._answered else math.inf
        self._answered = False
