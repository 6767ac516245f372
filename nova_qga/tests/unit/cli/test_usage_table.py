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

"""The table of top: columns by their rank, and text that stays text."""

import io
import unittest

from rich import cells
from rich import console

from nova_qga.cli import usage
from nova_qga.cli import usage_table
from nova_qga.tests.fixtures import fake_api

UUID = fake_api.UUID


def row(host='compute-1', **more):
    return {**fake_api.used(**more), 'host': host}


def titles(rows, width, sort='cpu', many_hosts=True):
    columns = usage_table.fit(rows, sort, width, many_hosts)
    return [column.title for column in columns]


def lines(rows, width, sort='cpu'):
    written = io.StringIO()
    shown = console.Console(
        file=written, width=width, markup=False, highlight=False, emoji=False
    )
    shown.print(usage_table.build(rows, sort, width, True))
    return written.getvalue().splitlines()


class FitTest(unittest.TestCase):
    def test_eighty_columns_show_what_matters_most(self):
        self.assertEqual(
            [
                'NAME',
                'HOST',
                'CPU%',
                'LOAD',
                'MEM%',
                'FS%',
                'READ',
                'WRITE',
                'RX',
                'TX',
                'AGENT',
                'AGE',
            ],
            titles([row()], 80),
        )

    def test_a_wide_terminal_shows_all_and_whole_uuids(self):
        rows = [row()]
        self.assertEqual(
            [column.title for column in usage_table.COLUMNS],
            titles(rows, 200),
        )
        _, line = lines(rows, 200)
        self.assertIn(UUID, line)
        self.assertNotIn('…', line)

    def test_what_it_is_sorted_by_is_always_there(self):
        for sort in usage.SORTS:
            columns = usage_table.fit([row()], sort, 30, True)
            with self.subTest(sort=sort):
                self.assertIn(sort, [column.sort for column in columns])

    def test_of_one_host_the_name_is_no_news(self):
        self.assertNotIn('HOST', titles([row()], 80, many_hosts=False))
        self.assertIn('HOST', titles([row()], 200, many_hosts=False))

    def test_no_line_is_wider_than_the_terminal(self):
        names = (
            'web',
            'x' * 64,
            '数据库服务器-データベース-서버-数据库服务器',
            '[bold red]markup[/]',
        )
        rows = [
            row(name=name, mountpoint='/' + name, cpu=cpu)
            for name in names
            for cpu in (None, 0.0, 1.0)
        ]
        for width in range(1, 240):
            for line in lines(rows, width):
                self.assertLessEqual(cells.cell_len(line), width)


class BuildTest(unittest.TestCase):
    def test_markup_and_emoji_are_words(self):
        for name in ('[red]x[/red]', '[/]', ':smile:', '[link=http://x]y'):
            _, line = lines([row(name=name)], 80)
            self.assertIn(name, line)

    def test_what_is_not_known_is_a_dash(self):
        rows = [{**fake_api.unknown(UUID, name='dark'), 'host': 'c1'}]
        _, line = lines(rows, 80)
        self.assertEqual(['up', '-'], line.split()[-2:])
        self.assertEqual(['-'] * 8, line.split()[-10:-2])

    def test_a_guest_that_does_not_run_shows_its_state(self):
        off = fake_api.unknown(UUID, state='shutoff', agent=None)
        _, line = lines([{**off, 'host': 'c1'}], 80)
        self.assertIn(' shutoff ', line)
