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

"""Samples as oslo.messaging notifications, for Ceilometer and others.

One message a guest and round, or, which costs less, one for many guests.
None is larger than allowed: what would be is sent as several.

Source: oslo_messaging/_drivers/common.py, serialize_msg: the message is JSON
in a string of JSON.
"""

from collections.abc import Iterator, Sequence
import gc
from typing import Any

import orjson

from nova_qga.collectors import sample_set
from nova_qga.journal import outbox
from nova_qga.publishers import base
from nova_qga.publishers import payload

GROUP = 'qga_notification'
EVENT = 'instance.guest.metrics'
BATCH_EVENT = 'instance.guest.metrics.batch'

_ASCII = bytes(range(128))


class NotificationPublisher(base.Publisher):
    """Sends ``instance.guest.metrics`` with the priority ``sample``.

    Or, for many guests at once, ``instance.guest.metrics.batch``.
    """

    group = GROUP

    def __init__(self, context: base.Context) -> None:
        super().__init__(context)
        options = context.options[GROUP]
        self.batch_size = options['batch_size']
        self.batch_wait = options['batch_wait']
        self._most: int = options['max_bytes']

    def publish(self, batch: Sequence[sample_set.SampleSet]) -> None:
        host = self.context.host
        if self.batch_size > 1:
            self._send(BATCH_EVENT, payload.of_several(batch, host))
            # oslo.messaging makes a class a message, which refers to itself
            # and to the message: large ones must not pile up.
            gc.collect(0)
            return
        for each in batch:
            self._send(EVENT, payload.of(each, host))

    def _send(self, event: str, told: dict[str, Any]) -> None:
        for samples in pieces(told['samples'], self._most):
            self.context.notifier.send(
                outbox.Event('sample', event, {**told, 'samples': samples})
            )


def pieces(
    samples: list[dict[str, Any]], most: int
) -> Iterator[list[dict[str, Any]]]:
    """Cut samples so that no piece is too large; none makes no piece.

    :param most: bytes
    """
    if not samples:
        return
    if len(samples) == 1 or size_of(samples) <= most:
        yield samples
        return
    middle = len(samples) // 2
    yield from pieces(samples[:middle], most)
    yield from pieces(samples[middle:], most)


def size_of(samples: list[dict[str, Any]]) -> int:
    """Return the bytes that samples have in a message, at most.

    Quotes and backslashes are escaped once more there, blanks stand behind
    commas and colons, and what is not ASCII gets up to 3.5 times as long, DEL
    7 times.
    """
    text = orjson.dumps(samples)
    more = sum(map(text.count, (b'"', b'\\', b',', b':')))
    more += 3 * len(text.translate(None, _ASCII)) + 6 * text.count(b'\x7f')
    return len(text) + more
