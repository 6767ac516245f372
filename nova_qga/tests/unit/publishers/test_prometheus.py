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

import contextlib
import dataclasses
import itertools
import socket
import ssl
import unittest
import urllib.error
import urllib.request

import fixtures
from prometheus_client import parser

from nova_qga.collectors import base as collectors_base
from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.publishers import listener
from nova_qga.publishers import prometheus
from nova_qga.tests.fixtures import certificates
from nova_qga.tests.fixtures import made_samples
from nova_qga.tests.fixtures import publisher_context


def context(**options):
    """As by default, but on any port that is free."""
    options.setdefault('listen_port', 0)
    return publisher_context.of(prometheus.GROUP, **options)


class PrometheusTest(fixtures.TestWithFixtures, unittest.TestCase):
    def publisher(self, **options):
        made = prometheus.PrometheusPublisher(context(**options))
        self.addCleanup(made.close)
        return made

    def certify(self):
        """A certificate, and the options that have it used."""
        made = self.useFixture(certificates.Certificate())
        return made, {
            'certificate_file': made.certificate,
            'key_file': made.key,
        }

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
        asked_again = sample_set.Part('guest', 1.0, [], True)
        publisher.publish([often._replace(parts=(*often.parts, asked_again))])
        self.assertNotIn('guest_memory_total_bytes', self.fetch(publisher))
        publisher.publish([often._replace(parts=(*often.parts, seldom))])
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
        made, options = self.certify()
        publisher = self.publisher(**options)
        found = self.fetch(publisher, 'https', made.certificate)
        self.assertIn('nova_qga_prometheus_guests', found)

    def test_clients_may_need_one_too(self):
        made, options = self.certify()
        publisher = self.publisher(**options, client_ca_file=made.certificate)
        with self.assertRaises((urllib.error.URLError, OSError)):
            self.fetch(publisher, 'https', made.certificate)

    def test_a_client_that_says_nothing_holds_up_no_other(self):
        made, options = self.certify()
        publisher = self.publisher(**options)
        with socket.create_connection(('127.0.0.1', publisher.port)):
            self.fetch(publisher, 'https', made.certificate)

    def test_clients_that_drip_have_a_time_and_are_few(self):
        self.useFixture(
            fixtures.MonkeyPatch('nova_qga.publishers.listener.TIMEOUT', 0.5)
        )
        publisher = self.publisher()
        with contextlib.ExitStack() as held:
            for _ in range(listener.MOST):
                client = socket.create_connection(
                    ('127.0.0.1', publisher.port), 30
                )
                held.enter_context(client)
                client.sendall(b'GET / HTTP/1.1\r\nX: ')
            # Turned away at once, or served when there is a place again.
            with contextlib.suppress(urllib.error.URLError, OSError):
                self.fetch(publisher)
            self.assertEqual(b'', client.recv(1))
        self.fetch(publisher)

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

    def test_it_is_the_same_where_nothing_has_changed(self):
        first = self.publisher()
        self.assertTrue(first.is_current(context()))
        self.assertFalse(first.is_current(context(max_age=9.0)))

    def test_what_has_changed_is_served_on_the_same_port(self):
        first = self.publisher()
        port = first.port
        first.publish([made_samples.samples()])
        made, options = self.certify()
        # As if it had been configured with the port that it got.
        first._listener.place = listener.Place('127.0.0.1', port)
        other = first.renewed(context(listen_port=port, **options))
        self.addCleanup(other.close)
        first._listener.close()
        found = self.fetch(other, 'https', made.certificate)
        self.assertEqual(port, other.port)
        self.assertEqual(1, found['nova_qga_prometheus_guests'])

    def test_what_does_not_fit_leaves_it_as_it_was(self):
        first = self.publisher()
        first._listener.place = listener.Place('127.0.0.1', first.port)
        with self.assertRaises(errors.ConfigurationError):
            first.renewed(
                context(listen_port=first.port, certificate_file='/nowhere')
            )
        self.fetch(first)

    def test_a_certificate_that_was_renewed_counts_as_a_change(self):
        made, options = self.certify()
        publisher = self.publisher(**options)
        self.assertTrue(publisher.is_current(context(**options)))
        made.renew()
        self.assertFalse(publisher.is_current(context(**options)))

    def test_a_guest_that_gives_new_names_each_time_makes_no_more_series(self):
        publisher = self.publisher(max_label_sets=10)
        names = itertools.count()
        seen = set()
        with self.assertLogs(prometheus.__name__, 'WARNING') as logged:
            for _ in range(50):
                taken = made_samples.samples(
                    *(
                        collectors_base.Sample(
                            made_samples.READ,
                            1,
                            ('device', f'vd{next(names)}'),
                        )
                        for _ in range(4)
                    )
                )
                publisher.publish([taken])
                seen |= {
                    labels
                    for family in publisher.page().guests
                    for _, labels, _ in family.rows
                }
        self.assertEqual({f',device="vd{n}"' for n in range(10)}, seen)
        found = self.fetch(publisher)
        self.assertEqual(4, found['nova_qga_prometheus_series_left_out'])
        self.assertEqual(1, len(logged.records))
        self.assertIn(made_samples.UUID, logged.output[0])
