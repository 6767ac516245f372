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

"""What ``metrics plot`` shows: a plot, and below it a line for each curve."""

from collections.abc import Mapping, Sequence
import datetime
from typing import Any

import plotille
from rich import console
from rich import text

from nova_qga.cli import curves
from nova_qga.cli import feed
from nova_qga.cli import live
from nova_qga.cli import magnitude

#: Curves that are drawn: as many as there are colours.
MOST = 6
COLORS = ('cyan', 'yellow', 'green', 'magenta', 'red', 'blue')
#: Letters at the points of curves, where there are no colours.
MARKS = 'abcdef'

#: What plotille takes of a line for its axes.
_MARGIN = 22
_TICK = 10
#: Lines of a plot at least, and columns.
_LEAST = 5
#: Lines that are not the plot's: the head, the axes, and blanks.
_AROUND = 7


class PlotView:
    """The curves of a metric.

    :param drawn: with what was measured already
    :param told: what is measured from now on
    :param colored: whether there are colours
    """

    def __init__(
        self,
        guest: str,
        drawn: curves.Curves,
        told: feed.Feed,
        colored: bool,
    ) -> None:
        self._guest = guest
        self._drawn = drawn
        self._told = told
        self._colored = colored
        self._asked = 0

    @property
    def over(self) -> bool:
        return self._told.over

    def press(self, key: str) -> None:
        """There is no key but q."""

    def frame(self, size: live.Size, last: bool) -> console.RenderableType:
        self._take()
        [told] = self._told.told().values()
        foot = self._legend()
        if told.error:
            foot.append(_line(f'No answer: {told.error}', 'yellow'))
        if not last:
            foot.append(_line('q quit', 'dim'))
        # At the end the shell's prompt is where the help was.
        below = len(foot) + last
        height = max(_LEAST, size.height - below - _AROUND)
        width = max(_TICK, (size.width - _MARGIN) // _TICK * _TICK)
        return console.Group(
            _line(f'{self._guest}  {self._drawn.metric}, {self._what()}'),
            text.Text(),
            self._plot(width, min(height, width // 2)),
            text.Text(),
            *foot,
        )

    def _take(self) -> None:
        """Take what was measured since."""
        [told] = self._told.told().values()
        if told.asked != self._asked and told.result is not None:
            self._drawn.take(told.result)
        self._asked = told.asked

    def _what(self) -> str:
        unit = {'B': 'bytes', 's': 'seconds'}.get(self._drawn.unit, '')
        if self._drawn.counted:
            return f'{unit} a second' if unit else 'a second'
        return unit or 'number'

    def _unit(self) -> str:
        unit = self._drawn.unit
        return f'{unit}/s' if self._drawn.counted else unit

    def _heaviest(self) -> dict[str, list[curves.Point]]:
        """Return the curves that are drawn, in the order of the guest."""
        found = self._drawn.curves
        heavy = sorted(found, key=lambda label: -_most(found[label]))[:MOST]
        return {label: found[label] for label in found if label in heavy}

    def _plot(self, width: int, height: int) -> text.Text:
        drawn = self._heaviest()
        if not drawn:
            return text.Text('One more look is needed for a rate.')
        figure = plotille.Figure()
        figure.width, figure.height = width, height
        figure.color_mode = 'names'
        figure.with_colors = self._colored
        figure.x_label, figure.y_label = 'UTC', self._unit()
        figure.x_ticks_fkt = _clock
        figure.y_ticks_fkt = lambda low, _: magnitude.of_unit(
            low, self._drawn.unit
        ).rjust(_TICK)
        values = [
            point
            for points in drawn.values()
            for piece in curves.segments(points)
            for point in piece
        ]
        _set_limits(figure, values)
        for number, points in enumerate(drawn.values()):
            for piece in curves.segments(points):
                figure.plot(
                    *zip(*piece, strict=True),
                    lc=COLORS[number] if self._colored else None,
                    marker=None if self._colored else MARKS[number],
                )
        return text.Text.from_ansi(figure.show())

    def _legend(self) -> list[text.Text]:
        drawn = self._heaviest()
        lines = [
            _line(
                f'{"--" if self._colored else MARKS[number]} '
                f'{label or self._drawn.metric}  '
                f'{_numbers(points, self._drawn.unit)}',
                COLORS[number] if self._colored else '',
            )
            for number, (label, points) in enumerate(drawn.items())
        ]
        more = len(self._drawn.curves) - len(drawn)
        if more:
            lines.append(
                _line(f'and {more} more, which have less: choose with --label')
            )
        return lines


def _line(words: str, style: str = '') -> text.Text:
    return text.Text(words, style=style, no_wrap=True, overflow='ellipsis')


def _known(points: Sequence[curves.Point]) -> list[float]:
    return [point.value for point in points if point.value is not None]


def _most(points: Sequence[curves.Point]) -> float:
    return max(_known(points))


def _numbers(points: Sequence[curves.Point], unit: str) -> str:
    known = _known(points)
    figures: Mapping[str, float | None] = {
        'last': points[-1].value,
        'min': min(known),
        'avg': sum(known) / len(known),
        'max': max(known),
    }
    return '  '.join(
        f'{name} {magnitude.of_unit(value, unit)}'
        for name, value in figures.items()
    )


def _set_limits(figure: Any, values: Sequence[tuple[float, float]]) -> None:
    moments, heights = zip(*values, strict=True)
    first, last = min(moments), max(moments)
    # A point alone would have no width, and a flat curve no height.
    figure.set_x_limits(min_=first, max_=max(last, first + 1.0))
    low, high = min(0.0, *heights), max(heights)
    figure.set_y_limits(min_=low, max_=high * 1.05 if high > low else low + 1)


def _clock(moment: float, _: float) -> str:
    when = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    return f'{when:%H:%M:%S}'
