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

"""The tables of metrics in the documentation say what the collectors do."""

import itertools
import re
import unittest

from nova_qga.collectors import agent
from nova_qga.collectors import base
from nova_qga.conf import monitor
from nova_qga.protocol import commands
from nova_qga.tests.fixtures import doc_pages
from nova_qga.tests.fixtures import known_agents
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.fixtures import scraped
from nova_qga.tests.unit.collectors import cases

PAGE = 'admin/metrics.rst'
#: A guest that tells the most of it, for each question.
GUESTS = ('debian-13', recordings.EXTENDED, 'debian-12')
BUILDERS = (
    commands.get_cpustats,
    commands.get_diskstats,
    commands.get_filesystems,
    commands.get_interface_counters,
    commands.get_load,
    commands.get_osinfo,
    commands.get_users,
)


def table(title):
    """Rows of a table of the page, each a list of its cells."""
    return [
        # The last cell ends where the indented block does.
        [' '.join(cell.split('\n\n')[0].split()) for cell in row]
        for row in doc_pages.rows(PAGE, title)
    ]


def literals(cell):
    return re.findall('``(.+?)``', cell)


def answered():
    """Collector, source and samples of what is asked of recorded guests."""
    for collector, guest in itertools.product(
        cases.COLLECTORS.values(), GUESTS
    ):
        listed = recordings.enabled(guest)
        for enabled in (listed, cases.FILES):
            sources = list(collector.select(enabled))
            if guest == recordings.EXTENDED:
                # It was recorded for these alone.
                sources = [each for each in sources if each.then is not None]
            while sources:
                source = sources.pop()
                answer = recordings.raw(guest, source.question)
                yield source, recordings.read(source, answer)
                if source.then is not None:
                    sources += source.then(source.question.read(answer))


def questions():
    """Metric's name -> what collectors may ask for it."""
    asked = {}
    for source, samples in answered():
        question = source.question
        is_file = isinstance(question, base.ProcFile)
        for sample in samples:
            names = asked.setdefault(sample.metric.name, set())
            names.add(question.path if is_file else question.name)
    return asked


def standing_in():
    """What the hypervisor tells of a recorded guest."""
    known = recordings.hypervisor_figures()
    for collector in cases.COLLECTORS.values():
        yield from collector.stand_in(known)


class ReferenceTest(unittest.TestCase):
    maxDiff = None

    def test_the_page_lists_every_metric_with_names_unit_and_kind(self):
        self.assertEqual(
            [
                (
                    metric.name,
                    scraped.name_of(metric),
                    metric.unit.value,
                    metric.kind.value,
                )
                for metric in self.metrics()
            ],
            [
                (*literals(name + prometheus), *literals(unit), kind)
                for name, prometheus, unit, kind, _, _ in table('Metrics')
            ],
        )

    def metrics(self):
        """All of them, collector by collector, in the page's order."""
        listed = [literals(name)[0] for name, *_ in table('Collectors')]
        self.assertEqual(set(cases.COLLECTORS), set(listed))
        for name in listed:
            yield from cases.COLLECTORS[name].metrics
        yield from agent.METRICS

    def test_the_page_names_the_labels(self):
        found = [sample for _, samples in answered() for sample in samples]
        found += standing_in()
        found += agent.answered('7.2.22', 1.0, 1.0)
        told = {
            sample.metric.name: list(sample.labels[::2]) for sample in found
        }
        self.assertEqual(
            told,
            {
                literals(name)[0]: literals(labels)
                for name, _, _, _, labels, _ in table('Metrics')
            },
        )

    def test_the_page_names_the_sources(self):
        asked = questions()
        of_host = {metric.name for metric in agent.METRICS}
        stand_ins = {sample.metric.name for sample in standing_in()}
        for cell, *_, source in table('Metrics'):
            [name] = literals(cell)
            with self.subTest(metric=name):
                self.assertEqual(asked.get(name, set()), set(literals(source)))
                self.assertEqual(name in stand_ins, 'the hypervisor' in source)
                self.assertEqual(name in of_host, source == 'the host')

    def test_the_page_says_since_which_agent_a_command_is_there(self):
        since = {}
        for builder in BUILDERS:
            [version] = re.findall(r'\(([^)]+)\)', builder.__doc__)
            since[builder().name] = version
        since[commands.get_inodes('/').name] = 'operators add it'
        documented = {
            found
            for *_, source in table('Metrics')
            for found in re.findall(r'``(guest-.+?)`` \(([^)]+)\)', source)
        }
        self.assertEqual(set(since.items()), documented)
        every = re.findall(
            '``guest-', ''.join(r[-1] for r in table('Metrics'))
        )
        told = re.findall(
            r'``guest-[^`]+`` \(', ''.join(r[-1] for r in table('Metrics'))
        )
        self.assertEqual(len(every), len(told))

    def test_real_agents_have_a_command_since_then(self):
        versions = {'debian-11': 5.2, 'debian-12': 7.2, 'debian-13': 10.0}
        for builder in BUILDERS:
            [since] = re.findall(r'\((\d+\.\d+)', builder.__doc__)
            for guest, version in versions.items():
                with self.subTest(command=builder().name, guest=guest):
                    self.assertEqual(
                        version >= float(since),
                        builder().name in recordings.enabled(guest),
                    )

    def test_the_page_says_who_tells_what_of_a_guest(self):
        columns = (
            known_agents.ALL_OF_GUEST,
            known_agents.DEBIAN['bullseye', 'block'],
            known_agents.DEBIAN['bookworm', 'block'],
            known_agents.DEBIAN['trixie', 'allow'],
            known_agents.WINDOWS,
            known_agents.NO_AGENT,
        )
        self.assertEqual(
            {
                figure: [column[figure] for column in columns]
                for figure in known_agents.FIGURES
            },
            {
                figure: [cell or known_agents.UNKNOWN for cell in cells]
                for figure, *cells in table('By agent')
            },
        )

    def test_the_page_says_what_a_collector_is_for_and_when_it_is_asked(self):
        [option] = [o for o in monitor.OPTS if o.name == 'collectors']
        for name, default, period, prefixes in table('Collectors'):
            collector = cases.COLLECTORS[literals(name)[0]]
            with self.subTest(collector=name):
                self.assertEqual(
                    'yes' if literals(name)[0] in option.default else 'no',
                    default,
                )
                self.assertEqual(
                    'slow' if collector.slow else 'interval', period
                )
                for metric in collector.metrics:
                    self.assertTrue(
                        metric.name.startswith(tuple(literals(prefixes))),
                        metric.name,
                    )
