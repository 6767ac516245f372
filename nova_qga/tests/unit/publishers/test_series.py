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


"""Tests of samples as Prometheus names them."""

import unittest

from hypothesis import given
from hypothesis import strategies
from prometheus_client.openmetrics import parser as om_parser
from prometheus_client import parser

from nova_qga.collectors import base
from nova_qga.publishers import series
from nova_qga.tests.fixtures import made_samples
from nova_qga.tests.fixtures import scraped

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'


class NameTest(unittest.TestCase):
    def test_names_are_those_of_node_exporter_in_base_units(self):
        for name, unit, wanted in (
            ('guest.cpu.time', base.Unit.SECONDS, 'guest_cpu_seconds'),
            (
                'guest.memory.total',
                base.Unit.BYTES,
                'guest_memory_total_bytes',
            ),
            (
                'guest.disk.read.bytes',
                base.Unit.BYTES,
                'guest_disk_read_bytes',
            ),
            ('guest.load.1m', base.Unit.COUNT, 'guest_load_1m'),
            ('guest.uptime', base.Unit.SECONDS, 'guest_uptime_seconds'),
        ):
            metric = base.Metric(name, unit, base.Kind.GAUGE)
            self.assertEqual(wanted, series.name_of(metric))

    def test_every_metric_has_a_name_of_its_own(self):
        metrics = scraped.all_metrics()
        names = {series.name_of(each) for each in metrics}
        self.assertEqual(len(metrics), len(names))
        for name in names:
            self.assertRegex(name, f'^{NAME}$')


class LabelTest(unittest.TestCase):
    def test_what_is_usual_stays(self):
        for value in ('vda', '/var/lib', 'eth0:1', 'C:', 'user', 'ext4'):
            self.assertEqual(value, series.label(value))

    def test_what_is_odd_cannot_reach_a_query_and_stays_apart(self):
        odd = ['x",evil="1', 'x",evil="2', 'a\nb', '{}', '\\', 'é', '/' * 300]
        found = [series.label(value) for value in odd]
        self.assertEqual(len(odd), len(set(found)))
        for value in found:
            self.assertRegex(value, '^[A-Za-z0-9_.:/@ -]{1,128}$')

    @given(strategies.text())
    def test_any_text_becomes_a_plain_one(self, value):
        self.assertLessEqual(len(series.label(value)), 128)


class FamiliesTest(unittest.TestCase):
    def families(self, *sets, most=100):
        found = series.Families(most)
        for each in sets:
            found.add(each)
        return found

    def scrape(self, *sets, most=100):
        found = self.families(*sets, most=most)
        return scraped.samples(''.join(each.text(False) for each in found))

    def counts(self, families):
        return {
            sample.name: sample.value
            for family in families.counts()
            for sample in family.samples
        }

    def test_each_sample_is_a_series_with_its_guest(self):
        found = self.scrape(made_samples.samples())
        guest = {
            'project': 'project-1',
            'resource': made_samples.UUID,
            'domain': 'instance-00000001',
            'source': 'guest',
        }
        self.assertEqual(
            [(guest | {'mode': 'user'}, 12.5)],
            found['guest_cpu_seconds_total'],
        )
        self.assertEqual(
            [(guest, 201326592.0)], found['guest_memory_total_bytes']
        )

    def test_guests_are_counted(self):
        found = self.families(
            made_samples.samples(), made_samples.samples(uuid='other')
        )
        self.assertEqual(2, self.counts(found)['nova_qga_prometheus_guests'])

    def test_a_guest_has_no_more_series_than_allowed(self):
        many = [
            base.Sample(made_samples.READ, n, ('device', f'vd{n}'))
            for n in range(50)
        ]
        sets = (
            made_samples.samples(*many),
            made_samples.samples(uuid='other'),
        )
        found = self.scrape(*sets, most=10)
        self.assertEqual(11, len(found['guest_disk_read_bytes_total']))
        self.assertEqual(
            40,
            self.counts(self.families(*sets, most=10))[
                'nova_qga_prometheus_series_left_out'
            ],
        )

    def test_parts_count_together(self):
        part = made_samples.part(
            *(
                base.Sample(made_samples.READ, n, ('device', f'vd{n}'))
                for n in range(6)
            )
        )
        parts = made_samples.samples()._replace(parts=(part, part, part))
        found = self.families(parts, most=10)
        [family] = found
        self.assertEqual(10, len(family.rows))
        self.assertEqual(8, found.left_out)

    def test_what_is_served_can_be_parsed_in_either_format(self):
        nasty = base.Sample(made_samples.READ, 1, ('device', 'x"\n} # HELP y'))
        odd = made_samples.samples(nasty)._replace(domain='a"\\\n{b')
        [family] = self.families(odd)
        for openmetrics, parse, end in (
            (False, parser.text_string_to_metric_families, ''),
            (True, om_parser.text_string_to_metric_families, '# EOF\n'),
        ):
            [found] = parse(family.text(openmetrics) + end)
            self.assertEqual('guest_disk_read_bytes', found.name)
            self.assertEqual('counter', found.type)
            [sample] = found.samples
            self.assertEqual(odd.domain, sample.labels['domain'])

    @given(
        strategies.text(),
        strategies.text(),
        strategies.floats(allow_nan=False) | strategies.integers(0, 2**64),
    )
    def test_no_value_spoils_the_text(self, label, domain, value):
        sample = base.Sample(made_samples.READ, value, ('device', label))
        made = made_samples.samples(sample)._replace(domain=domain)
        [family] = self.families(made)
        [found] = parser.text_string_to_metric_families(family.text(False))
        [parsed] = found.samples
        self.assertEqual(float(value), parsed.value)
