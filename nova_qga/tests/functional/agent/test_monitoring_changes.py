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

"""What is measured, of whom, how often and for whom changes at SIGHUP.

Nothing is started anew: neither the agent, nor the guest's, nor what is open
in the guest.
"""

from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import shared
from nova_qga.tests.functional.agent import base

JSONL = 'publishers = jsonl'


class ChangesTest(base.MonitoringTest):
    def setUp(self):
        super().setUp()
        # A neighbour of another kind: it has no channel at all.
        self.bare = self.useFixture(
            guest_vm.GuestVM(
                shared.guest_with_tap().host,
                name='instance-0000bace',
                channels=[],
                boot=False,
                metadata=False,
            )
        )
        self.bare.start()

    def of_bare(self):
        """How many rounds of the neighbour were told."""
        return len(self.samples.rounds(self.bare.uuid))

    def wait_for_rounds(self, uuid, count):
        known = len(self.samples.rounds(uuid))
        for each in range(count):
            self.samples.next(uuid, base.every, known + each)

    def test_the_period_of_all_and_of_a_project(self):
        project = self.vm.definition.owner.project_uuid
        self.monitor(f'excluded_instances = {self.vm.uuid}')
        pid = self.program.pid
        self.reload(
            f'interval = {base.NEVER}\nproject_intervals = {project}:1'
        )
        self.wait_for_rounds(self.vm.uuid, 4)
        self.reload(f'interval = 1\nproject_intervals = {project}:86400')
        known = self.known()
        self.wait_for_rounds(self.bare.uuid, 4)
        # One may have been under way.
        self.assertLessEqual(self.known() - known, 1)
        self.assertEqual(pid, self.program.pid)

    def test_guests_that_are_left_out(self):
        self.monitor()
        self.wait_for_rounds(self.vm.uuid, 1)
        self.reload(f'interval = 1\nexcluded_instances = {self.vm.uuid}')
        known = self.known()
        self.wait_for_rounds(self.bare.uuid, 4)
        self.assertLessEqual(self.known() - known, 1)
        self.reload('interval = 1')
        self.wait_for_rounds(self.vm.uuid, 2)
        [*_, bare] = self.samples.rounds(self.bare.uuid)
        self.assertEqual((0, ['hypervisor']), (bare.up, bare.sources))

    def test_collectors_and_the_files_that_they_have_open(self):
        self.monitor()
        self.next(base.of_guest)
        self.assertLess(1, self.open_files(0))
        self.reload('interval = 1\ncollectors = memory')
        [*_, told] = self.next(
            lambda each: each.kinds('guest') == {'memory', 'swap'}
        )
        self.assertEqual(1, told.up)
        self.wait_for_open_files(0, 1)
        self.reload('interval = 1')
        known = self.known()
        self.next(lambda each: 'load' in each.kinds('guest'), known)

    def test_publishers(self):
        self.monitor(f'interval = 1\n{JSONL}')
        self.next(base.of_guest)
        with self.assertRaises(OSError):
            self.fetched()
        self.reload('interval = 1\npublishers = prometheus')
        self.assertTrue(process.wait_until(self.fetched, 60))
        known = self.known()
        self.reload(f'interval = 1\n{JSONL}')
        self.next(base.of_guest, known)
        with self.assertRaises(OSError):
            self.fetched()
