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

"""host key list: a row a host."""

import json
import unittest

from nova_qga.cli import compute_api
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import fake_nova
from nova_qga.tests.fixtures import run_cli


class HostKeyTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()

    def test_a_row_a_host(self):
        ended = run_cli.run('host', 'key', 'list', '-f', 'json', api=self.api)
        self.assertEqual(0, ended.code, ended.err)
        self.assertEqual(
            [
                {
                    'Host': fake_api.HOST,
                    'Key ID': 'a' * 32,
                    'Algorithm': 'x25519-xsalsa20-poly1305-sealed',
                    'Public Key': 'A' * 43 + '=',
                }
            ],
            json.loads(ended.out),
        )

    def test_one_value_is_what_a_script_reads(self):
        ended = run_cli.run(
            *('host', 'key', 'list', '-f', 'value', '-c', 'Key ID'),
            api=self.api,
        )
        self.assertEqual('a' * 32 + '\n', ended.out)

    def test_a_host_without_keys_says_why(self):
        self.api.failures['get_public_key'] = [
            fake_api.error('service_unavailable', 'the keys are broken')
        ]
        ended = run_cli.run('host', 'key', 'list', api=self.api)
        self.assertEqual(4, ended.code)
        self.assertIn('the keys are broken', ended.err)

    def test_every_host_of_nova_is_asked(self):
        nova = fake_nova.FakeNova(
            compute_api.ComputeHost('c1', None),
            compute_api.ComputeHost('c2', None),
        )
        ended = run_cli.run(
            *('host', 'key', 'list', '-f', 'value', '-c', 'Host'),
            api=self.api,
            nova=nova,
            host=(),
        )
        self.assertEqual('c1\nc2\n', ended.out)
