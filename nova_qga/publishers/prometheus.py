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
"""

from collections.abc import Mapping, Sequence
import itertools
import ssl
import threading
import time
from typing import Any, NamedTuple

from oslo_log import log as logging

from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.publishers import base
from nova_qga.publishers import cardinality
from nova_qga.publishers import exposition
from nova_qga.publishers import listener
from nova_qga.publishers import series

LOG = logging.getLogger(__name__)

GROUP = 'qga_prometheus'
#: Seconds between two warnings.
QUIET = 60.0


class _Latest(NamedTuple):
    """The last samples of a guest.

    :ivar left_out: how many have labels beyond what is allowed
    """

    taken: float
    samples: sample_set.SampleSet
    left_out: int


class PrometheusPublisher(base.Publisher):
    """Listens for Prometheus.

    :raises ConfigurationError: it cannot listen, or not with these files
    """

    group = GROUP
    files = ('certificate_file', 'key_file', 'client_ca_file')

    def __init__(
        self,
        context: base.Context,
        before: 'PrometheusPublisher | None' = None,
    ) -> None:
        super().__init__(context)
        options = context.options[GROUP]
        self._max_age: float = options['max_age']
        self._most: int = options['max_series']
        self._labels = cardinality.Cardinality(options['max_label_sets'])
        self._lock = threading.Lock()
        self._warned = -QUIET
        self._latest: dict[str, _Latest] = {}
        if before is not None:
            self._labels = before._labels.with_most(options['max_label_sets'])
            self._latest |= before._latest
        self._listener: listener.Listener = _listen(
            options,
            exposition.application(self.page),
            None if before is None else before._listener,
        )

    @property
    def port(self) -> int:
        """On which it listens."""
        return self._listener.port

    def renewed(self, context: base.Context) -> 'PrometheusPublisher':
        return PrometheusPublisher(context, self)

    def publish(self, batch: Sequence[sample_set.SampleSet]) -> None:
        now = time.monotonic()
        with self._lock:
            for each in batch:
                uuid = each.instance_uuid
                samples, left_out = self._labels.admit(each, now)
                if left_out:
                    self._warn(uuid, now)
                known = self._latest.get(uuid)
                if known is not None:
                    samples = _with_slow(samples, known.samples)
                self._latest[uuid] = _Latest(now, samples, left_out)

    def _warn(self, uuid: str, now: float) -> None:
        if now - self._warned >= QUIET:
            self._warned = now
            LOG.warning(
                'guest %(uuid)s has had more than [%(group)s]max_label_sets '
                'different labels within a day; the samples of others are '
                'left out. Raise it if its devices really change so often',
                {'uuid': uuid, 'group': GROUP},
            )

    def page(self) -> exposition.Page:
        """Return what is known; called for each fetch, on its thread."""
        oldest = time.monotonic() - self._max_age
        with self._lock:
            self._latest = {
                uuid: latest
                for uuid, latest in self._latest.items()
                if latest.taken >= oldest
            }
            known = list(self._latest.values())
        found = series.Families(self._most)
        for latest in known:
            found.add(latest.samples)
            found.left_out += latest.left_out
        own = found.counts(), series.of_agent(self.context.internals())
        return exposition.Page(found, itertools.chain(*own))

    def close(self) -> None:
        self._listener.close()


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
    options: Mapping[str, Any],
    application: listener.Application,
    beside: listener.Listener | None,
) -> listener.Listener:
    place = listener.Place(options['listen_address'], options['listen_port'])
    tls = _tls(options)
    try:
        return listener.Listener(place, application, tls, beside)
    except OSError as error:
        raise errors.ConfigurationError(
            f'nova-qga-agent cannot listen on [{GROUP}]listen_address '
            f'{place.address}, port {place.port}: {error}'
        ) from None


def _tls(options: Mapping[str, Any]) -> ssl.SSLContext | None:
    certificate, key = options['certificate_file'], options['key_file']
    authorities = options['client_ca_file']
    if bool(certificate) != bool(key) or (authorities and not certificate):
        raise errors.ConfigurationError(
            f'[{GROUP}]certificate_file and key_file are set together, and '
            'client_ca_file only with them'
        )
    if not certificate:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A password would be asked for on a terminal.
        tls.load_cert_chain(certificate, key, password='')
        if authorities:
            tls.load_verify_locations(authorities)
            tls.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise errors.ConfigurationError(
            f'the certificate_file, key_file or client_ca_file of [{GROUP}] '
            f'cannot be used: {error}'
        ) from None
    return tls
