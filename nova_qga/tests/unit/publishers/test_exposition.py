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

"""Tests of answers to Prometheus's fetches."""

import gzip
import unittest

from prometheus_client.openmetrics import parser as om_parser
from prometheus_client import parser

from nova_qga.publishers import exposition
from nova_qga.publishers import series
from nova_qga.tests.fixtures import made_samples


class ExpositionTest(unittest.TestCase):
    def fetch(self, method='GET', **headers):
        """Fetch a page of one guest; headers and body of the answer."""

        def page():
            found = series.Families(100)
            found.add(made_samples.samples())
            return exposition.Page(found, found.counts())

        def start(status, headers):
            self.status, self.headers = status, dict(headers)

        asked = {
            f'HTTP_{name.upper()}': text for name, text in headers.items()
        }
        asked['REQUEST_METHOD'] = method
        return b''.join(exposition.application(page)(asked, start))

    def names(self, families):
        return {
            sample.name for family in families for sample in family.samples
        }

    def check(self, names):
        self.assertEqual('200 OK', self.status)
        self.assertLessEqual(
            {'guest_cpu_seconds_total', 'nova_qga_prometheus_guests'}, names
        )

    def test_whoever_names_no_format_gets_the_plain_one(self):
        text = self.fetch().decode()
        self.check(self.names(parser.text_string_to_metric_families(text)))
        self.assertIn('version=0.0.4', self.headers['Content-Type'])

    def test_openmetrics_is_served_to_who_wants_it(self):
        text = self.fetch(
            accept='application/openmetrics-text;version=1.0.0,'
            'text/plain;version=0.0.4;q=0.5'
        ).decode()
        self.check(self.names(om_parser.text_string_to_metric_families(text)))
        self.assertIn('openmetrics', self.headers['Content-Type'])

    def test_it_is_compressed_for_who_can_read_that(self):
        plain = self.fetch()
        body = self.fetch(accept_encoding='deflate, gzip')
        self.assertEqual('gzip', self.headers['Content-Encoding'])
        self.assertEqual(plain, gzip.decompress(body))

    def test_nothing_but_fetching_is_done(self):
        self.fetch('POST')
        self.assertTrue(self.status.startswith('405'))
