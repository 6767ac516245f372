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

"""Make samples of a row of values, and of the rows of many devices.

How many devices there are, and their names, is the guest's choice: too many
are not measured, so that it cannot flood what stores the samples.
"""

from collections.abc import Mapping, Sequence
import itertools

from nova_qga.collectors import base

#: Devices of one kind that are measured in one guest, the first it names.
MAX_DEVICES = 64

# Sample(...), for less: it is paid some 40 times a guest and minute.
_new = tuple.__new__
_SAMPLE = base.Sample


def samples(
    metrics: Sequence[base.Metric],
    values: Sequence[float | None],
    labels: tuple[str, ...] = (),
) -> list[base.Sample]:
    """Return a sample for each metric whose value is known.

    :param values: in the order of ``metrics``, None for one not known
    """
    row = zip(metrics, values, itertools.repeat(labels))
    return [_new(_SAMPLE, each) for each in row if each[1] is not None]


def samples_by_label(
    metric: base.Metric,
    labels: Sequence[tuple[str, ...]],
    values: Sequence[float | None],
) -> list[base.Sample]:
    """Return a sample of one metric for each label whose value is known.

    :param values: in the order of ``labels``; there may be fewer
    """
    row = zip(itertools.repeat(metric), values, labels)
    return [_new(_SAMPLE, each) for each in row if each[1] is not None]


def device_samples(
    metrics: Sequence[base.Metric],
    devices: Mapping[str, Sequence[float | None]],
) -> list[base.Sample]:
    """Return the samples of each device, labelled ``device``.

    :param devices: name -> values, as above
    """
    rows: list[base.Sample] = []
    for name, values in itertools.islice(devices.items(), MAX_DEVICES):
        rows += samples(metrics, values, ('device', name))
    return rows
