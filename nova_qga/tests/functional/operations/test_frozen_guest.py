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

"""A guest whose filesystems are frozen says so, and nothing is run in it."""

from nova_qga import errors
from nova_qga.journal import database
from nova_qga.journal import owned_keys
from nova_qga.operations import files
from nova_qga.operations import information
from nova_qga.operations import password
from nova_qga.operations import ssh_keys
from nova_qga.protocol import command
from nova_qga.protocol import replies
from nova_qga.tests.fixtures import ssh_key
from nova_qga.tests.functional.operations import base

FREEZE = command.Command('guest-fsfreeze-freeze', lambda reply: reply)
THAW = command.Command('guest-fsfreeze-thaw', lambda reply: reply)
LOOK = command.Command(
    'guest-fsfreeze-status', replies.read_freeze_status, {}, False
)
OWNED = owned_keys.OwnedKeys(database.Database(None)).account('u', 'n')
OPERATIONS = (
    lambda agent: password.set_password(
        agent, username='ubuntu', password='x', crypted=False
    ),
    lambda agent: ssh_keys.add_ssh_keys(
        agent, 'ubuntu', [ssh_key.make_ed25519()], OWNED
    ),
    lambda agent: ssh_keys.list_ssh_keys(agent, 'ubuntu', OWNED),
    lambda agent: files.write_file(agent, path='/mnt/x', data=b'x'),
    lambda agent: files.read_file(agent, path='/mnt/README', length=1),
    information.get_info,
)


class FrozenGuestTest(base.OperationTest):
    def freeze(self):
        agent = self.agent()
        self.addCleanup(self.thaw)
        self.assertEqual(1, agent.execute(FREEZE))

    def thaw(self):
        agent = self.agent()
        if agent.execute(LOOK) == 'frozen':
            agent.execute(THAW)

    def test_each_operation_fails_as_frozen_and_changes_nothing(self):
        before = self.vm.inspect('cat /etc/shadow; ls /mnt')
        self.freeze()
        for operation in OPERATIONS:
            with self.assertRaises(errors.GuestUnavailable) as caught:
                operation(self.agent())
            self.assertEqual('frozen', caught.exception.reason)
            self.assertIn('thaw', str(caught.exception))
        self.thaw()
        self.assertEqual(before, self.vm.inspect('cat /etc/shadow; ls /mnt'))
        information.get_info(self.agent())

    def test_one_frozen_since_it_was_looked_up_is_found_frozen(self):
        agent = self.agent()
        agent.info()
        self.freeze()
        with self.assertRaises(errors.GuestUnavailable) as caught:
            files.read_file(agent, path='/mnt/README', length=1)
        self.assertEqual('frozen', caught.exception.reason)
        self.thaw()
        files.read_file(agent, path='/mnt/README', length=1)


class FrozenGuestDirectTest(FrozenGuestTest):
    number = 1
