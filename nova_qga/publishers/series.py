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


"""Samples as Prometheus names them. Pure.

Names are ours alone; what a guest says stands in values of labels, escaped,
cut and without what a query could stumble over.

Source: https://prometheus.io/docs/practices/naming/; node_exporter.
"""

from collections.abc import Iterable, Iterator
import hashlib
import re
from typing import NamedTuple

from prometheus_client import metrics_core

from nova_qga.collectors import base
from nova_qga.collectors import sample_set

_SUFFIX = {
    base.Unit.SECONDS: '_seconds',
    base.Unit.BYTES: '_bytes',
    base.Unit.COUNT: '',
}
#: Where the rule gives no good name.
_NAMES = {
    'guest.cpu.time': 'guest_cpu_seconds',
    # Only counters end so.
    'guest.tasks.total': 'guest_tasks',
    'guest.filesystem.inodes.total': 'guest_filesystem_inodes',
}
_ODD = re.compile(r'[^A-Za-z0-9_.:/@ -]')
#: Characters of a value of a label.
_LONGEST = 128


def name_of(metric: base.Metric) -> str:
    """Return the name of a metric, without the ``_total`` of a counter."""
    if metric.name in _NAMES:
        return _NAMES[metric.name]
    name = metric.name.replace('.', '_')
    suffix = _SUFFIX[metric.unit]
    return name if name.endswith(suffix) else name + suffix


def label(value: str) -> str:
    """Return a value of a label that a guest has chosen.

    One that is odd or long keeps its head, and gets a digest of the whole, so
    that two of them stay two.
    """
    if len(value) <= _LONGEST and not _ODD.search(value):
        return value
    digest = hashlib.sha256(value.encode()).hexdigest()[:12]
    return f'{_ODD.sub("_", value[: _LONGEST - 13])}-{digest}'


class Family(NamedTuple):
    """All series of one metric.

    :ivar rows: the text of the labels of a guest and of those of a sample,
        which are shared by many, and the value
    """

    metric: base.Metric
    rows: list[tuple[str, str, float]]

    def text(self, openmetrics: bool) -> str:
        """Return it as Prometheus reads it, in either format.

        By hand: prometheus_client takes an object and a dictionary for each
        series, and there are some 40 of each of thousands of guests.
        """
        name = name_of(self.metric)
        counter = self.metric.kind is base.Kind.CUMULATIVE
        series = f'{name}_total' if counter else name
        family = name if openmetrics else series
        head = (
            f'# HELP {family} {self.metric.name}\n'
            f'# TYPE {family} {"counter" if counter else "gauge"}\n'
        )
        return head + ''.join(
            [
                f'{series}{{{guest}{labels}}} {float(value)!r}\n'
                for guest, labels, value in self.rows
            ]
        )


class Families:
    """All series of guests, by their metrics.

    :param most: series of one guest
    :ivar guests: how many
    :ivar left_out: series of guests that have too many
    """

    def __init__(self, most: int) -> None:
        self.guests = 0
        self.left_out = 0
        self._most = most
        self._found: dict[str, Family] = {}
        self._labels: dict[tuple[str, ...], str] = {}

    def __iter__(self) -> Iterator[Family]:
        return iter(self._found.values())

    def add(self, guest: sample_set.SampleSet) -> None:
        """Add the series of a guest."""
        self.guests += 1
        room = self._most
        for part in guest.parts:
            owner = _owner(guest, part.source)
            for metric, value, pairs in part.samples[:room]:
                family = self._found.get(metric.name)
                if family is None:
                    family = self._found[metric.name] = Family(metric, [])
                labels = self._labels.get(pairs)
                if labels is None:
                    labels = self._labels[pairs] = _text(pairs)
                family.rows.append((owner, labels, value))
            self.left_out += max(0, len(part.samples) - room)
            room = max(0, room - len(part.samples))

    def counts(self) -> Iterator[metrics_core.Metric]:
        """Return what is told of all of them."""
        yield metrics_core.GaugeMetricFamily(
            'nova_qga_prometheus_guests',
            'Guests with samples here',
            self.guests,
        )
        yield metrics_core.GaugeMetricFamily(
            'nova_qga_prometheus_series_left_out',
            'Series of guests that have too many',
            self.left_out,
        )


def _owner(guest: sample_set.SampleSet, source: str) -> str:
    return (
        f'domain="{_escaped(guest.domain)}"'
        f',project="{_escaped(guest.project_id)}"'
        f',resource="{_escaped(guest.instance_uuid)}",source="{source}"'
    )


def _escaped(value: str) -> str:
    """Return a value of a label as the text has it."""
    return value.replace('\\', r'\\').replace('\n', r'\n').replace('"', r'\"')


def _text(pairs: tuple[str, ...]) -> str:
    """Return the text of a sample's labels, behind its guest's."""
    named = zip(pairs[::2], pairs[1::2], strict=True)
    return ''.join([f',{key}="{label(value)}"' for key, value in named])


def of_agent(
    samples: Iterable[base.Sample],
) -> Iterator[metrics_core.Metric]:
    """Return what the agent says of itself, by its metrics."""
    found: dict[str, metrics_core.Metric] = {}
    for metric, value, pairs in samples:
        name = name_of(metric)
        counter = metric.kind is base.Kind.CUMULATIVE
        if name not in found:
            kind = 'counter' if counter else 'gauge'
            found[name] = metrics_core.Metric(name, metric.name, kind)
        named = zip(pairs[::2], pairs[1::2], strict=True)
        found[name].add_sample(
            f'{name}_total' if counter else name,
            {key: label(text) for key, text in named},
            value,
        )
    yield from found.values()
