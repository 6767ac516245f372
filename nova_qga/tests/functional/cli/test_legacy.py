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

"""legacy scan and clean on a real guest, and what then stands in it.

What is there before and after is looked for by no agent: over the guest's
second serial port.
"""

import base64
import json

import fixtures

from nova_qga.tests.fixtures import cli_program
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import injected_guest
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import shared

INFO = injected_guest.INFO
SCRIPT = injected_guest.SCRIPT
SETTINGS = injected_guest.SETTINGS
CRON = injected_guest.CRON
SECRET = b'hunter2'


class LegacyTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.vm = shared.guest()
        self.folder = self.useFixture(process.ShortFolder()).path
        self.inject_files = self.folder / 'inject_files.json'
        self.inject_files.write_text(injected_guest.encoded())
        self.cli = self.useFixture(self.program())
        self.addCleanup(
            self.vm.inspect, 'rm -rf /etc/vm_monitor /etc/cron.d /srv/kept'
        )
        self.vm.inspect('mkdir -p /etc/vm_monitor /etc/cron.d')
        for path, data in injected_guest.CONTENTS.items():
            self.cli.out('file', 'put', self.vm.uuid, '-', path, stdin=data)

    def program(self, rules='"qga:execute": "rule:qga:admin"\n'):
        """The command line of a host whose policy has these rules."""
        policy = self.folder / f'policy{len(rules)}.yaml'
        policy.write_text(rules)
        return cli_program.CliProgram(
            '--local',
            configuration=f'[DEFAULT]\nhost = here\n'
            f'[qga_agent]\nlibvirt_uri = {self.vm.host.uri}\n'
            f'[qga_operations]\npolicy_file = {policy}\n',
        )

    def states(self, verb, *argv, code=0):
        """Path -> its state; the reasons are kept."""
        done = self.cli.run(
            *('legacy', verb, self.vm.uuid, '-f', 'json', *argv),
            f'--inject-files={self.inject_files}',
        )
        self.assertEqual(code, done.returncode, done)
        self.assertNotIn(SECRET, done.stdout + done.stderr)
        rows = json.loads(done.stdout)
        self.reasons = {row['Path']: row['Reason'] for row in rows}
        return {row['Path']: row['State'] for row in rows}

    def parity(self, code=0):
        """The row of the guest."""
        done = self.cli.run(
            *('legacy', 'scan', self.vm.uuid, '--parity', '-f', 'json'),
            f'--inject-files={self.inject_files}',
        )
        self.assertEqual(code, done.returncode, done)
        self.assertNotIn(SECRET, done.stdout + done.stderr)
        [row] = json.loads(done.stdout)
        return row

    def there(self):
        """Those of the files that are in the guest."""
        listed = self.vm.inspect('find /etc/vm_monitor /etc/cron.d ! -type d')
        return set(listed.split())

    def test_scan_and_clean_take_away_what_is_ours_alone(self):
        self.vm.inspect(f'echo changed >> {INFO}')
        self.vm.inspect('echo theirs > /etc/cron.d/theirs')
        before = self.there()
        self.assertEqual(
            {
                INFO: 'changed',
                SCRIPT: 'identical',
                SETTINGS: 'identical',
                CRON: 'identical',
            },
            self.states('scan'),
        )
        self.assertEqual(
            {
                INFO: 'left',
                SCRIPT: 'removable',
                SETTINGS: 'removable',
                CRON: 'removable',
            },
            self.states('clean'),
        )
        self.assertEqual(before, self.there())
        self.assertEqual(
            {
                INFO: 'left',
                SCRIPT: 'removed',
                SETTINGS: 'removed',
                CRON: 'removed',
            },
            self.states('clean', '--yes'),
        )
        self.assertEqual({INFO, '/etc/cron.d/theirs'}, self.there())
        self.assertEqual(
            {
                INFO: 'changed',
                SCRIPT: 'absent',
                SETTINGS: 'absent',
                CRON: 'absent',
            },
            self.states('scan'),
        )

    def test_a_link_is_left_and_what_it_leads_to(self):
        self.vm.inspect(
            f'mkdir -p /srv/kept; mv {SCRIPT} /srv/kept/x; '
            f'ln -s /srv/kept/x {SCRIPT}'
        )
        self.assertEqual('identical', self.states('scan')[SCRIPT])
        states = self.states('clean', '--yes', code=1)
        self.assertEqual(
            ['left', 'removed'], [states[SCRIPT], states[SETTINGS]]
        )
        self.assertIn('/srv/kept/x', self.reasons[SCRIPT])
        self.assertEqual({SCRIPT}, self.there())
        self.assertEqual('/srv/kept/x\n', self.vm.inspect('ls /srv/kept/x'))

    def test_what_is_in_a_folder_that_is_a_link_is_left(self):
        self.vm.inspect(
            'mkdir -p /srv/kept; mv /etc/vm_monitor /srv/kept/folder; '
            'ln -s /srv/kept/folder /etc/vm_monitor'
        )
        states = self.states('clean', '--yes', code=1)
        self.assertEqual(
            ['removed', 'left', 'left', 'left'],
            [states[path] for path in (CRON, INFO, SCRIPT, SETTINGS)],
        )
        kept = self.vm.inspect('ls /srv/kept/folder').split()
        self.assertEqual(3, len(kept))

    def test_rm_that_cannot_leaves_the_others_for_cron(self):
        self.vm.inspect('mount -t tmpfs none /etc/cron.d')
        self.addCleanup(self.vm.inspect, 'umount /etc/cron.d')
        encoded = base64.b64encode(injected_guest.CONTENTS[CRON]).decode()
        self.vm.inspect(
            f'echo {encoded} | base64 -d > {CRON}; '
            'mount -o remount,ro /etc/cron.d'
        )
        before = self.there()
        states = self.states('clean', '--yes', code=1)
        self.assertEqual({'left'}, set(states.values()))
        self.assertIn('Read-only file system', self.reasons[CRON])
        self.assertIn(f'{CRON} is still there', self.reasons[SCRIPT])
        self.assertEqual(before, self.there())

    def test_a_policy_that_forbids_programs_leaves_all_and_says_so(self):
        self.cli = self.useFixture(self.program(rules=''))
        before = self.there()
        states = self.states('clean', '--yes', code=6)
        self.assertEqual({'left'}, set(states.values()))
        self.assertIn('qga:execute', self.reasons[CRON])
        self.assertEqual(before, self.there())

    def test_an_agent_that_runs_no_programs_leaves_all_and_says_so(self):
        self.with_agent('-b guest-exec')
        before = self.there()
        states = self.states('clean', '--yes', code=1)
        self.assertEqual({'left'}, set(states.values()))
        self.assertIn('guest-exec', self.reasons[CRON])
        self.assertEqual(before, self.there())

    def test_an_agent_that_opens_no_files_leaves_all_unknown(self):
        self.with_agent('-b guest-file-open')
        states = self.states('scan', code=1)
        self.assertEqual({'unknown'}, set(states.values()))
        self.assertIn('guest-file-open', self.reasons[INFO])

    def test_what_the_hypervisor_tells_in_its_place_is_said_so(self):
        self.with_agent('-b guest-file-open')
        row = self.parity(code=1)
        self.assertEqual(
            ('guest', 'hypervisor', None),
            (row['CPU'], row['Memory'], row['Load']),
        )
        self.assertEqual({'load', 'settings'}, set(row['Missing']))
        self.assertIn('guest-file-open', row['Missing']['settings'])

    def test_parity_tells_what_is_measured_and_what_its_script_did(self):
        row = self.parity()
        for kind in ('CPU', 'Load', 'Memory', 'Disk', 'Filesystem', 'Network'):
            self.assertEqual('guest', row[kind], row)
        self.assertEqual(
            ('60', 'http://***@10.0.0.9:8080/push', {}),
            (row['Period'], row['Push Address'], row['Missing']),
        )

    def test_a_report_is_compared_with_what_is_measured(self):
        report = self.folder / 'report.json'
        [kib] = [
            int(line.split()[1])
            for line in self.vm.inspect('cat /proc/meminfo').splitlines()
            if line.startswith('MemTotal:')
        ]
        report.write_text(json.dumps({'mem_total_kb': kib, 'name': 'web'}))
        names = self.folder / 'names.json'
        names.write_text(
            '{"mem_total_kb": {"metric": "guest.memory.total", '
            '"factor": 1024}}'
        )
        rows = json.loads(
            self.cli.out(
                *('legacy', 'scan', self.vm.uuid, '-f', 'json'),
                f'--inject-files={self.inject_files}',
                *(f'--report={report}', f'--names={names}'),
            )
        )
        [memory, name] = rows
        self.assertEqual(kib * 1024, memory['Measured'])
        self.assertEqual(0.0, memory['Difference'])
        self.assertEqual('it is no number', name['Note'])

    def with_agent(self, options):
        """Leave the guest one agent, started with these options."""
        self.vm.stop_agent(0)
        self.vm.stop_agent(1)
        self.addCleanup(self.vm.wait_for_agents)
        self.addCleanup(self.vm.start_agent, 1)
        self.addCleanup(self.vm.start_agent, 0)
        self.addCleanup(self.vm.stop_agent, 0)
        self.vm.start_agent(0, options)
        self.vm.wait_for_ports(guest_vm.STANDARD)
