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

"""A real agent posts what it measures, to an address for each project."""

import signal
import unittest

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import certificates
from nova_qga.tests.fixtures import guest_xml
from nova_qga.tests.fixtures import http_receiver
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host

TENANT = '0f6f2c6d9d6b4a0e8f4f5a7a3d2c1b00'

OPTIONS = """
    [DEFAULT]
    debug = True
    [qga_monitor]
    interval = 1
    collectors = uptime
    publishers = http
    [qga_http]
    url = {host}
    ca_file = {ca}
    token_file = {token}
    batch_wait = 0
    timeout = 5
"""
OF_TENANT = '    project_urls = {tenant}:{url}\n'


class HttpTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        certificate = self.useFixture(certificates.Certificate())
        self.for_host = self.run_receiver(certificate)
        self.for_tenant = self.run_receiver(certificate)
        self.ours = self.guest('instance-00000001')
        self.theirs = self.guest(
            'instance-00000002', guest_xml.Owner(project_uuid=TENANT)
        )
        folder = self.useFixture(process.ShortFolder()).path
        (folder / 'token').write_text('T0kenOfOurs\n')
        self.options = OPTIONS.format(
            host=self.for_host.url,
            ca=certificate.certificate,
            token=folder / 'token',
        )
        host = self.useFixture(
            simulated_host.SimulatedHost(self.ours, self.theirs)
        )
        self.agent = self.useFixture(
            agent_program.AgentProgram(
                host.uri, shared.broker().url, self.with_tenant()
            )
        )

    def run_receiver(self, *arguments):
        return self.useFixture(http_receiver.HttpReceiver(*arguments))

    def guest(self, name, owner=guest_xml.Owner()):
        qga = self.useFixture(qemu_ga.QemuGa())
        return simulated_host.Simulated(name, qga.socket, owner=owner)

    def with_tenant(self):
        return self.options + OF_TENANT.format(
            tenant=TENANT, url=self.for_tenant.url
        )

    def guests_of(self, there, posts=1):
        """UUIDs of the guests in the next posts."""
        return {
            record['instance_id']
            for _ in range(posts)
            for record in there.next().records()
        }

    def test_each_project_s_samples_go_to_its_own_address(self):
        first = self.for_host.next()
        self.assertEqual('Bearer T0kenOfOurs', first.headers['Authorization'])
        [record] = first.records()
        self.assertEqual(self.ours.uuid, record['instance_id'])
        self.assertIn(
            'guest.uptime', {each['name'] for each in record['samples']}
        )
        theirs = self.for_tenant.next()
        self.assertNotIn('Authorization', theirs.headers)
        self.assertEqual({self.theirs.uuid}, self.guests_of(self.for_tenant))
        self.assertEqual({self.ours.uuid}, self.guests_of(self.for_host, 2))

    def test_one_that_hangs_holds_up_no_other_and_no_stop(self):
        self.for_tenant.answer = self.for_tenant.hang
        self.for_tenant.next()
        self.for_host.all()
        self.guests_of(self.for_host, 3)
        self.agent.wait_until_logged('no whole answer within 5 s')
        status, _ = self.agent.stop()
        self.assertEqual(0, status)

    def test_an_address_that_is_taken_away_at_a_reload_gets_nothing(self):
        self.for_tenant.next()
        self.agent.reload(self.options)
        both = {self.ours.uuid, self.theirs.uuid}
        found = set()
        while found != both:
            found |= self.guests_of(self.for_host)
        self.agent.reload(self.options.replace('url = https', 'url = ftp'))
        self.agent.wait_until_logged('[qga_http]url is no address')
        self.for_host.all()
        self.guests_of(self.for_host)

    def test_no_secret_is_logged_whatever_happens(self):
        for status in (200, 302, 401, 503):
            self.for_host.answer = http_receiver.with_status(
                status, b'S3cret', Location=self.for_tenant.url
            )
            self.for_host.all()
            self.for_host.next()
        self.agent.wait_until_logged('refuses samples with 302')
        self.agent.wait_until_logged('answers with 503')
        self.agent.signal(signal.SIGUSR2)
        self.agent.wait_until_logged('oslo_reports:')
        self.assertIn('qga_http', self.agent.logged())
        for secret in ('S3cret', 'T0kenOfOurs'):
            self.assertNotIn(secret, self.agent.logged())
