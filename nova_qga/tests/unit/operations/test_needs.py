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

"""Which commands operations take."""

import unittest

from nova_qga.operations import needs
from nova_qga.tests.fixtures import known_host

#: They take none, or do without those that are refused.
WITHOUT = {'ping', 'get_info', 'attach_channel'}


class NeedsTest(unittest.TestCase):
    def test_every_operation_is_there_that_can_be_lost(self):
        self.assertEqual(
            {
                name
                for name, operation in known_host.OPERATIONS.items()
                if not operation.off_by_default
            }
            - WITHOUT,
            set(needs.NEEDS),
        )

    def test_what_is_blocked_or_unknown_is_lacking(self):
        commands = {
            name: True for names in needs.NEEDS.values() for name in names
        }
        self.assertEqual({}, needs.lacking(commands))
        commands['guest-fstrim'] = False
        del commands['guest-get-vcpus']
        self.assertEqual(
            {'trim': ['guest-fstrim'], 'get_vcpus': ['guest-get-vcpus']},
            needs.lacking(commands),
        )
