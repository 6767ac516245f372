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

"""Mode and owner of a file, as they stand in the guest."""

from nova_qga import errors
from nova_qga.operations import file_attributes
from nova_qga.operations import files
from nova_qga.tests.functional.operations import base

FOLDER = '/tmp/attributes ☃'
PATH = f'{FOLDER}/--key'
WANTED = file_attributes.Attributes('0640', 'ubuntu', '0')


class AttributesBase(base.OperationTest):
    def setUp(self):
        super().setUp()
        self.vm.inspect(f"rm -rf '{FOLDER}'; mkdir '{FOLDER}'")

    def write(self, path=PATH, wanted=WANTED, **more):
        return files.write_file(
            self.agent(),
            path=path,
            data=b'secret',
            attributes=wanted,
            verify=True,
            **more,
        )

    def stat(self, path=PATH):
        return self.vm.inspect(f"stat -c '%a %U %G' '{path}'").strip()

    def assert_only_the_file_is_there(self, content):
        self.assertEqual('--key\n', self.vm.inspect(f"ls '{FOLDER}'"))
        self.assertEqual(content, self.vm.inspect(f"cat '{PATH}'"))


class AttributesTest(AttributesBase):
    def test_they_are_set(self):
        result = self.write()
        self.assertEqual(
            (True, True), (result['mode_set'], result['owner_set'])
        )
        self.assertEqual('640 ubuntu root', self.stat())
        self.assert_only_the_file_is_there('secret')

    def test_whoever_had_the_old_file_open_does_not_get_the_new_content(self):
        self.vm.inspect(
            f"echo old > '{PATH}'; chmod 666 '{PATH}'; "
            f"ln '{PATH}' /tmp/held-{self.number}"
        )
        self.write(wanted=file_attributes.Attributes('0600'))
        self.assertEqual('600 root root', self.stat())
        self.assert_only_the_file_is_there('secret')
        self.assertEqual(
            'old\n', self.vm.inspect(f'cat /tmp/held-{self.number}')
        )
        self.vm.inspect(f'rm /tmp/held-{self.number}')

    def test_with_an_owner_alone_nobody_else_can_read_it(self):
        self.write(wanted=file_attributes.Attributes(owner='ubuntu'))
        self.assertEqual('600 ubuntu root', self.stat())

    def test_a_link_is_replaced_and_not_followed(self):
        self.vm.inspect(f"ln -s /tmp/elsewhere '{PATH}'")
        self.write()
        self.assert_only_the_file_is_there('secret')
        self.assertEqual('', self.vm.inspect('ls /tmp | grep elsew || :'))

    def test_an_owner_who_is_not_there_costs_nothing(self):
        self.vm.inspect(f"printf old > '{PATH}'")
        with self.assertRaisesRegex(errors.OperationFailed, 'nobody-there'):
            self.write(wanted=WANTED._replace(owner='nobody-there'))
        self.assert_only_the_file_is_there('old')
        result = self.write(
            wanted=WANTED._replace(owner='nobody-there'), best_effort=True
        )
        self.assertEqual(
            (True, False), (result['mode_set'], result['owner_set'])
        )
        self.assertEqual('640 root root', self.stat())

    def test_a_folder_stays_a_folder(self):
        with self.assertRaisesRegex(errors.OperationFailed, 'mv failed'):
            self.write(path=FOLDER)
        self.assertEqual('', self.vm.inspect(f"ls '{FOLDER}'"))
        self.assertEqual('', self.vm.inspect("ls /tmp | grep 's ☃[.]' || :"))


class DirectTest(AttributesTest):
    number = 1


class BlockedTest(AttributesBase):
    def setUp(self):
        super().setUp()
        self.reached.restart_agent('-b guest-exec')

    def test_nothing_is_written_unless_that_is_all_the_same(self):
        with self.assertRaisesRegex(errors.CommandUnsupported, 'best_effort'):
            self.write()
        self.assertEqual('', self.vm.inspect(f"ls '{FOLDER}'"))
        result = self.write(best_effort=True)
        self.assertEqual(
            (False, False), (result['mode_set'], result['owner_set'])
        )
        self.assertEqual('666 root root', self.stat())
