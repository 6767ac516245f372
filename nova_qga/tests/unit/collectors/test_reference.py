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

"""The table of metrics in the documentation says what the collectors do."""

import pathlib
import re
import unittest

from nova_qga.collectors import base
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases

PAGE = pathlib.Path(__file__).parents[4] / 'doc/source/admin/metrics.rst'


def table():
    """Rows of the page's table, each a list of its cells."""
    page = PAGE.read_text()
    rows = re.split(r'^   \* - ', page, flags=re.MULTILINE)[2:]
    # The last cell ends where the indented block does.
    return [
        [
            ' '.join(cell.split())
            for cell in re.split(
                r'^     -', row.split('\n\n')[0], flags=re.MULTILINE
            )
        ]
        for row in rows
    ]


def literals(cell):
    return re.findall('``(.+?)``', cell)


def questions():
    """Metric's name -> what collectors may ask for it."""
    asked = {}
    for _, source in cases.SOURCES:
        question = source.question
        is_file = isinstance(question, base.ProcFile)
        answer = recordings.raw('debian-13', question)
        for sample in recordings.read(source, answer):
            names = asked.setdefault(sample.metric.name, set())
            names.add(question.path if is_file else question.name)
    return asked


class ReferenceTest(unittest.TestCase):
    maxDiff = None

    def test_the_page_lists_every_metric_once_with_unit_and_kind(self):
        self.assertEqual(
            [
                (metric.name, metric.unit.value, metric.kind.value)
                for collector in sorted(
                    cases.COLLECTORS.values(), key=self.place
                )
                for metric in collector.metrics
            ],
            [
                (*literals(name), *literals(unit), kind)
                for name, unit, kind, _, _ in table()
            ],
        )

    def place(self, collector):
        """Where the page should have a collector: where it has it first."""
        names = [literals(row[0])[0] for row in table()]
        first = collector.metrics[0].name
        return names.index(first) if first in names else len(names)

    def test_the_page_names_the_labels(self):
        told = {
            sample.metric.name: list(sample.labels[::2])
            for guest in recordings.GUESTS
            for collector in cases.COLLECTORS.values()
            for sample in recordings.samples(guest, collector)
        }
        documented = {
            literals(name)[0]: literals(labels)
            for name, _, _, labels, _ in table()
        }
        self.assertEqual(told, documented)

    def test_the_page_names_the_sources(self):
        asked = questions()
        for name, _, _, _, cell in table():
            with self.subTest(metric=name):
                told, _, _ = cell.partition(', where ')
                self.assertEqual(
                    asked.get(literals(name)[0]), set(literals(told))
                )
