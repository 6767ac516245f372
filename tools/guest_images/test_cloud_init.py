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

"""A guest with no agent in its image, and user-data that installs two."""

import pathlib
import shutil
import unittest

from guest_images import machine
from nova_qga.tests.fixtures import process

USER_DATA = (
    pathlib.Path(__file__).parents[2]
    / 'etc/guest/cloud-init/nova-qga-guest.yaml'
)
SEED = '/run/user-data'

# What the cloud says besides, so that the image's own services do not fail:
# QEMU's network has no DHCPv6, the disk is as large as it gets, and there is
# no ssh.
OF_THE_CLOUD = {
    'meta-data': 'instance-id: guest-images\n',
    'vendor-data': (
        '#cloud-config\nresize_rootfs: false\nssh_genkeytypes: []\n'
    ),
    'network-config': (
        'version: 1\n'
        'config:\n'
        '- {type: physical, name: ens2, subnets: [{type: dhcp4}]}\n'
    ),
}
#: Seconds until packages are installed, from Debian's own servers.
INSTALLED = 1200


class CloudInitTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = process.ShortFolder()
        cls.addClassCleanup(folder.cleanUp)
        folder.setUp()
        shutil.copy(USER_DATA, folder.path / 'user-data')
        for name, text in OF_THE_CLOUD.items():
            (folder.path / name).write_text(text)
        cls.guest = machine.Machine('cloud-init', seed=folder.path)
        cls.addClassCleanup(cls.guest.cleanUp)
        cls.guest.setUp()
        # It exits with 1 or 2 where anything was amiss, and says what.
        cls.said = cls.guest.run(
            'cloud-init status --wait --long || true', INSTALLED
        )

    def test_both_agents_run_when_cloud_init_is_done(self):
        self.assertIn('status: done', self.said)
        for number in (0, 1):
            self.assertTrue(self.guest.answers(number), number)
        self.assertEqual('', self.guest.failed_units())

    def test_both_agents_run_after_a_reboot(self):
        self.guest.reboot()
        for number in (0, 1):
            self.assertTrue(self.guest.answers(number), number)
        self.assertEqual('', self.guest.failed_units())

    def test_the_schema_of_cloud_init_allows_the_user_data(self):
        self.guest.run(
            'cp $(find /var/lib/cloud/instance/ -name user-data.txt) '
            f'{SEED}; cloud-init schema --config-file {SEED}'
        )
