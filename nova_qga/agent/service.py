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

"""The service: it starts the parts, reloads what may change, and stops.

What waits for the broker has a thread of its own: the guests are sampled, and
the service stops in time, also while there is no broker.
"""

from collections.abc import Callable
import threading
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging
from oslo_service import service

from nova_qga.agent import assembly
from nova_qga.agent import measuring
from nova_qga import errors
from nova_qga.journal import leases
from nova_qga.journal import outbox
from nova_qga.rpc import server as rpc_server
from nova_qga import text

LOG = logging.getLogger(__name__)

#: Seconds for which readiness waits for the broker.
PATIENCE = 5.0
#: Seconds that a stop may take: for all of it, and for each last word.
STOP = 0.8
FAREWELL = 0.2


class Service(service.Service):
    """nova-qga-agent.

    :param conf: read, and for oslo.messaging, which needs it whole
    :param ready: called once, when requests are served, or soon after the
        start where the broker is away
    :param give_up: called where requests can never be served, to have the
        service stopped
    :ivar failed: why they cannot; None while nothing is known against it
    :raises ConfigurationError: an option or a plugin does not fit
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        ready: Callable[[], None],
        give_up: Callable[[], None],
    ) -> None:
        super().__init__()
        self.failed: str | None = None
        self._give_up = give_up
        self._conf = conf
        self._ready = ready
        self._host = assembly.build_host(conf)
        self._journal = assembly.build_journal(conf)
        self._measuring = measuring.Measuring(
            conf, assembly.build_notifier(conf), self._host, self._journal
        )
        self._keys = assembly.build_keys(conf)
        events = outbox.Outbox(self._journal)
        self._sending = assembly.build_sender(conf, events, self._keep_up)
        self._requests = self._build_requests(events)
        self._server = rpc_server.get_server(
            assembly.build_transport(conf),
            conf.host,
            self._requests.endpoint,
        )
        self._serving = threading.Event()

    def _build_requests(self, events: outbox.Outbox) -> assembly.Requests:
        return assembly.build_requests(
            self._conf,
            self._host,
            self._measuring.on_demand,
            self._journal,
            events,
            self._sending.wake,
            self._keys,
            leases.Leases(self._journal, events),
            self._measuring.usage,
        )

    def start(self) -> None:
        """Start everything; neither libvirtd nor the broker need be there."""
        if not self._conf.oslo_messaging_notifications.driver:
            LOG.warning(
                'no notification is sent, neither of samples nor of '
                'outcomes: [oslo_messaging_notifications]driver is empty; set '
                'it to messagingv2'
            )
        self._host.start()
        if self._journal.problem is not None:
            LOG.error(self._journal.problem)
        try:
            self._keys.current()
        except errors.ServiceUnavailable as error:
            LOG.error('%s', error)
        self._sending.start()
        if self._requests.thawer is not None:
            self._requests.thawer.start()
        self._measuring.start()
        self._in_background('qga-serve', self._serve)
        self._in_background('qga-ready', self._get_ready)

    def reset(self) -> None:
        """Take the options that may change; keep the old where they are bad.

        Requests are served meanwhile.
        """
        self._measuring.reset()

    def stop(self, graceful: bool = False) -> None:
        """Stop within a second; what does not end by then, dies with us.

        A request that is cut off stands in the journal, and is reported as
        unknown at the next start.
        """
        self._server.stop_reading()
        # oslo.messaging takes seconds to close its connections.
        self._in_background('qga-unserve', self._server.stop)
        stopping = self._in_background('qga-stop', self._stop)
        stopping.join(STOP)
        super().stop(graceful)

    def _stop(self) -> None:
        if self._requests.thawer is not None:
            self._requests.thawer.stop()
        self._measuring.stop_sampling()
        # What has not begun by now is told at the next start.
        self._requests.runner.drain(0.0)
        # What runs in guests ends here, and says how.
        self._host.close_channels()
        self._requests.runner.drain(FAREWELL)
        self._sending.stop(FAREWELL)
        self._measuring.stop(FAREWELL)
        self._journal.close()
        # Last, for libvirtd may hang.
        self._host.stop()

    def _keep_up(self) -> None:
        self._requests.ledger.keep_up()

    def _serve(self) -> None:
        """Serve requests; it waits until there is a broker."""
        try:
            self._server.start(override_pool_size=rpc_server.THREADS)
        except Exception as error:
            self._fail(error)
            return
        LOG.info('requests for %s are served', self._conf.host)
        self._serving.set()

    def _fail(self, error: Exception) -> None:
        # One that runs on and serves nothing would look healthy.
        self.failed = f'{type(error).__name__}: {text.printable(str(error))}'
        LOG.critical(
            'requests cannot be served (%s): correct [DEFAULT]transport_url, '
            '[oslo_messaging_rabbit] or what the broker has of them. '
            'nova-qga-agent ends',
            self.failed,
            exc_info=error,
        )
        self._give_up()

    def _get_ready(self) -> None:
        served = self._serving.wait(PATIENCE)
        if self.failed is not None:
            return
        if not served:
            LOG.warning(
                'the message broker does not answer yet: requests are served '
                'as soon as it does; see [DEFAULT]transport_url'
            )
        self._ready()

    def _in_background(
        self, name: str, work: Callable[[], Any]
    ) -> threading.Thread:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread
