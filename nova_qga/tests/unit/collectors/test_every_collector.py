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

"""What holds for every collector, whatever a guest answers."""

import json
import math
from typing import Any
import unittest

import hypothesis
from hypothesis import strategies
import orjson

from nova_qga.collectors import base
from nova_qga.collectors import cpu
from nova_qga.collectors import percpu
from nova_qga.collectors import rows
from nova_qga import errors
from nova_qga.guest import figures
from nova_qga.protocol import reading
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases
from nova_qga import text

OF_FILES = [
    (collector, source)
    for collector, source in cases.SOURCES
    if isinstance(source.question, base.ProcFile)
]
OF_COMMANDS = [pair for pair in cases.SOURCES if pair not in OF_FILES]

#: Debian 13 has no record of who is logged in.
SILENT = [('debian-13', 'users')]

#: Hypothesis' examples are the same in each run.
SETTINGS = hypothesis.settings(
    deadline=None, max_examples=400, derandomize=True, database=None
)

_ODD_NUMBERS: strategies.SearchStrategy[Any] = strategies.sampled_from(
    [-1, 0, 1, 5.0, 2**63, 2**64 - 1, 1e308, True, None, '5', [], {}]
)
JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers(-(2**63), 2**64 - 1)
    | strategies.floats(allow_nan=False, allow_infinity=False)
    | strategies.text(max_size=5),
    lambda inner: (
        strategies.lists(inner, max_size=4)
        | strategies.dictionaries(strategies.text(max_size=5), inner)
    ),
    max_leaves=8,
)


@strategies.composite
def damaged_content(draw, content):
    """A real file with a piece of it replaced."""
    start = draw(strategies.integers(0, len(content)))
    length = draw(strategies.integers(0, 60))
    return (
        content[:start]
        + draw(strategies.binary(max_size=30))
        + content[start + length :]
    )


@strategies.composite
def damaged_reply(draw, reply):
    """A real reply with a few members replaced or gone."""
    copy = json.loads(json.dumps(reply))
    for _ in range(draw(strategies.integers(1, 3))):
        node = copy
        while True:
            keys = list(node) if type(node) is dict else list(range(len(node)))
            if not keys:
                break
            key = draw(strategies.sampled_from(keys))
            child = node[key]
            if type(child) in (dict, list) and draw(strategies.booleans()):
                node = child
                continue
            if draw(strategies.booleans()):
                node[key] = draw(_ODD_NUMBERS | JSON)
            else:
                del node[key]
            break
    return copy


def content_of(source):
    return recordings.content('debian-13', source.question.path)


def reply_of(source):
    return recordings.reply('debian-13', source.question.name)


class EveryCollectorTest(unittest.TestCase):
    maxDiff = None

    def check(self, collector, source, answer):
        """Check what comes of an answer that may be anything."""
        try:
            samples = recordings.read(source, answer)
        except errors.InvalidReply:
            return
        self.check_samples(collector, samples)

    def check_samples(self, collector, samples):
        told = [(sample.metric, sample.labels) for sample in samples]
        self.assertEqual(len(told), len(set(told)), 'a sample is repeated')
        most = max(
            rows.MAX_DEVICES * len(collector.metrics),
            percpu.MAX_CPUS * len(cpu.MODES),
        )
        self.assertLessEqual(len(samples), most)
        for sample in samples:
            self.assertIsInstance(sample, base.Sample)
            self.assertIn(sample.metric, collector.metrics)
            self.check_value(sample.value)
            self.check_labels(sample.labels)

    def check_value(self, value):
        self.assertIn(type(value), (int, float))
        self.assertTrue(math.isfinite(value))
        self.assertGreaterEqual(value, 0)
        if type(value) is int:
            self.assertLessEqual(value, reading.UINT64_MAX)
        orjson.dumps(value)

    def check_labels(self, labels):
        self.assertIs(tuple, type(labels))
        self.assertEqual(0, len(labels) % 2)
        for name, value in zip(labels[::2], labels[1::2], strict=True):
            self.assertTrue(name.isidentifier())
            self.assertTrue(value.isprintable())
            self.assertLessEqual(len(value), 10 * text.LIMIT + len('...'))

    @SETTINGS
    @hypothesis.given(strategies.data())
    def test_any_bytes_give_good_samples_or_are_refused(self, data):
        collector, source = data.draw(strategies.sampled_from(OF_FILES))
        content = data.draw(
            strategies.binary(max_size=200)
            | damaged_content(content_of(source))
        )
        self.check(collector, source, content)

    @SETTINGS
    @hypothesis.given(strategies.data())
    def test_any_json_gives_good_samples_or_is_refused(self, data):
        collector, source = data.draw(strategies.sampled_from(OF_COMMANDS))
        reply = data.draw(JSON | damaged_reply(reply_of(source)))
        self.check(collector, source, reply)

    def test_real_answers_give_good_samples(self):
        for guest in recordings.GUESTS:
            for name, collector in cases.COLLECTORS.items():
                for source in collector.select(recordings.enabled(guest)):
                    with self.subTest(guest=guest, collector=name):
                        answer = recordings.raw(guest, source.question)
                        self.check(collector, source, answer)
                        if (guest, name) not in SILENT:
                            self.assertTrue(recordings.read(source, answer))

    @SETTINGS
    @hypothesis.given(strategies.data())
    def test_any_figures_of_the_hypervisor_give_good_samples(self, data):
        stats = data.draw(damaged_reply(recordings.domain_stats()))
        if type(stats) is dict:
            known = figures.read(stats, 1.0)
            for collector in cases.COLLECTORS.values():
                self.check_samples(collector, collector.stand_in(known))

    def test_every_metric_is_told_by_some_guest(self):
        known = recordings.hypervisor_figures()
        of_files = cases.COLLECTORS['filesystems']
        extended = {
            of_files: recordings.samples(recordings.EXTENDED, of_files)
        }
        told = {
            sample.metric
            for guest in recordings.GUESTS
            for collector in cases.COLLECTORS.values()
            for sample in (
                *extended.get(collector, ()),
                *recordings.samples(guest, collector),
                *collector.stand_in(known),
            )
        }
        self.assertEqual(
            {m for c in cases.COLLECTORS.values() for m in c.metrics}, told
        )

    def test_no_name_means_two_things(self):
        metrics = [m for c in cases.COLLECTORS.values() for m in c.metrics]
        names = [metric.name for metric in metrics]
        self.assertEqual(sorted(set(names)), sorted(names))

    def test_what_is_asked_changes_nothing_in_the_guest(self):
        for _, source in OF_COMMANDS:
            with self.subTest(command=source.question.name):
                self.assertFalse(source.question.has_effect)

    def test_an_agent_without_commands_is_asked_nothing(self):
        for name, collector in cases.COLLECTORS.items():
            with self.subTest(collector=name):
                self.assertEqual((), tuple(collector.select({})))
