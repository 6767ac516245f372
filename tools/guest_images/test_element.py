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

"""A guest whose image the element nova-qga-guest was built into."""

import unittest

from guest_images import machine
from nova_qga.protocol import commands
from nova_qga.protocol import filesystems

FIRST = 'qemu-guest-agent.service'
SECOND = 'qemu-guest-agent-direct.service'
RULES = '/etc/udev/rules.d/60-qemu-guest-agent-direct.rules'


class ElementTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest = machine.Machine('element')
        cls.addClassCleanup(cls.guest.cleanUp)
        cls.guest.setUp()
        for number in (0, 1):
            if not cls.guest.answers(number, machine.BOOT):
                raise machine.Failed(f'agent {number} never answers')

    def pid(self, unit):
        return int(self.guest.show(unit, 'MainPID'))

    def assert_both_answer(self):
        for number in (0, 1):
            self.assertTrue(self.guest.answers(number), number)

    def restart_both(self):
        self.guest.run(f'systemctl daemon-reload; systemctl restart {FIRST}')
        if self.guest.show(SECOND, 'LoadState') == 'loaded':
            self.guest.run(f'systemctl restart {SECOND}')

    def forbid(self, path, text):
        """Write a file of the image's owner, for the time of this test."""
        self.guest.run(
            f'mkdir -p $(dirname {path}); cat >{path} <<"EOF"\n{text}\nEOF'
        )
        self.addCleanup(self.restart_both)
        self.addCleanup(self.guest.run, f'rm {path}')
        self.restart_both()
        self.assert_both_answer()

    def test_each_has_its_process_its_state_and_its_port(self):
        first, second = self.pid(FIRST), self.pid(SECOND)
        self.assertNotIn(0, (first, second))
        self.assertNotEqual(first, second)
        for pid, number in ((first, 0), (second, 1)):
            device = self.guest.run(
                f'readlink -f /dev/virtio-ports/{machine.PORT.format(number)}'
            )
            held = self.guest.run(f'ls -l /proc/{pid}/fd')
            self.assertIn(f'-> {device}\n', f'{held}\n')
        self.assertEqual(
            '/run/qemu-guest-agent-direct/qga.state\n/run/qga.state',
            self.guest.run('ls /run/qga.state /run/qemu-*/qga.state'),
        )

    def test_systemd_and_udev_find_nothing_wrong(self):
        self.assertEqual('', self.guest.failed_units())
        # By its path: by a name alone it does not look for what generators
        # have made.
        unit = self.guest.show(SECOND, 'FragmentPath')
        self.assertEqual('', self.guest.run(f'systemd-analyze verify {unit}'))
        if self.guest.run('udevadm --version') >= '254':
            self.guest.run(f'udevadm verify {RULES}')

    def test_a_restart_of_one_leaves_the_other_alone(self):
        for number, unit, other in ((1, SECOND, FIRST), (0, FIRST, SECOND)):
            before, others = self.pid(unit), self.pid(other)
            self.guest.run(f'systemctl restart {unit}')
            self.assertTrue(self.guest.answers(number))
            self.assertNotEqual(before, self.pid(unit))
            self.assertEqual(others, self.pid(other))

    def test_it_is_back_after_each_of_many_crashes(self):
        for _ in range(8):
            before = self.pid(SECOND)
            self.guest.run(f'kill -KILL {before}')
            self.assertTrue(
                self.guest.becomes(
                    f'p=$(systemctl show --value -p MainPID {SECOND});'
                    f' [ $p != 0 ] && [ $p != {before} ] && echo new',
                    'new',
                )
            )
        self.assert_both_answer()
        self.assertEqual('', self.guest.failed_units())

    def test_what_a_drop_in_forbids_is_forbidden_to_both(self):
        self.forbid(
            f'/etc/systemd/system/{FIRST}.d/owner.conf',
            '[Service]\nEnvironment="BLOCK=guest-exec,guest-file-open"\n'
            'ExecStart=\nExecStart=/usr/sbin/qemu-ga -b ${BLOCK}',
        )
        self.assertLessEqual(
            {'guest-exec', 'guest-file-open'}, self.guest.disabled(0)
        )
        self.assertEqual(self.guest.disabled(0), self.guest.disabled(1))

    def test_what_qemu_gas_own_file_forbids_is_forbidden_to_both(self):
        self.forbid(
            '/etc/qemu/qemu-ga.conf',
            '[general]\nblock-rpcs=guest-exec,guest-set-user-password\n'
            'path=/dev/virtio-ports/org.qemu.guest_agent.0',
        )
        self.assertLessEqual(
            {'guest-exec', 'guest-set-user-password'}, self.guest.disabled(0)
        )
        self.assertEqual(self.guest.disabled(0), self.guest.disabled(1))

    def test_with_nothing_forbidden_both_do_the_same(self):
        self.assertEqual(self.guest.disabled(0), self.guest.disabled(1))

    def test_masking_the_first_takes_the_second_away(self):
        self.guest.run(
            f'systemctl stop {FIRST} {SECOND}; systemctl mask {FIRST}'
        )
        self.addCleanup(self.guest.run, f'systemctl start {FIRST} {SECOND}')
        self.addCleanup(self.guest.run, f'systemctl unmask {FIRST}')
        self.assertEqual('not-found', self.guest.show(SECOND, 'LoadState'))
        self.assertIn(f'{FIRST} is masked', self.guest.run('dmesg'))
        self.assertEqual('', self.guest.failed_units())

    def test_the_second_freezes_and_thaws(self):
        with self.guest.agent(1) as client:
            frozen = client.run(filesystems.freeze())
            self.assertEqual('frozen', client.run(commands.freeze_status()))
            # What it needs to know of itself is not on a frozen disk.
            thawed = client.run(filesystems.thaw())
            self.assertEqual('thawed', client.run(commands.freeze_status()))
        self.assertGreaterEqual(frozen, 1)
        self.assertGreaterEqual(thawed, 1)
        self.guest.run('touch /root/thawed')
        self.assert_both_answer()

    def test_both_are_back_after_a_reboot(self):
        self.guest.reboot()
        self.assert_both_answer()
        self.assertEqual('', self.guest.failed_units())
