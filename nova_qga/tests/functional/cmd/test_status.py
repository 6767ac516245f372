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

"""The real nova-qga-status, beside a real libvirtd, RabbitMQ and Nova."""

import json
import pathlib
import re
import subprocess
import sys
import unittest

import fixtures

from nova_qga.tests.fixtures import libvirtd
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import rabbitmq
from nova_qga.tests.fixtures import shared

PROGRAM = pathlib.Path(sys.executable).with_name('nova-qga-status')
DOC = (
    pathlib.Path(__file__).resolve().parents[4]
    / 'doc/source/admin/upgrade-check.rst'
)
SECRET = 'cafe-babe-55'
ALL_GOOD = {
    'Options': 0,
    'Nova extension': 0,
    'libvirt': 0,
    'Message broker': 0,
    'Ceilometer definitions': 0,
}


class StatusTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.folder = self.useFixture(process.ShortFolder()).path

    def write(self, text='', *, uri=None, transport_url=None):
        """A configuration; of a host that works, unless told otherwise."""
        file = self.folder / 'nova.conf'
        file.write_text(
            f'{text}\n'
            f'[DEFAULT]\ntransport_url = {transport_url or self.url()}\n'
            f'[qga_agent]\nlibvirt_uri = {uri or "qemu:///system"}\n'
        )
        return file

    def url(self):
        return shared.broker().url

    def run_program(self, *words, file=None):
        options = [f'--config-file={file}'] if file else []
        return subprocess.run(
            [str(PROGRAM), *options, *words],
            capture_output=True,
            text=True,
            timeout=120,
        )

    def check(self, *words, file=None, guests=False):
        """The exit code, and each check's result and details.

        Without guests it need not load Nova, which takes a second.
        """
        where = () if guests else ('--controller',)
        done = self.run_program(
            f'--ceilometer-dir={self.folder / "ceilometer"}',
            *(*where, *words, 'upgrade', 'check', '--json'),
            file=file or self.write(),
        )
        self.assertNotIn(SECRET, done.stdout + done.stderr)
        self.assertEqual('', done.stderr)
        checks = json.loads(done.stdout)['checks']
        return (
            done.returncode,
            {each['check']: each['result'] for each in checks},
            {each['check']: each['details'] for each in checks},
        )


class DocumentationTest(unittest.TestCase):
    def test_every_check_stands_in_the_documentation_in_order(self):
        page = DOC.read_text().partition('\nChecks\n')[2]
        table = page.partition('\nExit codes\n')[0]
        documented = re.findall(r'^   \* - (.+)$', table, re.MULTILINE)
        self.assertEqual(['Check', *ALL_GOOD], documented)


class GoodHostTest(StatusTest):
    def test_all_is_well_on_a_compute_host_that_works(self):
        file = self.write(uri=shared.host().uri)
        code, results, details = self.check(file=file, guests=True)
        self.assertEqual((0, ALL_GOOD), (code, results))
        self.assertIn(f'in {sys.prefix}', details['Nova extension'])
        self.assertIn('127.0.0.1:', details['Message broker'])

    def test_a_person_gets_a_table(self):
        file = self.write(uri=shared.host().uri)
        done = self.run_program('upgrade', 'check', file=file)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        for name in ALL_GOOD:
            self.assertIn(f'| Check: {name} ', done.stdout)
        self.assertEqual(5, done.stdout.count('| Result: Success'))

    def test_a_controller_needs_neither_nova_compute_nor_libvirt(self):
        file = self.write(uri='qemu+unix:///system?socket=/nowhere')
        code, results, details = self.check(file=file)
        self.assertEqual((0, ALL_GOOD), (code, results))
        self.assertIn('--controller', details['libvirt'])


class BadHostTest(StatusTest):
    def worse(self, results):
        """What is not good."""
        return {name: result for name, result in results.items() if result}

    def test_stopped_services_are_failures_until_they_are_back(self):
        host = self.useFixture(libvirtd.Libvirtd())
        broker = self.useFixture(rabbitmq.RabbitMQ())
        file = self.write(uri=host.uri, transport_url=broker.url)
        code, results, _ = self.check(file=file, guests=True)
        self.assertEqual((0, ALL_GOOD), (code, results))
        host.stop()
        broker.stop()
        code, results, details = self.check(file=file, guests=True)
        self.assertEqual(2, code)
        self.assertEqual(
            {'libvirt': 2, 'Message broker': 2}, self.worse(results)
        )
        self.assertIn('start libvirtd', details['libvirt'])
        self.assertIn('Connection refused', details['Message broker'])
        self.assertIn('transport_url', details['Message broker'])
        host.start()
        _, results, _ = self.check(file=file, guests=True)
        self.assertEqual({'Message broker': 2}, self.worse(results))

    def test_a_broker_that_refuses_us_is_a_failure_without_the_password(self):
        url = self.url().replace('guest:guest@', f'guest:{SECRET}@')
        _, results, details = self.check(file=self.write(transport_url=url))
        self.assertEqual({'Message broker': 2}, self.worse(results))
        self.assertIn('correct user and password', details['Message broker'])

    def test_a_url_that_is_none_is_a_failure_without_the_password(self):
        for url in (
            f'rabit://guest:{SECRET}@127.0.0.1:5672/',
            f'rabbit://guest:{SECRET}@127.0.0.1:port/',
            f'rabbit://guest:{SECRET}@127.0.0.1:{rabbitmq.free_port()}/',
            f'{SECRET}',
        ):
            with self.subTest(url):
                file = self.write(transport_url=url)
                code, results, details = self.check(file=file)
                self.assertEqual(2, code)
                self.assertEqual({'Message broker': 2}, self.worse(results))
                self.assertIn('transport_url', details['Message broker'])

    def test_an_option_of_the_broker_s_that_is_wrong_is_named(self):
        file = self.write(f'[oslo_messaging_rabbit]\nssl = {SECRET}')
        _, results, details = self.check(file=file)
        self.assertEqual({'Message broker': 2}, self.worse(results))
        self.assertIn('option ssl ', details['Message broker'])

    def test_wrong_options_are_failures_and_the_rest_is_checked_still(self):
        file = self.write(
            '[qga]\nchannel_policy = some\n[qga_monitor]\ncollectors = gpu'
        )
        code, results, details = self.check(file=file)
        self.assertEqual(2, code)
        self.assertEqual({'Options': 2}, self.worse(results))
        first, second = details['Options'].split('\n')
        self.assertTrue(first.startswith('(1) [qga]channel_policy: '), first)
        self.assertIn('(2) [qga_monitor]collectors names gpu', second)

    def test_a_name_that_nobody_reads_is_a_warning(self):
        code, results, _ = self.check(file=self.write('[qga]\npolicy = all'))
        self.assertEqual((1, {'Options': 1}), (code, self.worse(results)))

    def test_an_environment_without_nova_is_a_warning(self):
        code, results, details = self.check(
            '--nova-python=/usr/bin/python3',
            file=self.write(uri=shared.host().uri),
            guests=True,
        )
        self.assertEqual(
            (1, {'Nova extension': 1}), (code, self.worse(results))
        )
        self.assertIn('Nova is not installed', details['Nova extension'])

    def test_a_ceilometer_that_would_drop_metrics_is_a_warning(self):
        ceilometer = self.folder / 'ceilometer'
        ceilometer.mkdir()
        code, results, details = self.check()
        self.assertEqual(
            (1, {'Ceilometer definitions': 1}), (code, self.worse(results))
        )
        self.assertIn('nova_qga.yaml', details['Ceilometer definitions'])


class NotRunTest(StatusTest):
    def test_a_configuration_that_cannot_be_read_ends_with_255(self):
        broken = self.folder / 'broken.conf'
        broken.write_text(f'[DEFAULT]\ntransport_url {SECRET}\n')
        for file, said in (
            (self.folder / 'missing.conf', 'missing.conf'),
            (broken, 'line 2 of '),
        ):
            with self.subTest(str(file)):
                done = self.run_program('upgrade', 'check', file=file)
                self.assertEqual((255, ''), (done.returncode, done.stdout))
                self.assertEqual(1, done.stderr.count('\n'), done.stderr)
                self.assertIn(said, done.stderr)
                self.assertNotIn(SECRET, done.stderr)

    def test_what_is_not_understood_ends_with_255(self):
        for words in ((), ('upgrade',), ('downgrade', 'check'), ('--x',)):
            with self.subTest(words):
                self.assertEqual(255, self.run_program(*words).returncode)

    def test_help_ends_with_0(self):
        done = self.run_program('--help')
        self.assertEqual(0, done.returncode)
        self.assertIn('--nova-python', done.stdout)
