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

"""Unused blocks of a real guest's filesystem."""

from nova_qga.operations import trim
from nova_qga.tests.functional.operations import base


class TrimTest(base.OperationTest):
    def test_what_was_freed_is_discarded(self):
        self.vm.inspect(
            'dd if=/dev/urandom of=/mnt/junk bs=1M count=4 2>/dev/null; sync; '
            'rm /mnt/junk; sync'
        )
        found = trim.trim(self.agent(), minimum=0)
        [mounted] = [
            each for each in found['filesystems'] if each['path'] == '/mnt'
        ]
        self.assertIsNone(mounted['error'])
        self.assertEqual(mounted['trimmed'], found['trimmed'])
