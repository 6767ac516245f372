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

"""Fetch samples as Prometheus does, once in each period.

Headers are those of a Prometheus 2.42; what comes is counted and dropped.
"""

import statistics
import threading
import time
from typing import Self
from urllib import request

HEADERS = {
    'Accept': 'application/openmetrics-text;version=1.0.0,'
    'application/openmetrics-text;version=0.0.1;q=0.75,'
    'text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'Accept-Encoding': 'gzip',
    'User-Agent': 'Prometheus/2.42.0',
}
#: Seconds for a fetch: more than Prometheus gives by default.
TIMEOUT = 60.0


class Scraper:
    """A thread that fetches, while it is entered.

    :param interval: seconds from one fetch to the next
    """

    def __init__(self, port: int, interval: float) -> None:
        self._url = f'http://127.0.0.1:{port}/metrics'
        self._interval = interval
        self._stopped = threading.Event()
        self._fetched: list[tuple[float, int]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            began = time.monotonic()
            try:
                size = len(self._fetch())
            except OSError:
                continue  # the agent starts or ends
            self._fetched.append((time.monotonic() - began, size))

    def _fetch(self) -> bytes:
        asked = request.Request(self._url, headers=HEADERS)  # noqa: S310
        with request.urlopen(asked, timeout=TIMEOUT) as answer:  # noqa: S310
            body: bytes = answer.read()
        return body

    def summary(self) -> dict[str, float]:
        """Return how long a fetch takes, and how much comes."""
        seconds, sizes = zip(*self._fetched, strict=True)
        return {
            'fetches': len(seconds),
            'fetch_ms': statistics.median(seconds) * 1e3,
            'fetch_kib': max(sizes) / 1024,
        }
