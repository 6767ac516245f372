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

"""The table that top shows: as many columns as there is room for.

Names are the words of guests' owners, and what a guest says is a guest's: all
of it is text, in which nothing is taken for markup.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich import cells
from rich import table
from rich import text

from nova_qga.cli import magnitude
from nova_qga.cli import usage

#: Width for a guest's name, if it takes that, before any other column; and
#: for any word at most.
MIN_NAME = 16
MAX_WORD = 40
#: Blanks between two columns.
GAP = 1

WARNING = 'yellow'
ALARM = 'bold red'
#: Shares of what there is, from which on they are shown so.
WARN_FROM = 0.85
ALARM_FROM = 0.95


class Column(NamedTuple):
    """One column.

    :ivar width: in characters; 0 for as wide as what is in it
    :ivar rank: the higher, the sooner it is left out
    :ivar sort: what it is sorted by
    :ivar left: it is text, not a number
    """

    title: str
    show: Callable[[usage.Row], str]
    width: int
    rank: int
    sort: str = ''
    left: bool = False


def _word(key: str) -> Callable[[usage.Row], str]:
    return lambda row: '-' if row[key] is None else str(row[key])


def _size(key: str) -> Callable[[usage.Row], str]:
    return lambda row: magnitude.of_bytes(row[key])


def _percent(key: str) -> Callable[[usage.Row], str]:
    return lambda row: magnitude.percent(row[key])


def _load(row: usage.Row) -> str:
    return magnitude.of_number(row['load'])


def _age(row: usage.Row) -> str:
    return magnitude.seconds(row['age'])


def _short_uuid(row: usage.Row) -> str:
    return str(row['instance_uuid'])[:8]


#: As they stand from left to right.
COLUMNS = (
    Column('NAME', _word('name'), 0, -1, usage.NAME, True),
    Column('UUID', _short_uuid, 8, 9, left=True),
    Column('HOST', _word('host'), 0, 5, left=True),
    Column('CPU%', _percent('cpu'), 4, 1, 'cpu'),
    Column('CPUS', _word('vcpus'), 4, 12),
    Column('LOAD', _load, 5, 3, 'load'),
    Column('MEM%', usage.shown_memory, 4, 2, 'memory'),
    Column('MEM', _size('memory_total'), 5, 11),
    Column('FS%', _percent('filesystem'), 4, 6),
    Column('MOUNT', _word('mountpoint'), 0, 13, left=True),
    Column('READ', _size('disk_read'), 5, 4, 'disk'),
    Column('WRITE', _size('disk_write'), 5, 4, 'disk'),
    Column('RX', _size('network_receive'), 5, 4, 'network'),
    Column('TX', _size('network_transmit'), 5, 4, 'network'),
    Column('AGENT', usage.agent, 7, 7, left=True),
    Column('SOURCE', _word('source'), 10, 10, left=True),
    Column('AGE', _age, 4, 8),
    Column('PROJECT', _word('project_id'), 0, 14, left=True),
)
_LONG_UUID = 36


def build(
    rows: Sequence[usage.Row], sort: str, width: int, many_hosts: bool
) -> table.Table:
    """Return the table.

    :param sort: what it is sorted by, a column that is always there
    :param width: of the terminal
    :param many_hosts: they are of more than one
    """
    shown = table.Table(
        box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style='bold'
    )
    columns = fit(rows, sort, width, many_hosts)
    for column in columns:
        shown.add_column(
            text.Text(
                column.title,
                style='reverse' if column.sort == sort else '',
            ),
            justify='left' if column.left else 'right',
            width=column.width,
            no_wrap=True,
            overflow='ellipsis',
        )
    for row in rows:
        shown.add_row(*(_cell(column, row) for column in columns))
    return shown


def fit(
    rows: Sequence[usage.Row], sort: str, width: int, many_hosts: bool
) -> list[Column]:
    """Return the columns for which there is room, with their widths."""

    def rank(column: Column) -> int:
        if column.sort == sort:
            return min(0, column.rank)
        # Where there is but one host, its name is no news.
        return 15 if column.title == 'HOST' and not many_hosts else column.rank

    left = width + GAP
    chosen: dict[str, Column] = {}
    for column in sorted(COLUMNS, key=rank):
        needed = column.width or _widest(column, rows)
        if column.title == 'NAME':
            needed = min(needed, MIN_NAME, max(1, width))
        if left < needed + GAP:
            break
        left -= needed + GAP
        chosen[column.title] = column._replace(width=needed)
    name = chosen['NAME']
    more = min(max(0, _widest(name, rows) - name.width), left)
    chosen['NAME'] = name._replace(width=name.width + more)
    left -= more
    if 'UUID' in chosen and left >= _LONG_UUID - chosen['UUID'].width:
        chosen['UUID'] = chosen['UUID']._replace(
            show=_word('instance_uuid'), width=_LONG_UUID
        )
    return [chosen[c.title] for c in COLUMNS if c.title in chosen]


def _widest(column: Column, rows: Sequence[usage.Row]) -> int:
    """Return how wide a column of words would like to be."""
    widths = [cells.cell_len(column.show(row)) for row in rows]
    return min(max([cells.cell_len(column.title), *widths]), MAX_WORD)


def _cell(column: Column, row: usage.Row) -> text.Text:
    return text.Text(column.show(row), style=_style(column, row))


def _style(column: Column, row: usage.Row) -> str:
    if row['state'] != 'running':
        return 'dim'
    if column.title == 'AGENT' and row['agent'] != 'up':
        return WARNING
    share = {
        'CPU%': row['cpu'],
        'MEM%': usage.memory(row),
        'FS%': row['filesystem'],
    }.get(column.title)
    if share is None or share < WARN_FROM:
        return ''
    return WARNING if share < ALARM_FROM else ALARM
