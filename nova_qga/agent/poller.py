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
import functools
import time

from oslo_log import log as logging

from nova_qga.agent import plan as sampling_plan
from nova_qga.agent import rounds
from nova_qga.agent import sampler as guest_sampler
from nova_qga.agent import schedule
from nova_qga.collectors import base
from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.guest import agent as guest_agent
from nova_qga.guest import figures
from nova_qga.guest import guest as guest_module
from nova_qga.guest import host as guest_host
from nova_qga.guest import hypervisor

LOG = logging.getLogger(__name__)

#: Seconds for one guest's sample.
TIMEOUT = 10.0
#: Seconds that a stop may take to close files in guests.
FAREWELL = 0.3

#: Samples after which libvirt is asked again about closed ports.
LOOK_AGAIN = 10

#: Part of a period that the hypervisor's figures may be old: so they are asked
#: for once in each, and no guest gets the same twice.
FRESH = 0.75
#: Seconds, where somebody waits for them.
NOW = 1.0

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
        """Sample one guest at once, and tell what the hypervisor knows.

        :param timeout: seconds
        :raises GuestNotFound: this host has none of that UUID
        :raises GuestUnavailable: neither the guest nor the hypervisor tells
        """
        guest, fault = self._find(uuid)
        answer: futures.Future[sample_set.SampleSet] = futures.Future()
        # The hypervisor gets its time too.
        deadline = time.monotonic() + timeout - hypervisor.PATIENCE / 2
        self._host.loop.call(self._sample_now, guest, fault, deadline, answer)
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
            done = functools.partial(self._sampled, sampler.guest)
            sampler.run(self._plans, now + TIMEOUT, done)
            if sampler.taken % LOOK_AGAIN == 1:
                self._look_for_ports(sampler.guest)

    def _look_for_ports(self, guest: guest_module.Guest) -> None:
        """Ask libvirt again where it said that a port is closed.

        When a guest opens the direct channel, no event tells.
        """
        if not all(guest.has_opened(each) for each in guest.channels):
            self._host.look_again(guest.uuid)

    def _sampled(self, guest: guest_module.Guest, ended: rounds.Round) -> None:
        if ended.error is not None:
            LOG.debug('no sample of guest %s: %s', guest.uuid, ended.error)
        max_age = self._schedule.interval * FRESH
        self._complete(guest, ended, max_age, self._take)

    def _take(self, samples: sample_set.SampleSet) -> None:
        if samples.parts:
            self._publish(samples)

    def _complete(
        self,
        guest: guest_module.Guest,
        ended: rounds.Round,
        max_age: float,
        take: Publish,
    ) -> None:
        """Have the hypervisor tell what the guest did not."""
        plans = self._plans
        told = () if ended.told is None else ended.told.by
        lacking = plans.lacking(told) if guest.alive else []

        def known(found: figures.Figures | None) -> None:
            collectors = plans.collectors
            take(rounds.compose(guest, ended, collectors, lacking, found))

        if lacking:
            self._host.hypervisor.ask(guest.uuid, max_age, known)
        else:
            known(None)

    def _sample_now(
        self,
        guest: guest_module.Guest,
        fault: errors.GuestUnavailable | None,
        deadline: float,
        answer: futures.Future[sample_set.SampleSet],
    ) -> None:
        def done(ended: rounds.Round) -> None:
            def take(samples: sample_set.SampleSet) -> None:
                if answer.cancelled():
                    return
                if rounds.measures(samples):
                    answer.set_result(samples)
                else:
                    answer.set_exception(_why_not(ended))

            self._complete(guest, ended, NOW, take)

        if fault is not None:
            done(rounds.Round(None, fault, time.time()))
            return
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


def _why_not(ended: rounds.Round) -> errors.QgaError:
    error = ended.error
    if error is None:
        return guest_agent.no_agent(['it gave no samples'])
    if isinstance(error, errors.ChannelError):
        return guest_agent.no_agent([str(error)])
    return error
