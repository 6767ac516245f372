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

"""Sample every guest once in a period, without hurry and without bursts."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent import futures
import time

from oslo_log import log as logging

from nova_qga.agent import plan as sampling_plan
from nova_qga.agent import sampler as guest_sampler
from nova_qga.agent import schedule
from nova_qga.collectors import base
from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.guest import agent as guest_agent
from nova_qga.guest import guest as guest_module
from nova_qga.guest import host as guest_host

LOG = logging.getLogger(__name__)

#: Seconds for one guest's sample.
TIMEOUT = 10.0
#: Seconds that a stop may take to close files in guests.
FAREWELL = 0.3

#: Samples after which libvirt is asked again about closed ports.
LOOK_AGAIN = 10

Publish = Callable[[sample_set.SampleSet], None]


class Poller:
    """Wakes guests by the schedule and hands on what they say.

    :param host: the guests
    :param collectors: by name
    :param interval: seconds between two samples of a guest
    :param publish: called on the loop's thread: it must not block
    """

    def __init__(
        self,
        host: guest_host.Host,
        collectors: Mapping[str, base.Collector],
        interval: float,
        publish: Publish,
    ) -> None:
        self._host = host
        self._publish = publish
        self._plans = sampling_plan.Plans(collectors)
        self._schedule = schedule.Schedule(interval)
        self._samplers: dict[str, guest_sampler.Sampler] = {}
        self._woken = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; guests come and go with the host's directory."""
        self._host.loop.call(self._start)

    def stop(self) -> None:
        """Stop sampling; close the files in guests as far as time allows."""
        stopped: futures.Future[None] = futures.Future()
        self._host.loop.call(self._stop, stopped)
        try:
            stopped.result(FAREWELL * 2)
        except futures.TimeoutError:
            LOG.info('some files stay open in guests')

    def reconfigure(
        self, interval: float, collectors: Mapping[str, base.Collector]
    ) -> None:
        """Take another period and other collectors, from the next tick on."""
        plans = sampling_plan.Plans(collectors)
        self._host.loop.call(self._reconfigure, interval, plans)

    def sample_now(self, uuid: str, timeout: float) -> sample_set.SampleSet:
        """Sample one guest at once.

        :param timeout: seconds
        :raises GuestNotFound, GuestUnavailable: why not
        """
        try:
            guest = self._host.find(uuid)
            guest_agent.check_opened(guest)
        except errors.ServiceUnavailable:
            # The direct channel works without libvirtd.
            if not self._host.directory.knows(uuid):
                raise
            guest = self._host.directory.get(uuid)
            guest.check_reachable()
        answer: futures.Future[sample_set.SampleSet | None] = futures.Future()

        def done(
            samples: sample_set.SampleSet | None,
            error: errors.QgaError | None,
        ) -> None:
            if answer.cancelled():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(samples)

        deadline = time.monotonic() + timeout
        self._host.loop.call(self._sample_now, guest, deadline, done)
        try:
            samples = answer.result(timeout)
        except futures.TimeoutError:
            raise guest_agent.no_agent(['it took too long']) from None
        except errors.ChannelError as error:
            raise guest_agent.no_agent([str(error)]) from None
        if samples is None:
            raise guest_agent.no_agent(['it gave no samples'])
        return samples

    # On the loop's thread, from here on.

    def _start(self) -> None:
        self._host.directory.on_added = self._added
        self._host.directory.on_removed = self._removed
        for guest in self._host.directory.guests():
            self._added(guest)
        self._woken = time.monotonic()
        self._arm()

    def _stop(self, stopped: futures.Future[None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        deadline = time.monotonic() + FAREWELL
        for sampler in self._samplers.values():
            sampler.close_files(deadline)
        self._host.loop.asyncio.call_later(
            FAREWELL if self._samplers else 0, stopped.set_result, None
        )

    def _arm(self) -> None:
        self._timer = self._host.loop.asyncio.call_later(
            self._schedule.tick, self._tick
        )

    def _tick(self) -> None:
        # First: whatever happens to one guest, the others get their turn.
        self._arm()
        now = time.monotonic()
        since, self._woken = self._woken, now
        for uuid in self._schedule.due(since, now):
            sampler = self._samplers[uuid]
            if sampler.running:
                LOG.debug('guest %s is still being sampled', uuid)
                continue
            sampler.run(self._plans, now + TIMEOUT, self._sampled)
            if sampler.taken % LOOK_AGAIN == 1:
                self._look_for_ports(sampler.guest)

    def _look_for_ports(self, guest: guest_module.Guest) -> None:
        """Ask libvirt again where it said that a port is closed.

        When a guest opens the direct channel, no event tells.
        """
        if not all(guest.has_opened(each) for each in guest.channels):
            self._host.look_again(guest.uuid)

    def _sampled(
        self,
        samples: sample_set.SampleSet | None,
        error: errors.QgaError | None,
    ) -> None:
        if samples is not None:
            self._publish(samples)
        elif error is not None:
            LOG.debug('no sample: %s', error)

    def _sample_now(
        self,
        guest: guest_module.Guest,
        deadline: float,
        done: guest_sampler.Done,
    ) -> None:
        sampler = self._samplers.get(guest.uuid)
        if sampler is None or sampler.guest is not guest:
            # The poller was not started, or the guest has just gone.
            sampler = guest_sampler.Sampler(guest)
            if self._host.directory.knows(guest.uuid):
                self._samplers[guest.uuid] = sampler
        sampler.run(self._plans, deadline, done, urgent=True)

    def _added(self, guest: guest_module.Guest) -> None:
        self._samplers[guest.uuid] = guest_sampler.Sampler(guest)
        self._schedule.add(guest.uuid)

    def _removed(self, guest: guest_module.Guest) -> None:
        self._samplers.pop(guest.uuid, None)
        self._schedule.remove(guest.uuid)

    def _reconfigure(
        self, interval: float, plans: sampling_plan.Plans
    ) -> None:
        replaced = schedule.Schedule(interval)
        for uuid in self._samplers:
            replaced.add(uuid)
        self._schedule = replaced
        self._plans = plans
        if self._timer is not None:
            self._timer.cancel()
            self._arm()
