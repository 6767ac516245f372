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


"""The last samples of each guest, for Prometheus to fetch.

A guest that was not sampled for a while is left out, so that what Prometheus
has of it ends, and does not stand still.

Source: https://prometheus.github.io/client_python/
"""

from collections.abc import Iterator, Sequence
import ssl
import threading
import time
from typing import Any

import prometheus_client
from prometheus_client import metrics_core
from prometheus_client import registry as prometheus_registry

from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.publishers import base
from nova_qga.publishers import series

GROUP = 'qga_prometheus'
#: Seconds for a fetch to end when we stop.
FAREWELL = 1.0


class PrometheusPublisher(base.Publisher, prometheus_registry.Collector):
    """Listens for Prometheus.

    :raises ConfigurationError: it cannot listen, or not with these files
    """

    group = GROUP
    files = ('certificate_file', 'key_file', 'client_ca_file')

    def __init__(self, context: base.Context) -> None:
        super().__init__(context)
        options = context.options[GROUP]
        self._max_age: float = options['max_age']
        self._most: int = options['max_series']
        self._lock = threading.Lock()
        self._latest: dict[str, tuple[float, sample_set.SampleSet]] = {}
        registry = prometheus_registry.CollectorRegistry()
        registry.register(self)
        self._server, self._thread = _listen(options, registry)

    @property
    def port(self) -> int:
        """On which it listens."""
        port: int = self._server.server_port
        return port

    def publish(self, batch: Sequence[sample_set.SampleSet]) -> None:
        now = time.monotonic()
        with self._lock:
            for samples in batch:
                known = self._latest.get(samples.instance_uuid)
                if known is not None:
                    samples = _with_slow(samples, known[1])
                self._latest[samples.instance_uuid] = now, samples

    def collect(self) -> Iterator[metrics_core.Metric]:
        """Return what is known; called for each fetch, on its thread."""
        oldest = time.monotonic() - self._max_age
        with self._lock:
            self._latest = {
                uuid: (taken, samples)
                for uuid, (taken, samples) in self._latest.items()
                if taken >= oldest
            }
            guests = [samples for _, samples in self._latest.values()]
        yield from series.families(guests, self._most)
        yield from series.of_agent(self.context.internals())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(FAREWELL)


def _with_slow(
    samples: sample_set.SampleSet, before: sample_set.SampleSet
) -> sample_set.SampleSet:
    """Keep what is measured more seldom, while the guest answers."""
    answers = any(part.source == sample_set.GUEST for part in samples.parts)
    if not answers or any(part.slow for part in samples.parts):
        return samples
    slow = tuple(part for part in before.parts if part.slow)
    return samples._replace(parts=samples.parts + slow)


def _listen(
    options: Any, registry: prometheus_registry.CollectorRegistry
) -> tuple[Any, threading.Thread]:
    certificate, key = options['certificate_file'], options['key_file']
    authorities = options['client_ca_file']
    if bool(certificate) != bool(key) or (authorities and not certificate):
        raise errors.ConfigurationError(
            f'[{GROUP}]certificate_file and key_file are set together, and '
            'client_ca_file only with them'
        )
    try:
        if certificate:
            # Before the port is taken.
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate, key)
            tls.load_verify_locations(authorities or certificate)
        return prometheus_client.start_http_server(
            options['listen_port'],
            options['listen_address'],
            registry,
            certfile=certificate or None,
            keyfile=key or None,
            client_cafile=authorities or None,
            client_auth_required=bool(authorities),
        )
    except (OSError, ssl.SSLError) as error:
        raise errors.ConfigurationError(
            f'nova-qga-agent cannot listen on [{GROUP}]listen_address '
            f'{options["listen_address"]}, port {options["listen_port"]}, '
            f'with these certificates: {error}'
        ) from None
