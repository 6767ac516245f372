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

"""How this service does its own work, in numbers.

Counted on the loop's thread; read from any.
"""

from collections.abc import Sequence

from nova_qga.agent import rounds
from nova_qga.collectors import base
from nova_qga import errors
from nova_qga.guest import guest as guest_module
from nova_qga.guest import host as guest_host
from nova_qga.transport import breaker


def _counter(name: str, unit: base.Unit = base.Unit.COUNT) -> base.Metric:
    return base.Metric(name, unit, base.Kind.CUMULATIVE)


def _gauge(name: str, unit: base.Unit = base.Unit.COUNT) -> base.Metric:
    return base.Metric(name, unit, base.Kind.GAUGE)


#: Rounds that ended, by ``outcome``: ``told``, or the code of an error, or the
#: reason of a guest that is unavailable.
ROUNDS = _counter('nova_qga.rounds')
#: Rounds that were due while the one before was still under way.
OVERLAPPED = _counter('nova_qga.rounds.overlapped')
#: Rounds of bursts after boots.
IN_BURSTS = _counter('nova_qga.rounds.burst')
#: CPU time for reading what guests told.
WORKED = _counter('nova_qga.rounds.cpu.time', base.Unit.SECONDS)
#: How much later than it should the poller woke up, the last time.
LATENESS = _gauge('nova_qga.poller.lateness', base.Unit.SECONDS)
#: Signs of life, by ``answer``: ``yes`` or ``no``.
HEARTBEATS = _counter('nova_qga.heartbeats')
#: Calls to libvirt for the figures of guests.
HYPERVISOR_CALLS = _counter('nova_qga.hypervisor.calls')
#: Guests by libvirt's ``state``.
GUESTS = _gauge('nova_qga.guests')
#: Channels by ``kind`` and the ``state`` of their circuit breaker.
CHANNELS = _gauge('nova_qga.channels')

METRICS = (
    ROUNDS,
    OVERLAPPED,
    IN_BURSTS,
    WORKED,
    LATENESS,
    HEARTBEATS,
    HYPERVISOR_CALLS,
    GUESTS,
    CHANNELS,
)


class Internals:
    """The numbers.

    :param host: the guests that are counted
    :ivar overlapped: rounds that were left out for the one before
    :ivar in_bursts: rounds of bursts
    :ivar beats: whether a guest gave a sign of life -> how often
    """

    def __init__(self, host: guest_host.Host) -> None:
        self.overlapped = 0
        self.in_bursts = 0
        self.beats = {True: 0, False: 0}
        self._host = host
        self._rounds: dict[str, int] = {}
        self._worked = 0.0
        self._lateness = 0.0

    def woke(self, late: float) -> None:
        """Note that the poller woke up, so many seconds late."""
        self._lateness = max(0.0, late)

    def count(self, ended: rounds.Round) -> None:
        """Count a round."""
        outcome = _outcome(ended.error)
        self._rounds[outcome] = self._rounds.get(outcome, 0) + 1
        self._worked += ended.worked

    def samples(self) -> Sequence[base.Sample]:
        """Return all numbers as they are now."""
        found = [
            base.Sample(OVERLAPPED, self.overlapped),
            base.Sample(IN_BURSTS, self.in_bursts),
            base.Sample(WORKED, self._worked),
            base.Sample(LATENESS, self._lateness),
            base.Sample(HEARTBEATS, self.beats[True], ('answer', 'yes')),
            base.Sample(HEARTBEATS, self.beats[False], ('answer', 'no')),
            base.Sample(HYPERVISOR_CALLS, self._host.hypervisor.calls),
        ]
        found += [
            base.Sample(ROUNDS, count, ('outcome', outcome))
            for outcome, count in sorted(self._rounds.copy().items())
        ]
        return found + _guests(self._host.directory.guests())


def _outcome(error: errors.QgaError | None) -> str:
    if error is None:
        return 'told'
    if isinstance(error, errors.GuestUnavailable):
        return error.reason
    return error.code


def _guests(guests: Sequence[guest_module.Guest]) -> list[base.Sample]:
    states = dict.fromkeys((guest_module.RUNNING, 'paused', 'shutoff'), 0)
    channels = {
        (kind, state): 0
        for kind in ('direct', 'standard')
        for state in breaker.State
    }
    for guest in guests:
        states[guest.state] = states.get(guest.state, 0) + 1
        for channel in guest.channels:
            channels[channel.kind, channel.state] += 1
    found = [
        base.Sample(GUESTS, count, ('state', state))
        for state, count in states.items()
    ]
    return found + [
        base.Sample(CHANNELS, count, ('kind', kind, 'state', state.value))
        for (kind, state), count in channels.items()
    ]
