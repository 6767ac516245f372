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

"""Sample one guest at once: somebody waits for it."""

from concurrent import futures
import time

from nova_qga.agent import rounds
from nova_qga.agent import taker as agent_taker
from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.guest import agent as guest_agent
from nova_qga.guest import guest as guest_module
from nova_qga.guest import host as guest_host

#: Seconds that are left to the hypervisor, unless there are few.
PATIENCE = 2.5
#: Seconds that the hypervisor's figures may be old.
FRESH = 1.0

Answer = futures.Future[sample_set.SampleSet]


class OnDemand:
    """Takes rounds from any thread, one at a time of each guest.

    :param host: the guests
    :param taker: takes them
    """

    def __init__(
        self, host: guest_host.Host, taker: agent_taker.Taker
    ) -> None:
        self._host = host
        self._taker = taker

    def sample_now(self, uuid: str, timeout: float) -> sample_set.SampleSet:
        """Return all that the guest and the hypervisor tell.

        :param timeout: seconds
        :raises GuestNotFound: this host has none of that UUID
        :raises GuestUnavailable: neither of them tells anything
        """
        guest, fault = self._find(uuid)
        answer: Answer = futures.Future()
        deadline = time.monotonic() + timeout - min(PATIENCE, timeout / 2)
        self._host.loop.call(self._take, guest, fault, deadline, answer)
        try:
            return answer.result(timeout)
        except futures.TimeoutError:
            raise guest_agent.no_agent(['it took too long']) from None

    def _find(
        self, uuid: str
    ) -> tuple[guest_module.Guest, errors.GuestUnavailable | None]:
        """Return a guest, and why its agent need not be asked."""
        try:
            guest = self._host.find(uuid)
        except errors.ServiceUnavailable:
            # The direct channel works without libvirtd.
            if not self._host.directory.knows(uuid):
                raise
            return self._host.directory.get(uuid), None
        try:
            guest_agent.check_opened(guest)
        except errors.GuestUnavailable as fault:
            return guest, fault
        return guest, None

    # On the loop's thread, from here on.

    def _take(
        self,
        guest: guest_module.Guest,
        fault: errors.GuestUnavailable | None,
        deadline: float,
        answer: Answer,
    ) -> None:
        def done(samples: sample_set.SampleSet, ended: rounds.Round) -> None:
            if rounds.measures(samples):
                answer.set_result(samples)
            else:
                answer.set_exception(_why_not(ended))

        if fault is None:
            self._taker.take(guest, deadline, FRESH, done, urgent=True)
        else:
            ended = rounds.Round(None, fault, time.time())
            self._taker.complete(guest, ended, FRESH, done)


def _why_not(ended: rounds.Round) -> errors.QgaError:
    error = ended.error
    if error is None:
        return guest_agent.no_agent(['it gave no samples'])
    if isinstance(error, errors.ChannelError):
        return guest_agent.no_agent([str(error)])
    return error
