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

"""What a guest tells of itself is what the inspector sees there."""

import json

from nova_qga.operations import information
from nova_qga.tests.functional.operations import base

NIC = '52:54:00:12:34:56'


class GetInfoTest(base.OperationTest):
    def section(self, name):
        return information.get_info(self.agent())[name]

    def inspect(self, command):
        return self.vm.inspect(command).strip()

    def test_all_is_plain_and_nothing_is_missing(self):
        info = information.get_info(self.agent())
        self.assertEqual({}, info['unavailable'])
        self.assertEqual(info, json.loads(json.dumps(info)))

    def test_the_agent_names_itself_and_its_commands(self):
        info = information.get_info(self.agent())
        self.assertEqual(
            self.inspect('qemu-ga --version').split()[-1],
            info['agent_version'],
        )
        commands = info['commands']
        self.assertEqual(
            {*self.inspect('qemu-ga -b help').split()},
            {*commands['enabled'], *commands['blocked']},
        )
        self.assertIn('guest-info', commands['enabled'])

    def test_the_operating_system(self):
        found = self.section('os')
        told = dict(
            line.split('=', 1)
            for line in self.inspect('cat /etc/os-release').splitlines()
        )
        self.assertEqual(told['ID'].strip('"'), found['id'])
        self.assertEqual(told['NAME'].strip('"'), found['name'])
        self.assertEqual(self.inspect('uname -r'), found['kernel_release'])
        self.assertEqual(self.inspect('uname -v'), found['kernel_version'])
        self.assertEqual(self.inspect('uname -m'), found['machine'])

    def test_the_name_of_the_host(self):
        self.assertEqual(self.inspect('hostname'), self.section('host_name'))

    def test_the_time_zone(self):
        sign, hours, minutes = self.inspect(
            "date +%z | sed 's/\\(...\\)\\(..\\)/\\1 \\2/; s/^./& /'"
        ).split()
        seconds = int(hours) * 3600 + int(minutes) * 60
        self.assertEqual(
            {
                'offset': -seconds if sign == '-' else seconds,
                'zone': self.inspect('date +%Z'),
            },
            self.section('time_zone'),
        )

    def test_who_is_logged_in(self):
        [user] = self.section('users')
        self.assertEqual(self.inspect('who').split()[0], user['user'])
        # tools/guest/build.sh gives the login this time.
        self.assertEqual(1700000000, user['login_time'])

    def test_the_interfaces_and_their_addresses(self):
        found = {each['name']: each for each in self.section('interfaces')}
        self.assertEqual(
            {*self.inspect('ls /sys/class/net').split()}, {*found}
        )
        self.assertEqual(
            self.inspect('cat /sys/class/net/eth0/address'),
            found['eth0']['hardware_address'],
        )
        self.assertEqual(NIC, found['eth0']['hardware_address'])
        shown = self.inspect(
            "ip -o addr show eth0 | sed 's/.* inet6* \\([^ ]*\\) .*/\\1/'"
        )
        self.assertEqual(
            sorted(shown.split()),
            sorted(
                f'{each["address"]}/{each["prefix"]}'
                for each in found['eth0']['addresses']
            ),
        )

    def test_the_disks(self):
        found = [each['name'] for each in self.section('disks')]
        self.assertIn('/dev/vda', found)
        self.assertLessEqual(
            {*found},
            {*self.inspect("ls /sys/class/block | sed 's,^,/dev/,'").split()},
        )

    def test_the_filesystems_and_how_full_they_are(self):
        [found] = self.section('filesystems')
        device, mountpoint, kind, *_ = self.inspect(
            "grep '^/dev/vda ' /proc/mounts"
        ).split()
        self.assertEqual(mountpoint, found['mountpoint'])
        self.assertEqual(kind, found['type'])
        self.assertEqual(device.removeprefix('/dev/'), found['name'])
        size, blocks, free, available = (
            int(word)
            for word in self.inspect("stat -fc '%S %b %f %a' /mnt").split()
        )
        used = blocks - free
        self.assertEqual(size * used, found['used_bytes'])
        # For those who are not root, as df has it.
        self.assertEqual(size * (used + available), found['total_bytes'])

    def test_what_is_blocked_costs_only_itself(self):
        self.reached.restart_agent('-b guest-get-users,guest-get-osinfo')
        info = information.get_info(self.agent())
        self.assertEqual({'users', 'os'}, {*info['unavailable']})
        for reason in info['unavailable'].values():
            self.assertIn('/etc/sysconfig/qemu-ga', reason)
        self.assertLessEqual(
            {'guest-get-users', 'guest-get-osinfo'},
            {*info['commands']['blocked']},
        )
        self.assertEqual(self.inspect('hostname'), info['host_name'])

    def test_devices_are_what_only_windows_has(self):
        info = information.get_info(self.agent(), sections=['devices', 'os'])
        self.assertEqual({'devices'}, {*info['unavailable']})
        self.assertIn('os', info)
        self.assertNotIn('users', info)

    def test_a_ping_tells_how_long_it_took(self):
        self.assertGreater(information.ping(self.agent())['seconds'], 0)


class GetInfoDirectTest(GetInfoTest):
    number = 1
