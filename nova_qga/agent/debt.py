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

"""What reading a guest's answers has cost, and rounds that pay for it. Pure.

One guest that sends what takes long to read costs the others nothing: so many
of its rounds are left out that it takes no more than its share. A debt of one
round is no reason: the first over libvirt costs a few times what others do.
"""

from nova_qga.agent import rounds
from nova_qga import errors

#: Rounds that are left out at most, one after another.
MOST = 32


class Debt:
    """Of one guest."""

    __slots__ = ('_seconds',)

    def __init__(self) -> None:
        #: That rounds have cost above what they may.
        self._seconds = 0.0

    def pay_off(self, budget: float, urgent: bool) -> None:
        """Leave out rounds until those before are paid for.

        :param budget: seconds that a round may cost
        :param urgent: somebody waits for this one
        :raises GuestUnavailable: it is left out
        """
        if self._seconds > budget:
            self._seconds -= budget
            if not urgent:
                raise errors.GuestUnavailable(
                    rounds.OVER_BUDGET,
                    'what the guest sends takes so long to read that it is '
                    'sampled more seldom',
                )

    def add(self, spent: float, budget: float) -> None:
        """Note a round that was taken.

        :param spent: seconds
        """
        seconds = self._seconds + spent - budget
        self._seconds = min(max(0.0, seconds), (MOST + 0.5) * budget)
