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

"""Answer Prometheus's fetches.

The text of thousands of guests is tens of megabytes: it is made and compressed
metric by metric, and never held as a whole.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/;
prometheus_client.exposition.make_wsgi_app, which makes it at once.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple
import zlib

from prometheus_client import exposition
from prometheus_client import metrics_core
from prometheus_client import registry

from nova_qga.publishers import listener
from nova_qga.publishers import series

#: zlib's fastest: the text repeats itself so much that more gains little.
_LEVEL = 1
#: zlib's windowBits for a gzip header.
_GZIP = 31


class Page(NamedTuple):
    """What is served: series of guests, and some of our own."""

    guests: Iterable[series.Family]
    own: Iterable[metrics_core.Metric]


class _Own(registry.Collector):
    def __init__(self, own: Iterable[metrics_core.Metric]) -> None:
        self._own = own

    def collect(self) -> Iterable[metrics_core.Metric]:
        return self._own


def application(page: Callable[[], Page]) -> listener.Application:
    """Return a WSGI application that serves pages.

    :param page: called for each fetch, on its thread
    """

    def answer(
        environment: dict[str, Any], start: Callable[..., Any]
    ) -> list[bytes]:
        if environment['REQUEST_METHOD'] != 'GET':
            start('405 Method Not Allowed', [('Allow', 'GET')])
            return [b'use GET\n']
        encode, kind = exposition.choose_encoder(
            environment.get('HTTP_ACCEPT', '')
        )
        headers = [('Content-Type', kind)]
        parts = _parts(page(), encode, 'openmetrics' in kind)
        if exposition.gzip_accepted(
            environment.get('HTTP_ACCEPT_ENCODING', '')
        ):
            headers.append(('Content-Encoding', 'gzip'))
            parts = _compressed(parts)
        body = b''.join(parts)
        start('200 OK', headers)
        return [body]

    return answer


def _parts(
    page: Page,
    encode: Callable[[registry.Collector], bytes],
    openmetrics: bool,
) -> Iterator[bytes]:
    for family in page.guests:
        yield family.text(openmetrics).encode()
    # Last, for its end is the end of all in OpenMetrics.
    yield encode(_Own(page.own))


def _compressed(parts: Iterable[bytes]) -> Iterator[bytes]:
    gzip = zlib.compressobj(_LEVEL, wbits=_GZIP)
    for part in parts:
        yield gzip.compress(part)
    yield gzip.flush()
