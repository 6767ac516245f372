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

"""Put the parts together for ``nova-qga --local``: no broker, no service."""

import dataclasses

from oslo_config import cfg

from nova_qga.agent import assembly
from nova_qga.agent import monitoring
from nova_qga.agent import on_demand
from nova_qga.agent import plugins
from nova_qga.agent import taker as agent_taker
from nova_qga.agent import usage_now
from nova_qga.guest import host as guest_host
from nova_qga.journal import database
from nova_qga.journal import key_pairs
from nova_qga.journal import outbox
from nova_qga.rpc import endpoint


@dataclasses.dataclass(frozen=True, slots=True)
class Local:
    """This host's guests, with no broker and no service.

    :ivar host_name: name of this host
    """

    endpoint: endpoint.Endpoint
    host_name: str
    _host: guest_host.Host
    _taker: agent_taker.Taker

    def close(self) -> None:
        """Close what was opened in guests, and let go of them."""
        self._taker.close()
        self._host.stop()


def build(conf: cfg.ConfigOpts) -> Local:
    """Return an endpoint for the guests of this host, started.

    Its journal and its key are in memory: what it runs ends with this
    process, and so it freezes no guest.
    """
    host = assembly.build_host(conf)
    collectors = plugins.load_collectors(conf.qga_monitor.collectors)
    guests = monitoring.read_guests(conf)
    taker = agent_taker.Taker(host, collectors, guests.slow_interval)
    samples = on_demand.OnDemand(host, taker)
    journal = database.Database(None)
    answers = assembly.build_requests(
        conf,
        host,
        samples,
        journal,
        outbox.Outbox(journal),
        _send_none,
        key_pairs.KeyPairs(None),
        None,
        usage_now.Measurer(samples),
    )
    host.start()
    return Local(answers.endpoint, conf.host, host, taker)


def _send_none() -> None:
    """Who asked sees how it ended."""
