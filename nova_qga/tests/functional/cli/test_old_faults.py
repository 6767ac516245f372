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

"""What injected scripts could not do, on a guest that they could not serve.

It has neither Python nor a root account that anybody can log in to, and its
system is on no partition: an old scheme would have failed there, without a
word.
"""

import json

import fixtures

from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import shared

#: Kinds of figures that the old scripts sent.
KINDS = ('cpu', 'load', 'memory', 'disk', 'filesystem', 'network')


class OldFaultsTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.vm = shared.guest()
        self.cli = self.useFixture(cli_program.local(self.vm.host.uri))

    def measured(self):
        """Kinds of figures that the guest itself gives."""
        rows = json.loads(
            self.cli.out('metrics', 'show', self.vm.uuid, '-f', 'json')
        )
        kinds = {row['Name'].split('.')[1]: row['Source'] for row in rows}
        return {kind: kinds.get(kind) for kind in KINDS}

    def test_no_python_and_no_root_login_are_needed(self):
        found = self.vm.inspect(
            'for name in python python2 python3; do command -v $name; done; '
            'find / -xdev -name "python*" -type f; true'
        )
        self.assertEqual('', found)
        [root] = self.vm.inspect('grep ^root: /etc/shadow').splitlines()
        self.assertEqual('*', root.split(':')[1])
        self.assertEqual(dict.fromkeys(KINDS, 'guest'), self.measured())

    def test_a_system_on_no_partition_is_no_matter(self):
        mounts = self.vm.inspect('cat /proc/mounts').splitlines()
        [root] = [line for line in mounts if line.split()[1] == '/']
        self.assertEqual('rootfs', root.split()[0])
        self.assertEqual(
            '', self.vm.inspect('ls -d /sys/block/vda/vda* 2>/dev/null; true')
        )
        self.assertEqual(dict.fromkeys(KINDS, 'guest'), self.measured())

    def test_measuring_puts_nothing_into_the_guest(self):
        self.vm.inspect('touch /tmp/before')
        self.addCleanup(self.vm.inspect, 'rm -f /tmp/before')
        self.measured()
        found = self.vm.inspect(
            'find / -xdev -newer /tmp/before -type f; true'
        ).splitlines()
        # Of the agents: what they write themselves.
        theirs = ('/var/log/', '/run/', '/proc/', '/sys/', '/dev/')
        self.assertEqual([], [p for p in found if not p.startswith(theirs)])
