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

"""Tests of a POST to one receiver, which may do what it likes."""

import base64
import pathlib
import socket
import ssl
import unittest

import fixtures

from nova_qga import errors
from nova_qga.publishers import address
from nova_qga.publishers import receiver
from nova_qga.tests.fixtures import certificates
from nova_qga.tests.fixtures import http_receiver


class ReceiverTest(fixtures.TestWithFixtures, unittest.TestCase):
    def run_receiver(self, *arguments):
        return self.useFixture(http_receiver.HttpReceiver(*arguments))

    def client(self, url, timeout=30.0, tls=None, proxy='', **secrets):
        made = receiver.Receiver(
            address.Address('[qga_http]url', url, **secrets),
            receiver.Settings(
                timeout, tls or ssl.create_default_context(), proxy
            ),
        )
        self.addCleanup(made.close)
        return made

    def post(self, url, **more):
        self.client(url, **more).post(b'{}\n', 'text/plain')

    def refuse(self, kind, words, url, **more):
        with self.assertRaisesRegex(kind, words) as caught:
            self.post(url, **more)
        self.assertNotIn('S3cret', repr(caught.exception))
        self.assertIsNone(caught.exception.__cause__)


class AnswerTest(ReceiverTest):
    def test_a_body_is_posted_over_a_connection_that_is_kept(self):
        there = self.run_receiver()
        client = self.client(there.url)
        for _ in range(3):
            client.post(b'{"n": 1}\n', 'application/x-ndjson')
            came = there.next()
            self.assertEqual('/in?key=S3cret', came.path)
            self.assertEqual(b'{"n": 1}\n', came.body)
            self.assertEqual(
                'application/x-ndjson', came.headers['Content-Type']
            )
        self.assertEqual(1, there.connections)

    def test_what_may_be_taken_later_is_told_from_what_is_refused(self):
        there = self.run_receiver()
        for status, kind in (
            (429, errors.ServiceUnavailable),
            (500, errors.ServiceUnavailable),
            (503, errors.ServiceUnavailable),
            (401, errors.OperationFailed),
            (404, errors.OperationFailed),
            (413, errors.OperationFailed),
        ):
            with self.subTest(status=status):
                there.answer = http_receiver.with_status(status, b'S3cret')
                self.refuse(kind, f'http://localhost:.* {status}', there.url)

    def test_a_redirect_is_not_followed(self):
        there, elsewhere = self.run_receiver(), self.run_receiver()
        there.answer = http_receiver.with_status(307, Location=elsewhere.url)
        self.refuse(
            errors.OperationFailed, '307; see .qga_http.url', there.url
        )
        self.assertEqual([], elsewhere.all())

    def test_a_cookie_is_not_kept(self):
        there = self.run_receiver()
        there.answer = http_receiver.with_status(200, **{'Set-Cookie': 'a=b'})
        client = self.client(there.url)
        for _ in range(2):
            client.post(b'', 'text/plain')
            self.assertNotIn('Cookie', there.next().headers)

    def test_an_answer_without_end_is_not_read_to_the_end(self):
        there = self.run_receiver()
        there.answer = there.flood
        self.post(there.url)
        self.assertFalse(there.go_on.is_set())

    def test_one_that_hangs_is_given_up(self):
        there = self.run_receiver()
        there.answer = there.hang
        self.refuse(
            errors.ServiceUnavailable, 'within 0.2 s', there.url, timeout=0.2
        )

    def test_one_that_drips_is_given_up_too(self):
        there = self.run_receiver()
        there.answer = there.drip
        self.refuse(
            errors.ServiceUnavailable, 'within 0.5 s', there.url, timeout=0.5
        )

    def test_one_that_was_given_up_can_be_posted_to_again(self):
        there = self.run_receiver()
        client = self.client(there.url, timeout=0.5)
        there.answer = there.drip
        with self.assertRaises(errors.ServiceUnavailable):
            client.post(b'1', 'text/plain')
        there.answer = http_receiver.with_status(200, b'ok')
        client.post(b'2', 'text/plain')
        self.assertEqual([b'1', b'2'], [each.body for each in there.all()])

    def test_one_that_is_not_there_is_told(self):
        with socket.socket() as unused:
            unused.bind(('127.0.0.1', 0))
            port = unused.getsockname()[1]
            self.refuse(
                errors.ServiceUnavailable,
                f'http://127.0.0.1:{port}: nothing answers',
                f'http://127.0.0.1:{port}/?key=S3cret',
            )

    def test_a_name_that_is_none_is_told(self):
        self.refuse(
            errors.ServiceUnavailable,
            'cannot be resolved',
            'http://nowhere.invalid/?key=S3cret',
        )

    def test_what_is_no_http_is_told(self):
        there = self.run_receiver()
        there.answer = lambda handler: handler.wfile.write(b'S3cret\r\n' * 9)
        self.refuse(errors.ServiceUnavailable, 'failed', there.url)


class TrustedTest(ReceiverTest):
    def setUp(self):
        super().setUp()
        self.certificate = self.useFixture(certificates.Certificate())
        self.trusting = ssl.create_default_context(
            cafile=self.certificate.certificate
        )


class TlsTest(TrustedTest):
    def test_one_with_a_trusted_certificate_is_posted_to(self):
        there = self.run_receiver(self.certificate)
        client = self.client(there.url, tls=self.trusting)
        for _ in range(2):
            client.post(b'x', 'text/plain')
        self.assertEqual(1, there.connections)

    def test_another_is_not(self):
        there = self.run_receiver(self.certificate)
        self.refuse(
            errors.ServiceUnavailable,
            'TLS: .*certificate verify failed',
            there.url,
        )
        self.assertEqual([], there.all())

    def test_nor_is_one_whose_certificate_has_another_name(self):
        other = self.useFixture(certificates.Certificate('elsewhere'))
        there = self.run_receiver(other)
        trusting = ssl.create_default_context(cafile=other.certificate)
        self.refuse(
            errors.ServiceUnavailable, 'TLS: .*', there.url, tls=trusting
        )
        self.assertEqual([], there.all())

    def test_one_that_asks_for_a_certificate_is_shown_it(self):
        ours = self.useFixture(certificates.Certificate())
        there = self.run_receiver(self.certificate, ours.certificate)
        self.trusting.load_cert_chain(ours.certificate, ours.key)
        self.post(there.url, tls=self.trusting)
        self.assertEqual(1, len(there.all()))

    def test_one_that_hangs_in_its_handshake_is_given_up(self):
        with socket.create_server(('127.0.0.1', 0)) as silent:
            port = silent.getsockname()[1]
            self.refuse(
                errors.ServiceUnavailable,
                'within 0.3 s',
                f'https://localhost:{port}/?key=S3cret',
                timeout=0.3,
            )

    def test_one_that_drips_over_tls_is_given_up(self):
        there = self.run_receiver(self.certificate)
        there.answer = there.drip
        self.refuse(
            errors.ServiceUnavailable,
            'within 0.5 s',
            there.url,
            timeout=0.5,
            tls=self.trusting,
        )


class SecretTest(TrustedTest):
    def file(self, text):
        folder = self.useFixture(fixtures.TempDir()).path
        path = pathlib.Path(folder, 'secret')
        path.write_text(text)
        return str(path)

    def test_a_token_comes_from_its_file_each_time_anew(self):
        there = self.run_receiver(self.certificate)
        token = self.file('t0ken-1\n')
        client = self.client(there.url, tls=self.trusting, token_file=token)
        for number in (1, 2):
            pathlib.Path(token).write_text(f't0ken-{number}\n')
            client.post(b'x', 'text/plain')
            self.assertEqual(
                f'Bearer t0ken-{number}', there.next().headers['Authorization']
            )

    def test_a_password_does_too(self):
        there = self.run_receiver(self.certificate)
        self.post(
            there.url,
            tls=self.trusting,
            username='nova',
            password_file=self.file('pa ss:wörd'),
        )
        kind, value = there.next().headers['Authorization'].split()
        self.assertEqual('Basic', kind)
        self.assertEqual('nova:pa ss:wörd', base64.b64decode(value).decode())

    def test_a_file_that_is_gone_is_told(self):
        self.refuse(
            errors.ServiceUnavailable,
            '/nowhere/token, .* No such file',
            'https://localhost:1/?key=S3cret',
            token_file='/nowhere/token',
        )


class ProxyTest(ReceiverTest):
    def test_the_environment_says_nothing_of_proxies(self):
        for name in ('http_proxy', 'HTTP_PROXY', 'all_proxy'):
            self.useFixture(
                fixtures.EnvironmentVariable(name, 'http://127.0.0.1:1')
            )
        there = self.run_receiver()
        self.post(there.url)
        self.assertEqual(1, len(there.all()))

    def test_one_that_is_named_is_gone_by(self):
        proxy = self.run_receiver()
        self.post('http://nowhere.invalid/x', proxy=proxy.url)
        self.assertEqual('http://nowhere.invalid/x', proxy.next().path)


class AddressTest(unittest.TestCase):
    def test_only_the_host_is_shown(self):
        there = address.Address('o', 'https://host:8443/S3cret?key=S3cret')
        self.assertEqual('https://host:8443', there.shown)
        there.check('o')

    def test_what_is_no_address_is_refused_and_not_repeated(self):
        for url in (
            'S3cret',
            'ftp://S3cret/',
            'http:///S3cret',
            'http://host:S3cret/',
            'http://host/S3cret\n',
            'http://host/S3cret here',
            'http://host/#S3cret',
            'http://user:S3cret@host/',
            'http://S3cret@host/',
            'http://[S3cret/',
        ):
            with self.subTest(url=url):
                with self.assertRaises(errors.ConfigurationError) as caught:
                    address.check_url('[qga_http]url', url)
                self.assertIn('[qga_http]url', str(caught.exception))
                self.assertNotIn('S3cret', str(caught.exception))
