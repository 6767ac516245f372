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

from collections.abc import Iterable, Iterator, Mapping
import hashlib
import re

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


def families(
    guests: Iterable[sample_set.SampleSet], most: int, left_out: int = 0
) -> Iterator[metrics_core.Metric]:
    """Return all series, by their metrics.

    :param most: series of one guest
    :param left_out: what was left out before
    """
    found: dict[str, metrics_core.Metric] = {}
    count = 0
    for each in guests:
        count += 1
        of_guest = [
            (part.source, sample)
            for part in each.parts
            for sample in part.samples
        ]
        left_out += max(0, len(of_guest) - most)
        owner = {
            'project': each.project_id,
            'resource': each.instance_uuid,
            'domain': each.domain,
        }
        for source, sample in of_guest[:most]:
            _add(found, sample, {**owner, 'source': source})
    yield from found.values()
    yield metrics_core.GaugeMetricFamily(
        'nova_qga_prometheus_guests', 'Guests with samples here', count
    )
    yield metrics_core.GaugeMetricFamily(
        'nova_qga_prometheus_series_left_out',
        'Series of guests that have too many',
        left_out,
    )


def of_agent(
    samples: Iterable[base.Sample],
) -> Iterator[metrics_core.Metric]:
    """Return what the agent says of itself, by its metrics."""
    found: dict[str, metrics_core.Metric] = {}
    for each in samples:
        _add(found, each, {})
    yield from found.values()


def _add(
    found: dict[str, metrics_core.Metric],
    sample: base.Sample,
    labels: Mapping[str, str],
) -> None:
    metric = sample.metric
    name = name_of(metric)
    counter = metric.kind is base.Kind.CUMULATIVE
    family = found.get(name)
    if family is None:
        family = metrics_core.Metric(
            name, metric.name, 'counter' if counter else 'gauge'
        )
        found[name] = family
    pairs = zip(sample.labels[::2], sample.labels[1::2], strict=True)
    family.add_sample(
        f'{name}_total' if counter else name,
        {**labels, **{key: label(value) for key, value in pairs}},
        sample.value,
    )
