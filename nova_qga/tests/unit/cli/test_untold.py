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

"""What a guest did not tell is said once for each reason."""

import unittest

from nova_qga.cli import untold


def sample(name, source):
    return {'name': name, 'source': source}


OF_AGENT = sample('guest.agent.up', 'hypervisor')


class UntoldTest(unittest.TestCase):
    def test_nothing_is_said_where_all_was_told(self):
        self.assertEqual([], untold.lines({'samples': [OF_AGENT]}))

    def test_those_with_one_reason_share_a_line(self):
        missing = {'load': 'it is old', 'cpu': 'x', 'disks': 'it is old'}
        self.assertEqual(
            [
                'The guest itself tells nothing of cpu: x',
                'The guest itself tells nothing of disks, load: it is old',
            ],
            untold.lines({'samples': [OF_AGENT], 'missing': missing}),
        )

    def test_it_is_said_where_libvirt_stands_in(self):
        memory = sample('guest.memory.total', 'hypervisor')
        result = {'samples': [OF_AGENT, memory], 'missing': {'memory': 'x'}}
        [_, last] = untold.lines(result)
        self.assertIn('libvirt', last)
