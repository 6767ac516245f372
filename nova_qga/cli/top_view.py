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

"""What top shows at a terminal: a head, the table, and who is silent."""

from collections.abc import Callable, Mapping, Sequence
import datetime

from rich import console
from rich import text

from nova_qga.cli import every_host
from nova_qga.cli import feed
from nova_qga.cli import live
from nova_qga.cli import usage
from nova_qga.cli import usage_table

#: Seconds after which a host that has not answered yet is named.
PATIENCE = 5.0
#: Lines that one reason why hosts are silent may take.
MAX_LINES = 3

_SORT_KEYS = {
    'c': 'cpu',
    'm': 'memory',
    'd': 'disk',
    'n': 'network',
    'l': 'load',
    'a': usage.NAME,
}
_HELP = (
    'q quit  sort: c cpu, m memory, d disk, n network, l load, a name  '
    'space, b page'
)


class TopView:
    """The guests of some hosts.

    :param hosts: their answers
    :param left_out: host -> why it is not asked
    :param on_sort: called when the order is to be another
    :ivar sort: what the guests are sorted by
    """

    def __init__(
        self,
        hosts: feed.Feed,
        left_out: Mapping[str, str],
        sort: str,
        on_sort: Callable[[], None],
    ) -> None:
        self.sort = sort
        self._hosts = hosts
        self._left_out = left_out
        self._on_sort = on_sort
        self._first = 0
        #: Rows that there was room for; None while it was never shown.
        self._page: int | None = None

    @property
    def over(self) -> bool:
        return self._hosts.over

    @property
    def missing(self) -> dict[str, str]:
        """Hosts of which nothing is known now -> why."""
        told = self._hosts.told().items()
        return {
            **self._left_out,
            **{name: each.error for name, each in told if each.error},
        }

    def press(self, key: str) -> None:
        if key in _SORT_KEYS:
            self.sort = _SORT_KEYS[key]
            self._first = 0
            self._on_sort()
        elif key == ' ':
            self._first += self._page or 0
        elif key == 'b':
            self._first = max(0, self._first - (self._page or 0))

    def frame(self, size: live.Size, last: bool) -> console.RenderableType:
        told = self._hosts.told()
        results = {
            name: _aged(each)
            for name, each in told.items()
            if each.result is not None
        }
        rows = usage.rows(results, self.sort)
        foot = self._foot(told, size.width)
        if not last:
            foot.append(text.Text(_HELP, style='dim', no_wrap=True))
            # A head, a blank, the titles; and a blank above the foot.
            self._page = max(1, size.height - 4 - len(foot))
        if self._page is not None:
            self._first = min(self._first, max(0, len(rows) - 1))
            rows = rows[self._first : self._first + self._page]
        parts: list[console.RenderableType] = [
            self._head(results, len(told), len(rows)),
            text.Text(),
            usage_table.build(
                rows,
                self.sort,
                size.width,
                len(told) + len(self._left_out) > 1,
            ),
        ]
        if foot:
            parts += [text.Text(), *foot]
        return console.Group(*parts)

    def _head(
        self, results: Mapping[str, feed.Result], hosts: int, shown: int
    ) -> text.Text:
        now = datetime.datetime.now(datetime.UTC)
        total = sum(each['total'] for each in results.values())
        running = sum(each['running'] for each in results.values())
        of = f'{self._first + 1}-{self._first + shown} of ' if shown else ''
        return text.Text(
            f'nova-qga top {now:%H:%M:%S}Z  {len(results)} of {hosts} hosts  '
            f'{of}{total} guests, {running} running  by {self.sort}',
            no_wrap=True,
            overflow='ellipsis',
        )

    def _foot(
        self, told: Mapping[str, feed.Told], width: int
    ) -> list[text.Text]:
        """Return lines about hosts that do not answer."""
        silent = [
            f'No answer of {name} for {each.waiting:.0f} s'
            for name, each in told.items()
            if each.waiting > PATIENCE and not each.error
        ]
        lines = every_host.fates(self.missing) + silent
        return [
            line
            for each in lines
            for line in _wrapped(each, width)[:MAX_LINES]
        ]


def _aged(told: feed.Told) -> feed.Result:
    """Return an answer with the ages that its samples have now."""
    result = told.result or {}
    guests: Sequence[usage.Row] = result['guests']
    return {
        **result,
        'guests': [
            {**guest, 'age': guest['age'] + told.age}
            if guest['age'] is not None
            else guest
            for guest in guests
        ],
    }


def _wrapped(line: str, width: int) -> list[text.Text]:
    made = text.Text(line, style=usage_table.WARNING)
    return list(made.wrap(console.Console(width=width), width))
