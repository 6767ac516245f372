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

"""Hosts are looked up through the real openstacksdk, over HTTP.

Only keystone and Nova are stand-ins: tests/fixtures/openstack_apis.py.
"""

import logging
import os

import fixtures

from nova_qga.cli import compute_api
from nova_qga.cli import outcome
from nova_qga.tests.fixtures import openstack_apis
from nova_qga.tests.fixtures import process

UUID = openstack_apis.SERVER
CLOUDS = """
clouds:
  lab:
    region_name: RegionOne
    auth:
      auth_url: {OS_AUTH_URL}
      username: {OS_USERNAME}
      password: {OS_PASSWORD}
      project_name: {OS_PROJECT_NAME}
      user_domain_name: Default
      project_domain_name: Default
"""


class ApisTest(fixtures.TestWithFixtures):
    """Has both services, and an environment that leads to them."""

    def setUp(self):
        super().setUp()
        self.apis = self.useFixture(openstack_apis.OpenStackApis())
        for name in [each for each in os.environ if each.startswith('OS_')]:
            self.useFixture(fixtures.EnvironmentVariable(name))
        self.folder = self.useFixture(process.ShortFolder()).path
        # No clouds.yaml of this machine.
        self.file = self.folder / 'clouds.yaml'
        self.set(OS_CLIENT_CONFIG_FILE=str(self.file))
        self.set(**self.apis.environment)
        self.logged = self.useFixture(
            fixtures.FakeLogger(level=logging.DEBUG, format='%(message)s')
        )

    def set(self, **variables):
        for name, value in variables.items():
            self.useFixture(fixtures.EnvironmentVariable(name, value))

    def api(self, cloud=None, timeout=20.0):
        return compute_api.connect(cloud, timeout)

    def failed(self, code, work):
        with self.assertRaises(outcome.Failure) as raised:
            work()
        self.assertEqual(code, raised.exception.exit_code)
        said = str(raised.exception)
        self.assertNotIn(openstack_apis.PASSWORD, said)
        self.assertNotIn(openstack_apis.TOKEN, said)
        return said

    def find(self):
        return self.api().find(UUID)


class ServerTest(ApisTest):
    def test_its_host_is_found(self):
        self.assertEqual((UUID, 'compute-1'), self.find())

    def test_neither_password_nor_token_is_logged(self):
        self.find()
        self.assertIn('/compute/v2.1/servers/', self.logged.output)
        self.assertNotIn(openstack_apis.PASSWORD, self.logged.output)
        self.assertNotIn(openstack_apis.TOKEN, self.logged.output)

    def test_no_microversion_is_asked_for_that_shows_user_data(self):
        for version in (None, '2.90'):
            with self.subTest(configured=version):
                self.set(OS_COMPUTE_API_VERSION=version)
                self.find()
        self.assertEqual({'compute 2.1'}, set(self.apis.microversions))

    def test_a_cloud_of_clouds_yaml_may_be_named(self):
        self.file.write_text(CLOUDS.format(**self.apis.environment))
        for name in self.apis.environment:
            self.set(**{name: None})
        for cloud, variable in (('lab', None), (None, 'lab'), (None, None)):
            with self.subTest(cloud=cloud, variable=variable):
                self.set(OS_CLOUD=variable)
                found = self.api(cloud).find(UUID)
                self.assertEqual('compute-1', found.host)

    def test_a_name_is_found_however_it_is_written(self):
        other = '00000000-0000-4000-8000-000000000002'
        self.apis.servers += [
            openstack_apis.server(other, 'WEB'),
            openstack_apis.server(other, 'a+b (1)'),
        ]
        for name, uuid in (('web', UUID), ('a+b (1)', other)):
            with self.subTest(name=name):
                self.assertEqual(uuid, self.api().find_by_name(name))

    def test_an_ambiguous_name_is_refused_with_the_uuids(self):
        self.apis.servers = [
            openstack_apis.server(f'00000000-0000-4000-8000-00000000000{n}')
            for n in range(7)
        ]
        said = self.failed(3, lambda: self.api().find_by_name('web'))
        self.assertIn('7 servers are called "web"', said)
        self.assertEqual(5, said.count('00000000-0000'))

    def test_what_nova_does_not_know_is_said(self):
        self.apis.servers = []
        self.assertIn(UUID, self.failed(3, self.find))
        said = self.failed(3, lambda: self.api().find_by_name('web'))
        self.assertIn('called "web"', said)

    def test_who_is_no_administrator_is_told_so(self):
        del self.apis.servers[0]['OS-EXT-SRV-ATTR:host']
        self.assertIn("administrator's", self.failed(2, self.find))
        self.apis.refuse['/compute/v2.1/servers'] = 403
        said = self.failed(2, lambda: self.api().find_by_name('web'))
        self.assertIn('HTTP 403', said)

    def test_why_a_server_is_on_no_host_is_said(self):
        for state, task, words in (
            ('shelved_offloaded', None, 'openstack server unshelve'),
            ('building', 'scheduling', 'try again'),
            ('error', None, 'openstack server show'),
            ('odd\x1b', 'moving', 'it is odd\\x1b, moving'),
        ):
            with self.subTest(state=state):
                self.apis.servers = [
                    openstack_apis.server(
                        host=None,
                        **{
                            'OS-EXT-STS:vm_state': state,
                            'OS-EXT-STS:task_state': task,
                        },
                    )
                ]
                said = self.failed(3, self.find)
                self.assertIn('is on no host', said)
                self.assertIn(words, said)


class HostsTest(ApisTest):
    def test_hosts_of_nova_compute_are_found_and_those_that_are_down(self):
        self.apis.services = [
            openstack_apis.service('c2'),
            openstack_apis.service('c1'),
            openstack_apis.service('c3', status='disabled'),
            openstack_apis.service('c4', 'down', disabled_reason='on fire\n'),
            openstack_apis.service('x', binary='nova-conductor'),
        ]
        *up, down = self.api().hosts()
        self.assertEqual([('c1', None), ('c2', None), ('c3', None)], up)
        self.assertEqual('c4', down.name)
        self.assertIn('is down', down.down)
        self.assertIn('2026-11-24T09:00', down.down)
        self.assertIn('(on fire\\n)', down.down)

    def test_who_is_no_administrator_is_told_so(self):
        self.apis.refuse['/compute/v2.1/os-services'] = 403
        said = self.failed(2, self.api().hosts)
        self.assertIn('administrator', said)


class FailureTest(ApisTest):
    def test_no_credentials_say_how_they_are_given(self):
        for name in self.apis.environment:
            self.set(**{name: None})
        for cloud in (None, 'lab'):
            with self.subTest(cloud=cloud):
                said = self.failed(2, lambda: self.api(cloud).find(UUID))
                self.assertIn('--os-cloud', said)
                self.assertIn('--host', said)

    def test_half_of_the_credentials_say_how_they_are_given(self):
        for name in ('OS_USERNAME', 'OS_PASSWORD', 'OS_AUTH_URL'):
            with self.subTest(missing=name):
                self.set(**self.apis.environment)
                self.set(**{name: None})
                said = self.failed(2, self.find)
                self.assertIn('OS_*', said)

    def test_a_clouds_yaml_that_is_none_shows_nothing_of_itself(self):
        for text in ('hunter2', 'clouds: {a: {auth: hunter2', 'clouds: [1]'):
            with self.subTest(text=text):
                self.file.write_text(text)
                said = self.failed(2, lambda: self.api('a').find(UUID))
                self.assertNotIn('hunter2', said)

    def test_a_wrong_password_is_said(self):
        self.set(OS_PASSWORD='wrong-hunter3')
        said = self.failed(2, self.find)
        self.assertIn('keystone refuses', said)
        self.assertNotIn('hunter3', said + self.logged.output)

    def test_a_catalog_without_nova_is_said(self):
        self.apis.catalog = False
        self.assertIn('catalog', self.failed(2, self.find))
        self.apis.catalog = True
        self.set(OS_REGION_NAME='elsewhere')
        self.assertIn('OS_REGION_NAME', self.failed(2, self.find))

    def test_nobody_at_the_address_is_said_without_a_password_in_it(self):
        self.set(OS_AUTH_URL='http://me:hunter4@127.0.0.1:1/v3')
        said = self.failed(4, self.find)
        self.assertIn('at 127.0.0.1:1 ', said)
        self.assertNotIn('hunter4', said)

    def test_a_nova_that_does_not_run_is_said(self):
        self.apis.compute_url = 'http://127.0.0.1:1'
        self.assertIn('at 127.0.0.1:1 ', self.failed(4, self.find))

    def test_an_error_of_either_is_said(self):
        for start in ('/compute/v2.1/servers', '/identity/v3/auth'):
            for status in (500, 503):
                with self.subTest(start=start, status=status):
                    self.apis.refuse = {start: status}
                    self.assertIn(f'HTTP {status}', self.failed(4, self.find))

    def test_what_is_not_their_json_is_said(self):
        for start in ('/compute/v2.1/servers', '/identity/v3'):
            for body in (b'<html>hello', b'{}', b'[]', b'{"server": 7}'):
                with self.subTest(start=start, body=body):
                    self.apis.body = {start: body}
                    self.failed(4, self.find)

    def test_one_that_stalls_is_not_waited_for(self):
        for start in ('/compute/v2.1/os-services', '/identity/v3/auth'):
            with self.subTest(start=start):
                self.apis.stall = {start: 3}
                said = self.failed(4, self.api(timeout=0.3).hosts)
                self.assertIn('--host', said)
