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

"""All that measures guests and tells of it, put together.

What is measured, of whom and for whom may change while it runs.
"""

from collections.abc import Sequence
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from nova_qga.agent import internals as agent_internals
from nova_qga.agent import monitoring
from nova_qga.agent import on_demand
from nova_qga.agent import poller as agent_poller
from nova_qga.agent import taker as agent_taker
from nova_qga.agent import usage
from nova_qga.collectors import base
from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.guest import host as guest_host
from nova_qga.journal import database
from nova_qga.journal import open_files
from nova_qga.publishers import fan_out

LOG = logging.getLogger(__name__)


class Measuring:
    """The poller and what it needs.

    :param conf: read at the start and at each reset
    :param notifier: for publishers that notify
    :param host: whose guests are measured
    :param journal: where open files are remembered
    :ivar on_demand: samples a guest for who asks
    :ivar usage: what guests used when they were last sampled
    :raises ConfigurationError: an option or a plugin does not fit
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        notifier: Any,
        host: guest_host.Host,
        journal: database.Database,
    ) -> None:
        self._conf = conf
        self._notifier = notifier
        self._publishing = fan_out.FanOut()
        self.usage = usage.Follower()
        self._internals = agent_internals.Internals(host)
        self._host = host
        monitor = self._read()
        self._publishing.use(monitor.publishers)
        self._files = open_files.OpenFiles(journal)
        self._taker = agent_taker.Taker(
            host,
            monitor.collectors,
            monitor.guests.slow_interval,
            self._files,
        )
        self.on_demand = on_demand.OnDemand(host, self._taker)
        self._poller = agent_poller.Poller(
            host,
            self._taker,
            monitor.guests,
            self._sampled,
            self._internals,
        )

    def start(self) -> None:
        """Start; the host has been started."""
        self._poller.start()

    def reset(self) -> None:
        """Take the options that may change; the old where they are bad."""
        try:
            monitor = self._read()
        except errors.ConfigurationError as error:
            LOG.error('[qga_monitor] stays as it was: %s', error)
            return
        self._host.loop.call(
            self._taker.use, monitor.collectors, monitor.guests.slow_interval
        )
        self._poller.reconfigure(monitor.guests)
        self._publishing.use(monitor.publishers)
        LOG.info(
            'sampling every %(interval)g s: %(collectors)s; to %(publishers)s',
            {
                'interval': monitor.guests.interval,
                'collectors': ', '.join(monitor.collectors) or 'nothing',
                'publishers': ', '.join(monitor.publishers) or 'nobody',
            },
        )

    def stop_sampling(self) -> None:
        """Sample no more; close what is open in guests, as time allows."""
        self._poller.stop()
        self._taker.close()

    def stop(self, timeout: float) -> None:
        """Note what is still open, send what waits, and end.

        :param timeout: seconds for each
        """
        self._files.stop(timeout)
        self._publishing.stop(timeout)

    def internals(self) -> Sequence[base.Sample]:
        """Return how all this does its work, in numbers."""
        return [*self._internals.samples(), *self._publishing.internals()]

    def _sampled(self, samples: sample_set.SampleSet) -> None:
        """Take samples on the loop's thread, which must not wait."""
        self.usage.note(samples)
        self._publishing.put(samples)

    def _read(self) -> monitoring.Monitor:
        return monitoring.read(
            self._conf,
            self._notifier,
            self._publishing.publishers,
            self.internals,
        )
