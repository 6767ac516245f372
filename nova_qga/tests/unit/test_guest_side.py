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

"""What goes into guests: one set of files, and the unit made of another.

The generator runs on the units of distributions, in a folder of its own.
"""

import configparser
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import yaml

GUEST = pathlib.Path(__file__).parents[3] / 'etc/guest'
ELEMENT = GUEST / 'diskimage-builder/elements/nova-qga-guest'
ROOT = ELEMENT / 'static'
GENERATOR = ROOT / 'etc/systemd/system-generators/qemu-guest-agent-direct'

SECOND = 'qemu-guest-agent-direct.service'
OF_ITS_OWN = (
    '--method=virtio-serial'
    ' --path=/dev/virtio-ports/org.qemu.guest_agent.1'
    ' --statedir=/run/qemu-guest-agent-direct'
    ' --pidfile=/run/qemu-guest-agent-direct/qemu-ga.pid'
)

DEBIAN = r"""
[Unit]
Description=QEMU Guest Agent
BindsTo=dev-virtio\x2dports-org.qemu.guest_agent.0.device
After=dev-virtio\x2dports-org.qemu.guest_agent.0.device

[Service]
ExecStart=-/usr/sbin/qemu-ga
Restart=always
RestartSec=0

[Install]
"""

# As RHEL and its like write it; the variable that holds the block list has
# another name in each release.
RHEL = r"""
[Unit]
Description=QEMU Guest Agent
BindsTo=dev-virtio\x2dports-org.qemu.guest_agent.0.device
After=dev-virtio\x2dports-org.qemu.guest_agent.0.device
IgnoreOnIsolate=True

[Service]
UMask=0077
EnvironmentFile=/etc/sysconfig/qemu-ga
ExecStart=/usr/bin/qemu-ga \
  --method=virtio-serial \
  # Comments may stand between.
  --path=/dev/virtio-ports/org.qemu.guest_agent.0 \
  --block-rpcs=${BLOCK_RPCS} \
  -F${FSFREEZE_HOOK_PATHNAME}
Restart=always
RestartSec=0

[Install]
WantedBy=dev-virtio\x2dports-org.qemu.guest_agent.0.device
"""


class GeneratorTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        (self.root / 'out').mkdir()

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def first(self, text):
        self.write('usr/lib/systemd/system/qemu-guest-agent.service', text)

    def drop_in(self, text, name='10.conf', folder='etc/systemd/system'):
        self.write(f'{folder}/qemu-guest-agent.service.d/{name}', text)

    def generate(self):
        """What the generator says, and the folder that it has filled."""
        ran = subprocess.run(
            [str(GENERATOR), str(self.root / 'out'), 'early', 'late'],
            env={'PATH': '/usr/bin:/bin', 'NOVA_QGA_ROOT': str(self.root)},
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stderr, list((self.root / 'out').iterdir())

    def second(self):
        said, files = self.generate()
        self.assertEqual([self.root / 'out' / SECOND], files, said)
        return files[0].read_text()

    def command(self):
        """How the second agent is started: the last line counts."""
        return [
            line.partition('=')[2]
            for line in self.second().splitlines()
            if line.startswith('ExecStart=')
        ][-1]

    def assert_no_second(self, reason):
        said, files = self.generate()
        self.assertEqual([], files)
        self.assertIn(reason, said)

    def test_it_is_debians_unit_with_another_port(self):
        self.first(DEBIAN)
        self.assertEqual(
            [
                '[Unit]',
                'Description=QEMU Guest Agent',
                r'BindsTo=dev-virtio\x2dports-org.qemu.guest_agent.1.device',
                r'After=dev-virtio\x2dports-org.qemu.guest_agent.1.device',
                '[Service]',
                f'ExecStart=-/usr/sbin/qemu-ga {OF_ITS_OWN}',
                'Restart=always',
                'RestartSec=0',
            ],
            self.second().splitlines(),
        )

    def test_it_keeps_rhels_block_list_and_freeze_hook(self):
        self.first(RHEL)
        self.assertEqual(
            [
                *('/usr/bin/qemu-ga', '--method=virtio-serial'),
                '--path=/dev/virtio-ports/org.qemu.guest_agent.1',
                '--block-rpcs=${BLOCK_RPCS}',
                '-F${FSFREEZE_HOOK_PATHNAME}',
                *OF_ITS_OWN.split(),
            ],
            self.command().split(),
        )
        text = self.second()
        self.assertIn('EnvironmentFile=/etc/sysconfig/qemu-ga\n', text)
        self.assertIn('UMask=0077\n', text)
        self.assertNotIn('Install', text)
        self.assertNotIn('guest_agent.0', text)

    def test_it_keeps_what_a_drop_in_forbids(self):
        self.first(DEBIAN)
        self.drop_in(
            '[Service]\nExecStart=\n'
            'ExecStart=/usr/sbin/qemu-ga -b guest-exec\n'
            'ProtectHome=read-only\n'
        )
        self.assertEqual(
            f'/usr/sbin/qemu-ga -b guest-exec {OF_ITS_OWN}', self.command()
        )
        text = self.second()
        self.assertIn('ProtectHome=read-only\n', text)
        self.assertIn('\nExecStart=\nExecStart=/usr/sbin', text)

    def test_drop_ins_count_in_systemds_order(self):
        self.first(DEBIAN)
        for number, folder, umask in (
            (20, 'usr/lib/systemd/system', 1),
            (10, 'etc/systemd/system', 2),
            (20, 'etc/systemd/system', 3),
            (30, 'run/systemd/system', 4),
        ):
            text = f'[Service]\nUMask=000{umask}\n'
            self.drop_in(text, f'{number}.conf', folder)
        masks = [
            line
            for line in self.second().splitlines()
            if line.startswith('UMask')
        ]
        self.assertEqual(['UMask=0002', 'UMask=0003', 'UMask=0004'], masks)

    def test_the_owners_unit_comes_before_the_distributions(self):
        self.first(RHEL)
        self.write('etc/systemd/system/qemu-guest-agent.service', DEBIAN)
        self.assertEqual(f'-/usr/sbin/qemu-ga {OF_ITS_OWN}', self.command())

    def test_a_daemon_writes_a_pid_file_of_its_own(self):
        self.first(
            '[Service]\nType=forking\nPIDFile=/run/qemu-ga.pid\n'
            'ExecStart=/usr/bin/qemu-ga -d\n'
        )
        self.assertIn(
            'PIDFile=/run/qemu-guest-agent-direct/qemu-ga.pid\n', self.second()
        )

    def test_no_first_agent_means_no_second(self):
        self.assert_no_second('there is no qemu-guest-agent.service')

    def test_masking_the_first_agent_masks_the_second(self):
        self.first(DEBIAN)
        unit = self.root / 'etc/systemd/system/qemu-guest-agent.service'
        unit.parent.mkdir(parents=True)
        unit.symlink_to('/dev/null')
        self.assert_no_second('qemu-guest-agent.service is masked')

    def test_an_agent_behind_a_wrapper_cannot_be_followed(self):
        # Options would go to the wrapper, which might give the second agent
        # the port of the first, or more than the first may do.
        for start in (
            "/bin/sh -c 'exec qemu-ga -b guest-exec'",
            '/usr/local/bin/agent',
            '',
        ):
            self.first(f'[Service]\nExecStart={start}\n')
            self.assert_no_second('does not start qemu-ga itself')

    def test_a_wrapper_that_a_drop_in_takes_back_does_not_count(self):
        self.first('[Service]\nExecStart=/opt/wrap qemu-ga\n')
        self.drop_in('[Service]\nExecStart=\nExecStart=/usr/bin/qemu-ga\n')
        self.assertEqual(f'/usr/bin/qemu-ga {OF_ITS_OWN}', self.command())

    def test_a_drop_in_with_a_wrapper_leaves_no_unit_either(self):
        self.first(DEBIAN)
        self.drop_in('[Service]\nExecStart=\nExecStart=/opt/wrap qemu-ga\n')
        self.assert_no_second('does not start qemu-ga itself')


class FilesTest(unittest.TestCase):
    def files(self):
        return {
            f'/{file.relative_to(ROOT)}': file
            for file in ROOT.rglob('*')
            if file.is_file()
        }

    def test_cloud_init_writes_what_the_element_installs(self):
        text = (GUEST / 'cloud-init/nova-qga-guest.yaml').read_text()
        self.assertEqual('#cloud-config', text.splitlines()[0])
        told = yaml.safe_load(text)
        written = {file['path']: file for file in told['write_files']}
        self.assertEqual(self.files().keys(), written.keys())
        for path, file in self.files().items():
            with self.subTest(path):
                self.assertEqual(file.read_text(), written[path]['content'])
                # git keeps no other bit than this.
                mode = 0o755 if os.access(file, os.X_OK) else 0o644
                self.assertEqual(mode, int(written[path]['permissions'], 8))
                self.assertEqual('root:root', written[path]['owner'])
        packages = yaml.safe_load(
            (ELEMENT / 'package-installs.yaml').read_text()
        )
        self.assertEqual(list(packages), told['packages'])

    def test_the_root_is_that_of_the_element(self):
        self.assertEqual(ROOT.resolve(), (GUEST / 'root').resolve())

    def test_the_element_is_as_diskimage_builder_wants_it(self):
        needs = (ELEMENT / 'element-deps').read_text().split()
        self.assertEqual(sorted(needs), needs)
        self.assertTrue((ELEMENT / 'README.rst').is_file())
        for script in (GENERATOR, *(ELEMENT / 'post-install.d').iterdir()):
            self.assertTrue(os.access(script, os.X_OK), script)

    def test_all_name_the_same_port_folder_and_unit(self):
        drop_in = ROOT / f'etc/systemd/system/{SECOND}.d/50-direct.conf'
        settings = configparser.RawConfigParser(strict=False)
        settings.optionxform = str
        settings.read_string(drop_in.read_text())
        device = r'dev-virtio\x2dports-org.qemu.guest_agent.1.device'
        self.assertEqual(device, settings['Unit']['BindsTo'])
        self.assertEqual(device, settings['Unit']['After'])
        self.assertEqual(
            'qemu-guest-agent-direct',
            settings['Service']['RuntimeDirectory'],
        )
        (rules,) = (ROOT / 'etc/udev/rules.d').iterdir()
        self.assertIn(f'ENV{{SYSTEMD_WANTS}}+="{SECOND}"', rules.read_text())
        self.assertIn('=="org.qemu.guest_agent.1"', rules.read_text())
