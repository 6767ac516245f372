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

"""How fast what is counted grows, from one look at a guest to the next. Pure.

As the agent makes them of the samples that it takes: of one boot and one
source, and never of a counter that went back.
"""

from collections.abc import Mapping, Sequence
import datetime
from typing import Any

Sample = Mapping[str, Any]

_BOOT = 'guest.boot.info'
_UPTIME = 'guest.uptime'
_CUMULATIVE = 'cumulative'

_Key = tuple[Any, ...]


class Rates:
    """Rates of one guest."""

    def __init__(self) -> None:
        #: Which sample -> when it was taken, and its value.
        self._before: dict[_Key, tuple[float, float]] = {}
        self._boots: dict[_Key, Any] = {}

    def take(self, samples: Sequence[Sample]) -> list[float | None]:
        """Return the rate of each sample a second; None where there is none.

        :param samples: as get_metrics returns them
        """
        boots = {_key(s): _boot(s) for s in samples if _tells_boot(s)}
        if any(_other(self._boots.get(key), b) for key, b in boots.items()):
            self._before = {}
        self._boots = boots
        before, self._before = self._before, {}
        return [self._rate(sample, before) for sample in samples]

    def _rate(
        self, sample: Sample, before: Mapping[_Key, tuple[float, float]]
    ) -> float | None:
        moment = seconds(sample.get('timestamp'))
        if sample['kind'] != _CUMULATIVE or moment is None:
            return None
        key, value = _key(sample), sample['value']
        self._before[key] = moment, value
        if key not in before:
            return None
        then, old = before[key]
        if moment <= then or value < old:
            return None
        rate: float = (value - old) / (moment - then)
        return rate


def seconds(moment: str | None) -> float | None:
    """Return a time in ISO 8601 in seconds since the epoch."""
    try:
        return datetime.datetime.fromisoformat(moment or '').timestamp()
    except (ValueError, OverflowError):
        return None


def label(sample: Sample) -> str:
    """Return what tells a sample from others of its name."""
    return ','.join(
        f'{key}={value}' for key, value in sample['labels'].items()
    )


def _key(sample: Sample) -> _Key:
    if sample['name'] == _BOOT:
        return (_BOOT, sample.get('source'))
    return (sample['name'], label(sample), sample.get('source'))


def _tells_boot(sample: Sample) -> bool:
    return sample['name'] in (_BOOT, _UPTIME)


def _boot(sample: Sample) -> Any:
    return label(sample) if sample['name'] == _BOOT else sample['value']


def _other(before: Any, now: Any) -> bool:
    """Tell whether this is another boot than the one before."""
    if before is None:
        return False
    # The name of a boot, or how long ago it was.
    return bool(before != now if isinstance(now, str) else before > now)
