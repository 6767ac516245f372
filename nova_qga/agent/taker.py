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

"""Take a guest's round: from its agent, and the rest from the hypervisor."""

from collections.abc import Callable, Mapping
from concurrent import futures
import time

from oslo_log import log as logging

from nova_qga.agent import plan as sampling_plan
from nova_qga.agent import rounds
from nova_qga.agent import sampler as guest_sampler
from nova_qga.collectors import base
from nova_qga.collectors import sample_set
from nova_qga.guest import figures
from nova_qga.guest import guest as guest_module
from nova_qga.guest import host as guest_host
from nova_qga.journal import open_files

LOG = logging.getLogger(__name__)

#: Seconds that closing what is open in guests may take at the end.
FAREWELL = 0.3

Done = Callable[[sample_set.SampleSet, rounds.Round], None]


class Taker:
    """What is kept of each guest between its rounds, and how they are taken.

    :param host: the guests
    :param collectors: by name
    :param slow_interval: seconds between two samples of what changes slowly
    :param files: where open files are remembered; None for nowhere
    """

    def __init__(
        self,
        host: guest_host.Host,
        collectors: Mapping[str, base.Collector],
        slow_interval: float,
        files: open_files.OpenFiles | None = None,
    ) -> None:
        self._host = host
        self._plans = sampling_plan.Plans(collectors, slow_interval)
        self._samplers: dict[str, guest_sampler.Sampler] = {}
        self._files = files
        self._remembered = files.all() if files is not None else {}

    def close(self) -> None:
        """Close the files in guests as far as time allows; from any thread."""
        closed: futures.Future[None] = futures.Future()
        self._host.loop.call(self._close, closed)
        try:
            closed.result(FAREWELL * 2)
        except futures.TimeoutError:
            LOG.info('some files stay open in guests')

    # On the loop's thread, from here on.

    def use(
        self, collectors: Mapping[str, base.Collector], slow_interval: float
    ) -> None:
        """Take other collectors, from the next round on."""
        self._plans = sampling_plan.Plans(collectors, slow_interval)

    @property
    def measures(self) -> bool:
        """There is something to measure."""
        return bool(self._plans.collectors)

    def sampler(self, guest: guest_module.Guest) -> guest_sampler.Sampler:
        """Return what is kept of a guest."""
        known = self._samplers.get(guest.uuid)
        if known is not None and known.guest is guest:
            return known
        made = guest_sampler.Sampler(guest, self._files)
        for channel in guest.channels:
            key = guest.uuid, channel.name
            if key in self._remembered:
                made.adopt(channel.name, self._remembered.pop(key))
        # One that has just gone is not kept.
        if self._host.directory.knows(guest.uuid):
            self._samplers[guest.uuid] = made
        return made

    def forget(self, guest: guest_module.Guest) -> None:
        """Forget a guest that has gone."""
        self._samplers.pop(guest.uuid, None)
        if self._files is not None:
            self._files.forget(guest.uuid)

    def take(
        self,
        guest: guest_module.Guest,
        deadline: float,
        max_age: float,
        done: Done,
        urgent: bool = False,
    ) -> None:
        """Take a round.

        :param deadline: for the agent; monotonic clock
        :param max_age: seconds that the hypervisor's figures may be old
        :param done: told once
        :param urgent: somebody waits for it
        """

        def ended(how: rounds.Round) -> None:
            self.complete(guest, how, max_age, done)

        self.sampler(guest).run(self._plans, deadline, ended, urgent)

    def complete(
        self,
        guest: guest_module.Guest,
        ended: rounds.Round,
        max_age: float,
        done: Done,
    ) -> None:
        """Have the hypervisor tell what the guest did not."""
        plans = self._plans
        told = () if ended.told is None else ended.told.by
        lacking = plans.lacking(told) if guest.alive else []

        def known(found: figures.Figures | None) -> None:
            collectors = plans.collectors
            done(
                rounds.compose(guest, ended, collectors, lacking, found), ended
            )

        if lacking:
            self._host.hypervisor.ask(guest.uuid, max_age, known)
        else:
            known(None)

    def _close(self, closed: futures.Future[None]) -> None:
        samplers = self._samplers.values()
        deadline = time.monotonic() + FAREWELL
        waits = [each.close_files(deadline) for each in samplers]
        self._host.loop.asyncio.call_later(
            FAREWELL if any(waits) else 0, closed.set_result, None
        )
