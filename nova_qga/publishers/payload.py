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

"""The samples of guests as flat records, for notifications and files.

Source: ceilometer/meter/notifications.py: a meter definition needs every
field that it looks up in every sample, and two samples of one name and
resource at one time would be one measure to Gnocchi.
"""

from collections.abc import Iterable
import datetime
import hashlib
from typing import Any

from nova_qga.collectors import base as collectors_base
from nova_qga.collectors import sample_set

#: Its first number changes when a reader must.
SCHEMA_VERSION = '1.0'

#: Characters of a name in an id. Gnocchi refuses ids over 255, and with
#: one all samples that come in the same message.
_LONGEST = 200


def of(samples: sample_set.SampleSet, host: str) -> dict[str, Any]:
    """Return the record of one guest's samples.

    :param host: that measured it
    """
    return {
        'schema_version': SCHEMA_VERSION,
        **_owner(samples),
        'host': host,
        'samples': _samples(samples),
    }


def of_several(
    batch: Iterable[sample_set.SampleSet], host: str
) -> dict[str, Any]:
    """Return one record of several guests: each sample says whose it is."""
    return {
        'schema_version': SCHEMA_VERSION,
        'host': host,
        'samples': [
            {**sample, **owner}
            for each in batch
            for owner in [_owner(each)]
            for sample in _samples(each)
        ],
    }


def _owner(samples: sample_set.SampleSet) -> dict[str, str]:
    return {
        'instance_id': samples.instance_uuid,
        'display_name': samples.name,
        'tenant_id': samples.project_id,
        'user_id': samples.user_id,
    }


def _samples(samples: sample_set.SampleSet) -> list[dict[str, Any]]:
    uuid = samples.instance_uuid
    return [
        _sample(each, uuid, timestamp, part.source)
        for part in samples.parts
        for timestamp in [_moment(part.timestamp)]
        for each in part.samples
    ]


def _moment(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec='milliseconds')


def _sample(
    sample: collectors_base.Sample, uuid: str, timestamp: str, source: str
) -> dict[str, Any]:
    metric, value, pairs = sample
    labels = {}
    if pairs:
        labels = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return {
        'name': metric.name,
        'type': metric.kind.value,
        'unit': metric.unit.value,
        'volume': value,
        'resource_id': uuid + _part(labels) if labels else uuid,
        'timestamp': timestamp,
        'source': source,
        'labels': labels,
    }


def _part(labels: dict[str, str]) -> str:
    """Return what tells apart what would else be one resource.

    ``<uuid>-<device>`` is Ceilometer's own style.
    """
    if 'device' in labels:
        return f'-{_cut(labels["device"])}'
    if 'mode' in labels:
        # Of one CPU, or of all of them.
        names = ('cpu', labels.get('cpu', ''), labels['mode'])
        return ''.join(f'-{name}' for name in names if name)
    return ''


def _cut(value: str) -> str:
    """Return a value that a guest has chosen, not too long.

    One that is cut ends with a digest of the whole, so that two stay two.
    """
    if len(value) <= _LONGEST:
        return value
    digest = hashlib.sha256(value.encode()).hexdigest()[:12]
    return f'{value[: _LONGEST - 13]}-{digest}'
