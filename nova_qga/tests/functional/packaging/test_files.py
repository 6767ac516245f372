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

"""What is shipped for systemd and logrotate, as their own tools read it."""

import pathlib
import shutil
import subprocess
import unittest

import fixtures

from nova_qga.tests.fixtures import guest_xml
from nova_qga.tests.fixtures import process

ETC = pathlib.Path(__file__).parents[4] / 'etc'
UNIT = 'nova-qga-agent.service'

#: Tenths, as "systemd-analyze security" counts them; 100 is no protection.
EXPOSURE = 15

#: What other packages have made before nova-qga is installed.
GROUPS = 'root:x:0:\nlibvirt:x:107:\nlibvirt-qemu:x:64055:\nnova:x:64060:\n'


class FilesTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.useFixture(process.ShortFolder()).path

    def run_tool(self, name, *arguments):
        done = subprocess.run(
            [process.program(name), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def make_users(self):
        etc = self.root / 'etc'
        etc.mkdir()
        (etc / 'passwd').write_text('root:x:0:0:root:/root:/bin/sh\n')
        (etc / 'group').write_text(GROUPS)
        for name in ('shadow', 'gshadow'):
            (etc / name).touch()
        self.run_tool(
            'systemd-sysusers',
            f'--root={self.root}',
            str(ETC / 'sysusers.d/nova-qga.conf'),
        )
        return (etc / 'passwd').read_text(), (etc / 'group').read_text()

    def test_the_unit_has_no_mistake(self):
        unit = (ETC / 'systemd' / UNIT).read_text()
        program = '/usr/bin/nova-qga-agent'
        self.assertIn(f'ExecStart={program} ', unit)
        # The program is not installed there.
        (self.root / UNIT).write_text(unit.replace(program, '/bin/true'))
        told = self.run_tool(
            *(
                'systemd-analyze',
                'verify',
                '--man=no',
                '--recursive-errors=no',
            ),
            str(self.root / UNIT),
        )
        self.assertNotIn('nova-qga', told)

    def test_the_unit_exposes_little(self):
        self.run_tool(
            *('systemd-analyze', 'security', '--offline=true', '--no-pager'),
            f'--threshold={EXPOSURE}',
            str(ETC / 'systemd' / UNIT),
        )

    def test_the_user_is_in_the_groups_of_libvirt_qemu_and_nova(self):
        users, groups = self.make_users()
        [user] = [
            line for line in users.splitlines() if line.startswith('nova-qga:')
        ]
        self.assertTrue(user.endswith(':/var/lib/nova-qga:/usr/sbin/nologin'))
        member_of = {
            line.partition(':')[0]
            for line in groups.splitlines()
            if line.endswith(':nova-qga')
        }
        self.assertEqual({'libvirt', 'libvirt-qemu', 'nova'}, member_of)
        made = set(groups.splitlines()) - set(GROUPS.splitlines())
        self.assertEqual(4, len(made), 'a group was made that others make')

    def test_the_folders_are_the_users_alone(self):
        users, _groups = self.make_users()
        uid = next(
            int(line.split(':')[2])
            for line in users.splitlines()
            if line.startswith('nova-qga:')
        )
        self.run_tool(
            *('systemd-tmpfiles', '--create', f'--root={self.root}'),
            str(ETC / 'tmpfiles.d/nova-qga.conf'),
        )
        for path, mode in (('lib', 0o700), ('log', 0o750)):
            made = (self.root / 'var' / path / 'nova-qga').stat()
            self.assertEqual(mode, made.st_mode & 0o7777)
            self.assertEqual(uid, made.st_uid)

    def test_logrotate_understands_its_file(self):
        file = self.root / 'nova-qga'
        shutil.copyfile(ETC / 'logrotate.d/nova-qga', file)
        text = file.read_text()
        self.assertIn('su nova-qga nova-qga', text)
        # logrotate looks the user up on this machine.
        file.write_text(text.replace('su nova-qga nova-qga', 'su root root'))
        file.chmod(0o644)
        told = self.run_tool('logrotate', '-d', str(file))
        self.assertNotIn('error', told)
        self.assertIn('/var/log/nova-qga/*.log', told)


class AppArmorTest(unittest.TestCase):
    """What libvirt's own helper would put into a guest's profile."""

    UUID = '4051b616-4e78-4677-8ce4-70071c406b63'
    STANDARD = pathlib.Path(
        '/var/lib/libvirt/qemu/channel/target/domain-1-instance-0000000a/'
        'org.qemu.guest_agent.0'
    )
    NAME = 'org.qemu.guest_agent.1.instance-0000000a.sock'

    def rules(self, folder, *options):
        guest = guest_xml.Guest(
            name='instance-0000000a',
            uuid=self.UUID,
            folder=pathlib.Path('/var/lib/nova/instances') / self.UUID,
            memory=192,
            vcpus=1,
            channels=(
                guest_xml.Channel(
                    target='org.qemu.guest_agent.0', path=self.STANDARD
                ),
                guest_xml.Channel(
                    target='org.qemu.guest_agent.1',
                    path=pathlib.Path(folder) / self.NAME,
                ),
            ),
            owner=None,
        )
        done = subprocess.run(
            ['/usr/lib/libvirt/virt-aa-helper', '-d', *options]
            + ['-u', f'libvirt-{self.UUID}'],
            input=guest.xml(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        told = done.stdout + done.stderr
        return [line.strip() for line in told.splitlines()]

    def test_the_sockets_of_both_channels_are_granted_in_any_folder(self):
        for folder in ('/var/lib/libvirt/qemu', '/srv/qga'):
            rules = self.rules(folder, '-c')
            self.assertIn(f'"{self.STANDARD}" rw,', rules)
            self.assertIn(f'"{folder}/{self.NAME}" rw,', rules)

    def test_a_socket_that_is_plugged_in_is_granted(self):
        plugged = '/srv/qga/plugged.sock'
        rules = self.rules('/srv/qga', '-r', '-F', plugged)
        self.assertIn(f'"{plugged}" rwk,', rules)
