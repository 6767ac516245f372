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


"""The samples of one guest as an outcome has them. Pure."""

import datetime
from typing import Any

from nova_qga.collectors import base
from nova_qga.collectors import sample_set


def of(samples: sample_set.SampleSet) -> dict[str, Any]:
    """Return samples in what JSON can carry."""
    return {
        'samples': [
            _sample(each, part.source, taken)
            for part in samples.parts
            for taken in [moment(part.timestamp)]
            for each in part.samples
        ],
        'missing': dict(samples.missing),
    }


def moment(seconds: float) -> str:
    """Return a time since the epoch in ISO 8601."""
    when = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return when.isoformat(timespec='milliseconds')


def _sample(sample: base.Sample, source: str, taken: str) -> dict[str, Any]:
    labels = zip(sample.labels[::2], sample.labels[1::2], strict=True)
    return {
        'name': sample.metric.name,
        'value': sample.value,
        'unit': sample.metric.unit.value,
        'kind': sample.metric.kind.value,
        'labels': dict(labels),
        'source': source,
        'timestamp': taken,
    }
