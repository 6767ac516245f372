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

"""A real guest that works, watched: by top, metrics show, metrics plot."""

import json
import re
import secrets

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import shared

#: One of two CPUs is busy, and the disk is written to.
WORK = """
(while :; do :; done) > /dev/null 2>&1 &
echo $! > /tmp/top.pids
(while :; do dd if=/dev/zero of=/mnt/top bs=64k count=64; sync; sleep 1
done) > /dev/null 2>&1 &
echo $! >> /tmp/top.pids
"""
REST = 'kill $(cat /tmp/top.pids); rm -f /mnt/top /tmp/top.pids'


class TopTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.host = shared.host()
        self.guest = shared.guest()
        self.guest.inspect(WORK)
        self.addCleanup(self.guest.inspect, REST)

    def row(self, cli):
        """What is told of the guest now."""
        told = json.loads(cli.out('top', '--once', '-f', 'json'))
        [row] = [each for each in told if each['UUID'] == self.guest.uuid]
        return row

    def check(self, row):
        """It works as it does."""
        self.assertEqual('up', row['Agent'])
        self.assertEqual('guest', row['Source'])
        self.assertGreater(row['CPU %'], 20)
        self.assertLessEqual(row['CPU %'], 100)
        total = self.guest.inspect(
            "awk '/^MemTotal/ {print $2}' /proc/meminfo"
        )
        self.assertEqual(int(total) * 1024, row['Memory Total'])
        self.assertEqual('/mnt', row['Mount Point'])
        for title in ('Load', 'Memory %', 'Filesystem %', 'Disk Read'):
            self.assertIsNotNone(row[title], title)

    def test_a_guest_that_works_is_seen_at_a_terminal(self):
        name = f'compute-{secrets.token_hex(4)}'
        url = shared.broker().url
        self.useFixture(
            agent_program.AgentProgram(
                self.host.uri,
                url,
                '[qga_monitor]\ninterval = 1\n',
                host=name,
            )
        )
        cli = self.useFixture(cli_program.remote(name, url))

        seen = []

        def works():
            seen.append(self.row(cli))
            return (seen[-1]['CPU %'] or 0) > 20 and seen[-1]['Disk Write']

        self.assertTrue(process.wait_until(works, 60), seen)
        self.check(seen[-1])
        screen = cli.at_terminal(
            *(f'--host=no-{name}', 'top', '--interval', '1'), columns=120
        )
        screen.expect('1 of 2 hosts')
        screen.expect(f'No answer of no-{name}: ')
        screen.expect(f' {name} ')
        screen.expect_match(
            re.compile(
                rf'test guest +{self.guest.uuid[:8]}\S* +{name} +'
                r'(\d+\.\d|100) +2 +\S+ +\d+\.\d '
            )
        )
        screen.type('d')
        screen.expect('by disk')
        screen.type('q')
        self.assertEqual(0, screen.wait(), screen.text)
        _, _, last = screen.screen.partition('\x1b[?1049l')
        self.assertIn(self.guest.uuid[:8], last)
        self.assertNotIn('Traceback', screen.text)

    def test_without_an_agent_service_they_are_measured_at_once(self):
        cli = self.useFixture(cli_program.local(self.host.uri))
        row = self.row(cli)
        self.check(row)
        self.assertEqual('here', row['Host'])

    def test_what_is_counted_is_watched_as_it_grows(self):
        cli = self.useFixture(cli_program.local(self.host.uri))
        screen = cli.at_terminal(
            'metrics', 'show', self.guest.uuid, '--watch', '1'
        )
        user = re.compile(r'guest.cpu.time +mode=user +\S+ +0\.[1-9]\d s ')
        screen.expect_match(user)
        screen.type('\x03')
        self.assertEqual(0, screen.wait(), screen.text[-2000:])
        self.assertNotIn('Traceback', screen.text)

    def test_it_is_drawn_as_it_grows(self):
        cli = self.useFixture(cli_program.local(self.host.uri))
        metric = ('metrics', 'plot', self.guest.uuid, 'guest.disk.write.bytes')
        screen = cli.at_terminal(*metric, '--interval', '1')
        screen.expect_match(re.compile(r'device=vda +last \S*[KM] '))
        screen.type('\x03')
        self.assertEqual(0, screen.wait(), screen.text[-2000:])
        drawn = cli.out(*metric, '--interval', '1', '--points', '4')
        self.assertRegex(drawn, r'a device=vda  last \S+  min \S+  avg \S+')
        self.assertIn('(UTC)', drawn)
        done = cli.run('metrics', 'plot', self.guest.uuid, 'guest.disk.write')
        self.assertEqual(2, done.returncode)
        self.assertIn(b' guest.disk.write.bytes,', done.stderr)
