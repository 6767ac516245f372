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

"""A report that the old script has sent, and what we measure instead. Pure.

How it named its figures, and in which units, only its operator knows: names
and factors come from a file of his.
"""

from collections.abc import Iterable, Mapping
import math
from typing import Any, NamedTuple

from nova_qga.cli import json_file

#: Bytes of each of the two files, and figures in it.
MAX_BYTES = 1024 * 1024
MAX_FIGURES = 10_000


class Ours(NamedTuple):
    """What a figure is called here.

    :ivar labels: that a sample must have
    :ivar factor: from its unit to ours
    """

    metric: str
    labels: Mapping[str, str]
    factor: float


class Row(NamedTuple):
    """One figure, both ways.

    :ivar reported: by the script, in our unit; None where it is no number
    :ivar measured: now, the sum of all samples with these labels
    :ivar difference: in percent of what was reported
    :ivar note: why there is none
    """

    figure: str
    reported: float | None
    metric: str | None = None
    measured: float | None = None
    unit: str | None = None
    kind: str | None = None
    source: str | None = None
    difference: float | None = None
    note: str | None = None


def parse_report(name: str, found: Any) -> dict[str, float | None]:
    """Return the figures of a report; None for what is no number.

    :param found: what the file ``name`` holds
    :raises Failure: it is no object, or too large
    """
    if not isinstance(found, dict) or not 0 < len(found) <= MAX_FIGURES:
        raise json_file.refused(
            name,
            f'a report is one object of 1 to {MAX_FIGURES} names and their '
            'values',
        )
    return {figure: _number(value) for figure, value in found.items()}


def parse_names(name: str, found: Any) -> dict[str, Ours]:
    """Return what figures are called here.

    :param found: what the file ``name`` holds: the script's name -> ours, or
        an object with ``metric`` and, where need be, ``labels`` and
        ``factor``
    :raises Failure: the message says what is wrong
    """
    if not isinstance(found, dict) or len(found) > MAX_FIGURES:
        raise json_file.refused(
            name, f'it is no object of up to {MAX_FIGURES} names'
        )
    return {
        figure: _ours(name, figure, entry) for figure, entry in found.items()
    }


def compare(
    report: Mapping[str, float | None],
    names: Mapping[str, Ours],
    samples: Iterable[Mapping[str, Any]],
) -> list[Row]:
    """Return a row for each figure of a report."""
    measured = list(samples)
    known = {each['name'] for each in measured}
    rows = []
    for figure, reported in report.items():
        ours = names.get(figure)
        if ours is None and figure in known:
            ours = Ours(figure, {}, 1.0)
        rows.append(_row(figure, reported, ours, measured))
    return rows


def _row(
    figure: str,
    reported: float | None,
    ours: Ours | None,
    samples: list[Mapping[str, Any]],
) -> Row:
    if reported is None:
        return Row(figure, None, note='it is no number')
    if ours is None:
        return Row(figure, reported, note='no name of ours is given for it')
    reported *= ours.factor
    if not math.isfinite(reported):
        return Row(figure, None, ours.metric, note='it is too large a number')
    fitting = [
        each
        for each in samples
        if each['name'] == ours.metric
        and ours.labels.items() <= each['labels'].items()
    ]
    if not fitting:
        return Row(
            figure, reported, ours.metric, note='it is not measured here'
        )
    value = sum(each['value'] for each in fitting)
    return Row(
        figure,
        reported,
        ours.metric,
        value,
        fitting[0]['unit'],
        fitting[0]['kind'],
        '+'.join(sorted({each['source'] for each in fitting})),
        _percent(value, reported),
    )


def _percent(value: float, of: float) -> float | None:
    if not of:
        return None
    found = (value - of) / abs(of) * 100
    return round(found, 1) if math.isfinite(found) else None


def _number(value: Any) -> float | None:
    # A text may be anything, an address with a password too.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _ours(name: str, figure: str, entry: Any) -> Ours:
    where = f'"{json_file.shown(figure)}"'
    if isinstance(entry, str):
        return Ours(entry, {}, 1.0)
    if not isinstance(entry, dict) or not isinstance(entry.get('metric'), str):
        raise json_file.refused(
            name,
            f'{where}: it is neither a name of a metric nor an object with '
            '"metric"',
        )
    labels = entry.get('labels', {})
    factor = _number(entry.get('factor', 1))
    unknown = entry.keys() - {'metric', 'labels', 'factor'}
    if unknown:
        raise json_file.refused(
            name,
            f'{where}: "{json_file.shown(min(unknown))}" is neither '
            '"metric", "labels" nor "factor"',
        )
    if not isinstance(labels, dict) or not all(
        isinstance(each, str) for each in labels.values()
    ):
        raise json_file.refused(
            name, f'{where}: its labels are no object of texts'
        )
    if not factor:
        raise json_file.refused(
            name, f'{where}: its factor is no number but 0'
        )
    return Ours(entry['metric'], labels, factor)
