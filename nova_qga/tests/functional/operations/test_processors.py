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

"""Processors of a real guest, which has two."""

from nova_qga import errors
from nova_qga.operations import processors
from nova_qga.tests.functional.operations import base


class ProcessorTest(base.OperationTest):
    def online(self):
        """As the guest's kernel has it, ``0-1``."""
        return self.vm.inspect('cat /sys/devices/system/cpu/online').strip()

    def test_they_are_listed(self):
        found = processors.get_vcpus(self.agent())
        self.assertEqual([0, 1], [each['logical_id'] for each in found])
        self.assertEqual([True, True], [each['online'] for each in found])

    def test_one_goes_offline_and_comes_back(self):
        done = processors.set_vcpus(self.agent(), online={1: False})
        self.addCleanup(processors.set_vcpus, self.agent(), online={1: True})
        self.assertEqual({'set': 1, 'failed': {}}, done)
        self.assertEqual('0', self.online())
        processors.set_vcpus(self.agent(), online={1: True})
        self.assertEqual('0-1', self.online())

    def test_one_that_is_not_there_costs_no_other(self):
        self.addCleanup(processors.set_vcpus, self.agent(), online={1: True})
        done = processors.set_vcpus(
            self.agent(), online={77: False, 1: False, 78: False}
        )
        self.assertEqual(1, done['set'])
        self.assertEqual({'77', '78'}, set(done['failed']))
        self.assertEqual('0', self.online())

    def test_where_none_can_be_set_it_has_failed(self):
        with self.assertRaisesRegex(errors.OperationFailed, '77'):
            processors.set_vcpus(self.agent(), online={77: False})

    def test_processor_0_stays(self):
        with self.assertRaises(errors.InvalidRequest):
            processors.set_vcpus(self.agent(), online={0: False})
        self.assertEqual('0-1', self.online())


class DirectTest(ProcessorTest):
    number = 1
