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

"""Commands of a real agent, by their names."""

from nova_qga import errors
from nova_qga.operations import guest_command
from nova_qga.tests.functional.operations import base


class GuestCommandTest(base.OperationTest):
    def run_it(self, name, **arguments):
        return guest_command.run_command(
            self.agent(), name=name, arguments=arguments
        )['reply']

    def test_the_reply_is_that_of_the_agent(self):
        self.assertEqual(
            {'host-name': 'testguest'}, self.run_it('guest-get-host-name')
        )
        self.assertIn(
            {'logical-id': 0, 'online': True, 'can-offline': False},
            self.run_it('guest-get-vcpus'),
        )

    def test_arguments_reach_it(self):
        trimmed = self.run_it('guest-fstrim', minimum=1 << 40)
        self.assertEqual('/mnt', trimmed['paths'][0]['path'])
        with self.assertRaisesRegex(errors.CommandError, 'unexpected'):
            self.run_it('guest-get-host-name', nothing=1)

    def test_one_that_is_not_there_is_not_supported(self):
        with self.assertRaises(errors.CommandUnsupported):
            self.run_it('guest-get-nothing')


class DirectTest(GuestCommandTest):
    number = 1
