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

"""Tests of samples that are posted, to an address for each project."""

import json
import pathlib
import unittest

import fixtures

from nova_qga.collectors import base
from nova_qga import errors
from nova_qga.publishers import http
from nova_qga.publishers import outlet
from nova_qga.publishers import payload
from nova_qga.publishers import worker
from nova_qga.tests.fixtures import certificates
from nova_qga.tests.fixtures import http_receiver
from nova_qga.tests.fixtures import made_samples
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import publisher_context


def refuse_large(handler):
    large = int(handler.headers['Content-Length']) > 65536
    http_receiver.with_status(413 if large else 204)(handler)


class HttpCase(fixtures.TestWithFixtures, unittest.TestCase):
    def make(self, **options):
        made = http.HttpPublisher(publisher_context.of(http.GROUP, **options))
        self.addCleanup(made.close)
        return made

    def run_receiver(self, *arguments):
        return self.useFixture(http_receiver.HttpReceiver(*arguments))

    def file(self, text):
        folder = self.useFixture(fixtures.TempDir()).path
        path = pathlib.Path(folder, 'secret')
        path.write_text(text)
        return str(path)


class PublishTest(HttpCase):
    def test_each_guest_is_a_line_as_it_would_be_told(self):
        there = self.run_receiver()
        samples = [made_samples.samples(uuid=each) for each in 'ab']
        self.make(url=there.url).publish(samples)
        came = there.next()
        self.assertEqual('application/x-ndjson', came.headers['Content-Type'])
        told = [payload.of(each, 'compute-1') for each in samples]
        self.assertEqual(json.loads(json.dumps(told)), came.records())

    def test_what_is_too_large_is_posted_as_several(self):
        samples = [made_samples.samples(uuid=str(n)) for n in range(9)]
        one = len(next(http.bodies(samples[:1], 'compute-1', 1)))
        found = list(http.bodies(samples, 'compute-1', 4 * one))
        self.assertEqual([4, 4, 1], [each.count(b'\n') for each in found])
        self.assertEqual(9, len(list(http.bodies(samples, 'compute-1', 1))))
        self.assertEqual([], list(http.bodies([], 'compute-1', 1)))

    def test_a_body_that_is_refused_costs_no_other_guest_s_samples(self):
        there = self.run_receiver()
        huge = base.Sample(made_samples.READ, 1, ('device', 'x' * 70000))
        samples = [made_samples.samples(uuid=each) for each in 'abc']
        samples[1] = made_samples.samples(huge, uuid='b')
        there.answer = refuse_large
        publisher = self.make(url=there.url, max_bytes=65536)
        with self.assertRaisesRegex(errors.OperationFailed, '413'):
            publisher.publish(samples)
        taken = [
            record['instance_id']
            for each in there.all()
            for record in each.records()
        ]
        self.assertEqual(['a', 'b', 'c'], taken)


class RouteTest(HttpCase):
    def test_the_guests_of_a_project_go_to_its_own_address(self):
        host, tenant = self.run_receiver(), self.run_receiver()
        publisher = self.make(url=host.url, project_urls={'p': tenant.url})
        for project, there in (('p', tenant), ('q', host), ('', host)):
            publisher.publish([made_samples.samples(project=project)])
            [record] = there.next().records()
            self.assertEqual(project, record['tenant_id'])
        self.assertEqual([], host.all() + tenant.all())

    def test_other_projects_go_nowhere_where_there_is_no_address(self):
        tenant = self.run_receiver()
        publisher = self.make(project_urls={'p': tenant.url})
        self.assertIsNone(publisher.route(made_samples.samples(project='q')))
        self.assertEqual(
            f'{tenant.url.partition("/in")[0]} of project p',
            publisher.route(made_samples.samples(project='p')),
        )

    def test_projects_with_one_address_share_what_is_posted(self):
        there = self.run_receiver()
        publisher = self.make(project_urls={'p': there.url, 'q': there.url})
        self.assertEqual(
            *(
                publisher.route(made_samples.samples(project=each))
                for each in 'pq'
            )
        )

    def test_the_token_for_the_host_s_address_goes_to_no_project(self):
        certificate = self.useFixture(certificates.Certificate())
        host, first, second = (
            self.run_receiver(certificate) for _ in range(3)
        )
        publisher = self.make(
            url=host.url,
            token_file=self.file('of-the-host'),
            project_urls={'p': first.url, 'q': second.url},
            project_token_files={'q': self.file('of-the-tenant')},
            ca_file=certificate.certificate,
        )
        for project, there, wanted in (
            ('', host, 'Bearer of-the-host'),
            ('p', first, None),
            ('q', second, 'Bearer of-the-tenant'),
        ):
            publisher.publish([made_samples.samples(project=project)])
            headers = there.next().headers
            self.assertEqual(wanted, headers.get('Authorization'))


class HangingTest(HttpCase):
    def test_one_address_that_hangs_holds_up_no_other(self):
        bad, good = self.run_receiver(), self.run_receiver()
        bad.answer = bad.hang
        publishing = outlet.Outlet(
            'http',
            self.make(
                project_urls={'bad': bad.url, 'good': good.url},
                batch_size=1,
                timeout=300.0,
            ),
        )
        for number in range(20):
            for project in ('bad', 'good'):
                publishing.put(
                    made_samples.samples(uuid=str(number), project=project)
                )
        for number in range(20):
            [record] = good.next().records()
            self.assertEqual(str(number), record['instance_id'])
        self.assertEqual(1, len(bad.all()))
        process.wait_until(lambda: publishing.counts().published == 20, 30)
        counts = publishing.counts()
        self.assertEqual((20, 19), (counts.published, counts.waiting))
        publishing.close(0.0)

    def test_what_was_not_taken_is_posted_again_in_its_order(self):
        self.useFixture(
            fixtures.MonkeyPatch('nova_qga.publishers.worker.FIRST_PAUSE', 0.1)
        )
        there = self.run_receiver()
        there.answer = http_receiver.with_status(503)
        publishing = outlet.Outlet(
            'http', self.make(url=there.url, batch_size=1)
        )
        with self.assertLogs(worker.__name__, 'WARNING') as logged:
            publishing.put(made_samples.samples(uuid='a'))
            there.next()
            there.answer = http_receiver.with_status(204)
            publishing.put(made_samples.samples(uuid='b'))
            come = [there.next().records()[0]['instance_id'] for _ in 'ab']
        self.assertEqual(['a', 'b'], come)
        self.assertIn('answers with 503', logged.output[0])
        self.assertNotIn('S3cret', logged.output[0])
        publishing.close(10).join(30)


class OptionTest(HttpCase):
    def refuse(self, words, **options):
        with self.assertRaisesRegex(
            errors.ConfigurationError, words
        ) as caught:
            self.make(**options)
        self.assertNotIn('S3cret', str(caught.exception))

    def test_without_an_address_there_is_nothing_to_do(self):
        self.refuse('neither .qga_http.url nor project_urls')

    def test_addresses_that_are_none_are_said(self):
        self.refuse(r'\[qga_http\]url is no address', url='S3cret')
        self.refuse(
            'project_urls of project p has a user name',
            project_urls={'p': 'https://user:S3cret@host/'},
        )
        self.refuse(
            r'\[qga_http\]proxy is no address',
            url='https://host/',
            proxy='S3cret',
        )

    def test_files_that_cannot_be_used_are_said(self):
        there = 'https://host/'
        self.refuse('cannot be used: No such', url=there, ca_file='/nowhere')
        self.refuse('cannot be used', url=there, ca_file=self.file('S3cret'))
        self.refuse('set together', url=there, certificate_file='/nowhere')
        self.refuse('No such file', url=there, token_file='/nowhere')
        self.refuse('it is empty', url=there, token_file=self.file('\n'))
        self.refuse(
            'it is no token', url=there, token_file=self.file('S3cret too')
        )
        self.refuse('set together', url=there, username='nova')
        self.refuse(
            'a token and a password',
            url=there,
            token_file=self.file('S3cret'),
            username='nova',
        )

    def test_no_secret_goes_over_plain_http(self):
        self.refuse(
            r'\[qga_http\]url is no https: address',
            url='http://host/',
            token_file=self.file('S3cret'),
        )

    def test_a_token_for_a_project_without_an_address_is_said(self):
        self.refuse(
            'project_token_files has q',
            project_urls={'p': 'https://host/'},
            project_token_files={'q': '/nowhere'},
        )

    def test_no_secret_stands_in_what_it_is_made_with(self):
        publisher = self.make(url='https://host/S3cret')
        self.assertNotIn('S3cret', repr(publisher.context))


class ChangeTest(HttpCase):
    def test_a_certificate_that_was_renewed_counts_as_a_change(self):
        certificate = self.useFixture(certificates.Certificate())
        options = {
            'url': 'https://host/',
            'ca_file': certificate.certificate,
        }
        publisher = self.make(**options)
        context = publisher_context.of(http.GROUP, **options)
        self.assertTrue(publisher.is_current(context))
        certificate.renew()
        self.assertFalse(publisher.is_current(context))

    def test_options_of_others_do_not(self):
        publisher = self.make(url='https://host/')
        context = publisher_context.of('qga_jsonl', path='/elsewhere')
        context.options[http.GROUP]['url'] = 'https://host/'
        self.assertTrue(publisher.is_current(context))
        context.options[http.GROUP]['url'] = 'https://other/'
        self.assertFalse(publisher.is_current(context))
