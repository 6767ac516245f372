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

"""What ``metrics show --watch`` shows at a terminal."""

from collections.abc import Mapping, Sequence
import datetime
from typing import Any

from rich import console
from rich import table
from rich import text

from nova_qga.cli import feed
from nova_qga.cli import live
from nova_qga.cli import magnitude
from nova_qga.cli import rates
from nova_qga.cli import untold

_HELP = 'q quit  space, b page'
_WARNING = 'yellow'
#: Width of a number with its prefix.
_NUMBER = 8
#: Width of a source, and that of labels from which on it is shown too.
_SOURCE = 10
_WIDE = 60


class MetricsView:
    """The samples of one guest, and how fast what they count grows.

    :param guest: how it is called
    :param first: what was measured already
    :param told: what is measured from now on
    """

    def __init__(
        self, guest: str, first: feed.Result, told: feed.Feed
    ) -> None:
        self._guest = guest
        self._told = told
        self._rates = rates.Rates()
        self._first = 0
        self._page: int | None = None
        self._asked = 0
        self._result: feed.Result = {}
        self._shown: list[float | None] = []
        self._take(first)

    @property
    def over(self) -> bool:
        return self._told.over

    def press(self, key: str) -> None:
        if key == ' ':
            self._first += self._page or 0
        elif key == 'b':
            self._first = max(0, self._first - (self._page or 0))

    def _take(self, result: feed.Result) -> None:
        self._result = result
        self._shown = self._rates.take(result['samples'])

    def frame(self, size: live.Size, last: bool) -> console.RenderableType:
        [told] = self._told.told().values()
        if told.asked != self._asked and told.result is not None:
            self._take(told.result)
        self._asked = told.asked
        rows = list(zip(self._result['samples'], self._shown, strict=True))
        foot = _foot(self._result, told)
        if not last:
            foot.append(text.Text(_HELP, style='dim', no_wrap=True))
            self._page = max(1, size.height - 4 - len(foot))
            self._first = min(self._first, max(0, len(rows) - 1))
        page = rows
        if self._page is not None:
            page = rows[self._first : self._first + self._page]
        parts: list[console.RenderableType] = [
            self._head(len(page), len(rows)),
            text.Text(),
            _table(page, size.width),
        ]
        if foot:
            parts += [text.Text(), *foot]
        return console.Group(*parts)

    def _head(self, shown: int, total: int) -> text.Text:
        taken = max(
            (
                moment
                for sample in self._result['samples']
                if (moment := rates.seconds(sample.get('timestamp')))
            ),
            default=0.0,
        )
        when = datetime.datetime.fromtimestamp(taken, datetime.UTC)
        at = f'{when:%H:%M:%S}Z' if taken else '-'
        of = f'{self._first + 1}-{self._first + shown}' if shown else '0'
        return _line(f'{self._guest}  {at}  {of} of {total} samples')


def _line(words: str, style: str = '') -> text.Text:
    return text.Text(words, style=style, no_wrap=True, overflow='ellipsis')


def _foot(result: feed.Result, told: feed.Told) -> list[text.Text]:
    lines = untold.lines(result)
    if told.error:
        lines.append(f'No answer: {told.error}')
    return [_line(each, _WARNING) for each in lines]


def _table(
    rows: Sequence[tuple[Mapping[str, Any], float | None]], width: int
) -> table.Table:
    shown = table.Table(
        box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style='bold'
    )
    names = [len(sample['name']) for sample, _ in rows]
    name = min(max([4, *names]), max(4, width // 2))
    # What is left of the line, less the blanks in between.
    labels = max(6, width - name - 2 * _NUMBER - 4 - 4)
    columns = [
        ('NAME', 'left', name),
        ('LABELS', 'left', labels),
        ('VALUE', 'right', _NUMBER),
        ('RATE/S', 'right', _NUMBER),
        ('UNIT', 'left', 4),
    ]
    if labels > _WIDE:
        columns[1] = ('LABELS', 'left', labels - _SOURCE - 1)
        columns.append(('SOURCE', 'left', _SOURCE))
    for title, justify, wide in columns:
        shown.add_column(
            title,
            justify=justify,  # type: ignore[arg-type]
            width=wide,
            no_wrap=True,
            overflow='ellipsis',
        )
    for sample, rate in rows:
        unit = sample['unit']
        row = (
            sample['name'],
            rates.label(sample) or '-',
            magnitude.of_unit(sample['value'], unit),
            magnitude.of_unit(rate, unit),
            unit,
            str(sample.get('source') or '-'),
        )
        shown.add_row(*map(text.Text, row[: len(columns)]))
    return shown
