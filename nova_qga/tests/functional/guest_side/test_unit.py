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

"""systemd has nothing to say against the second guest agent's unit.

That it runs is shown in whole guests, by tools/guest_images.
"""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from nova_qga.tests.fixtures import process

ROOT = pathlib.Path(__file__).parents[4] / 'etc/guest/root'
SYSTEMD = ROOT / 'etc/systemd'
SECOND = 'qemu-guest-agent-direct.service'


class UnitTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        # Made of the unit of this machine's own qemu-guest-agent.
        subprocess.run(
            [SYSTEMD / 'system-generators/qemu-guest-agent-direct']
            + [self.folder],
            check=True,
        )
        self.drop_ins = self.folder / f'{SECOND}.d'
        shutil.copytree(SYSTEMD / f'system/{SECOND}.d', self.drop_ins)

    def verify(self):
        return subprocess.run(
            [process.program('systemd-analyze'), 'verify']
            + [self.folder / SECOND],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def test_systemd_finds_nothing_wrong(self):
        verified = self.verify()
        self.assertEqual(
            (0, ''), (verified.returncode, verified.stderr), verified
        )

    def test_what_is_wrong_in_the_drop_in_would_be_found(self):
        with (self.drop_ins / '50-direct.conf').open('a') as drop_in:
            drop_in.write('Restrat=always\n')
        self.assertIn('Restrat', self.verify().stderr)
