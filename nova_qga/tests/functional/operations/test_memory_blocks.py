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

"""Memory blocks of a real guest."""

from nova_qga import errors
from nova_qga.operations import memory_blocks
from nova_qga.tests.functional.operations import base

STATES = 'cat /sys/devices/system/memory/memory*/state'


class MemoryBlockTest(base.OperationTest):
    def test_they_are_listed_as_the_kernel_has_them(self):
        found = memory_blocks.get_memory_blocks(self.agent())
        size = self.vm.inspect(
            'cat /sys/devices/system/memory/block_size_bytes'
        )
        self.assertEqual(int(size, 16), found['block_size'])
        states = self.vm.inspect(STATES).split()
        self.assertEqual(
            [state == 'online' for state in states],
            [each['online'] for each in found['blocks']],
        )

    def test_one_that_is_online_can_be_set_online(self):
        found = memory_blocks.get_memory_blocks(self.agent())
        first = found['blocks'][0]['phys_index']
        done = memory_blocks.set_memory_blocks(
            self.agent(), online={first: True, 9999: False}
        )
        self.assertEqual(1, done['set'])
        self.assertIn('not-found', done['failed']['9999'])

    def test_where_none_can_be_set_it_has_failed(self):
        with self.assertRaisesRegex(errors.OperationFailed, '9999'):
            memory_blocks.set_memory_blocks(self.agent(), online={9999: False})
