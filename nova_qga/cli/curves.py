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

"""The values of one metric over time, a curve for each set of labels. Pure.

What is counted becomes rates; where one is not known, its curve has a gap.
"""

import collections
from collections.abc import Mapping, Sequence
import difflib
from typing import Any, NamedTuple

from nova_qga.cli import outcome
from nova_qga.cli import rates

#: Points kept of a curve: more than a screen has room for.
MOST = 1000
#: Names that are offered where one is not known.
NEAR = 5

Labels = Mapping[str, str]


class Point(NamedTuple):
    """One value.

    :ivar moment: seconds since the epoch, by the host's clock
    :ivar value: None where it is not known
    """

    moment: float
    value: float | None


class Curves:
    """The curves of one metric of one guest.

    :param labels: those that a sample must have
    :ivar unit: of the values
    :ivar counted: the values are rates a second
    """

    def __init__(self, metric: str, labels: Labels) -> None:
        self.metric = metric
        self.unit = ''
        self.counted = False
        self._labels = labels
        self._rates = rates.Rates()
        self._curves: dict[str, collections.deque[Point]] = {}

    def check(self, result: Mapping[str, Any]) -> None:
        """Refuse a metric that the guest does not tell.

        :param result: as get_metrics returns it
        """
        samples = result['samples']
        named = [s for s in samples if s['name'] == self.metric]
        if not named:
            names = sorted({s['name'] for s in samples})
            raise outcome.Failure(
                f'the guest tells no metric "{self.metric}"; '
                f'{_near(self.metric, names)}',
                outcome.ExitCode.USAGE,
            )
        if not any(self._is_wanted(s) for s in named):
            there = sorted({rates.label(s) or 'none' for s in named})
            raise outcome.Failure(
                f'no sample of "{self.metric}" has these labels; there are '
                + '; '.join(there[:NEAR])
                + (' ...' if there[NEAR:] else ''),
                outcome.ExitCode.USAGE,
            )

    def take(self, result: Mapping[str, Any]) -> None:
        """Add what was measured once more."""
        samples: Sequence[rates.Sample] = result['samples']
        for sample, rate in zip(
            samples, self._rates.take(samples), strict=True
        ):
            moment = rates.seconds(sample.get('timestamp'))
            if moment is None or not self._is_wanted(sample):
                continue
            self.unit = sample['unit']
            self.counted = sample['kind'] == 'cumulative'
            value = rate if self.counted else sample['value']
            curve = self._curves.setdefault(
                rates.label(sample), collections.deque(maxlen=MOST)
            )
            if not curve or curve[-1].moment < moment:
                curve.append(Point(moment, value))

    @property
    def curves(self) -> dict[str, list[Point]]:
        """Labels -> values, of those that were ever known."""
        return {
            label: list(points)
            for label, points in self._curves.items()
            if any(point.value is not None for point in points)
        }

    def _is_wanted(self, sample: rates.Sample) -> bool:
        labels = sample['labels']
        return sample['name'] == self.metric and all(
            labels.get(key) == value for key, value in self._labels.items()
        )


def _near(metric: str, names: Sequence[str]) -> str:
    """Name metrics that may be meant."""
    near = difflib.get_close_matches(metric, names, NEAR, 0.6)
    near += [n for n in names if metric in n and n not in near]
    if not near:
        return '"nova-qga metrics show" lists those that it tells'
    return f'near ones are {", ".join(near[:NEAR])}'


def segments(points: Sequence[Point]) -> list[list[tuple[float, float]]]:
    """Return what is known of a curve in pieces without gaps."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point.value is not None:
            pieces[-1].append((point.moment, point.value))
        elif pieces[-1]:
            pieces.append([])
    return [each for each in pieces if each]
