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


"""Tests of the port from which Prometheus fetches samples."""

import dataclasses
import datetime
import pathlib
import ssl
import unittest
import urllib.error
import urllib.request

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography import x509
import fixtures
from prometheus_client import parser

from nova_qga.agent import plugins
from nova_qga.collectors import base as collectors_base
from nova_qga import errors
from nova_qga.publishers import base
from nova_qga.publishers import prometheus
from nova_qga.tests.fixtures import made_samples

OPTIONS = {
    'listen_address': '127.0.0.1',
    # Any that is free.
    'listen_port': 0,
    'certificate_file': '',
    'key_file': '',
    'client_ca_file': '',
    'max_age': 180.0,
    'max_series': 100,
}


def certify(folder):
    """Make a key and a certificate of 127.0.0.1 in a folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.DNSName('localhost')
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / 'cert.pem').write_bytes(certificate.public_bytes(pem))
    (folder / 'key.pem').write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return {
        'certificate_file': str(folder / 'cert.pem'),
        'key_file': str(folder / 'key.pem'),
    }


def context(**options):
    groups = {prometheus.GROUP: {**OPTIONS, **options}}
    return base.Context('compute-1', None, groups)


class PrometheusTest(fixtures.TestWithFixtures, unittest.TestCase):
    def publisher(self, **options):
        made = prometheus.PrometheusPublisher(context(**options))
        self.addCleanup(made.close)
        return made

    def folder(self):
        return pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def fetch(self, publisher, scheme='http', trusted=None):
        tls = None
        if trusted is not None:
            tls = ssl.create_default_context(cafile=trusted)
        url = f'{scheme}://localhost:{publisher.port}/metrics'
        with urllib.request.urlopen(url, timeout=30, context=tls) as answer:
            text = answer.read().decode()
        return {
            sample.name: sample.value
            for family in parser.text_string_to_metric_families(text)
            for sample in family.samples
        }

    def test_the_last_samples_of_each_guest_are_served(self):
        publisher = self.publisher()
        self.assertEqual(
            0, self.fetch(publisher)['nova_qga_prometheus_guests']
        )
        publisher.publish([made_samples.samples()])
        publisher.publish([made_samples.samples(uuid='other')])
        publisher.publish([made_samples.samples()])
        found = self.fetch(publisher)
        self.assertEqual(2, found['nova_qga_prometheus_guests'])
        self.assertEqual(12.5, found['guest_cpu_seconds_total'])

    def test_a_guest_that_is_not_sampled_any_more_is_left_out(self):
        publisher = self.publisher(max_age=0.0)
        publisher.publish([made_samples.samples()])
        found = self.fetch(publisher)
        self.assertNotIn('guest_cpu_seconds_total', found)
        self.assertEqual(0, found['nova_qga_prometheus_guests'])

    def test_what_is_measured_seldom_stays_while_the_guest_answers(self):
        publisher = self.publisher()
        often = made_samples.samples(
            collectors_base.Sample(made_samples.CPU, 1.0)
        )
        seldom = made_samples.part(
            collectors_base.Sample(made_samples.MEMORY, 2.0), slow=True
        )
        publisher.publish([often._replace(parts=(*often.parts, seldom))])
        publisher.publish([often])
        publisher.publish([often])
        self.assertEqual(
            2.0, self.fetch(publisher)['guest_memory_total_bytes']
        )
        silent = made_samples.part(
            collectors_base.Sample(made_samples.CPU, 3.0), source='hypervisor'
        )
        publisher.publish([often._replace(parts=(silent,))])
        found = self.fetch(publisher)
        self.assertNotIn('guest_memory_total_bytes', found)
        self.assertEqual(3.0, found['guest_cpu_seconds_total'])

    def test_what_the_agent_says_of_itself_is_served_too(self):
        late = collectors_base.Metric(
            'nova_qga.poller.lateness',
            collectors_base.Unit.SECONDS,
            collectors_base.Kind.GAUGE,
        )
        of_agent = dataclasses.replace(
            context(), internals=lambda: [collectors_base.Sample(late, 0.5)]
        )
        publisher = prometheus.PrometheusPublisher(of_agent)
        self.addCleanup(publisher.close)
        found = self.fetch(publisher)
        self.assertEqual(0.5, found['nova_qga_poller_lateness_seconds'])

    def test_tls_is_spoken_with_a_certificate(self):
        files = certify(self.folder())
        publisher = self.publisher(**files)
        found = self.fetch(publisher, 'https', files['certificate_file'])
        self.assertIn('nova_qga_prometheus_guests', found)

    def test_clients_may_need_one_too(self):
        files = certify(self.folder())
        authority = files['certificate_file']
        publisher = self.publisher(**files, client_ca_file=authority)
        with self.assertRaises((urllib.error.URLError, OSError)):
            self.fetch(publisher, 'https', authority)

    def test_a_port_that_somebody_has_is_said(self):
        port = self.publisher().port
        with self.assertRaisesRegex(
            errors.ConfigurationError, f'port {port}.*in use'
        ):
            self.publisher(listen_port=port)

    def test_a_port_is_free_again_after_the_end(self):
        first = prometheus.PrometheusPublisher(context())
        port = first.port
        first.close()
        self.assertEqual(port, self.publisher(listen_port=port).port)

    def test_files_that_cannot_be_used_are_said(self):
        for files in (
            {'certificate_file': '/nowhere', 'key_file': '/nowhere'},
            {'certificate_file': '/etc/passwd', 'key_file': '/etc/passwd'},
            {'certificate_file': '/nowhere'},
            {'client_ca_file': '/nowhere'},
        ):
            with self.subTest(files=files):
                with self.assertRaisesRegex(
                    errors.ConfigurationError, 'certificate'
                ):
                    self.publisher(**files)

    def test_it_keeps_its_port_where_nothing_has_changed(self):
        [first] = self.load(context(), {}).values()
        self.addCleanup(first.close)
        again = self.load(context(), {'prometheus': first})
        self.assertIs(first, again['prometheus'])
        other = self.load(context(max_age=9.0), {'prometheus': first})
        self.addCleanup(other['prometheus'].close)
        self.assertIsNot(first, other['prometheus'])

    def load(self, made_with, known):
        return plugins.load_publishers(['prometheus'], made_with, known)
