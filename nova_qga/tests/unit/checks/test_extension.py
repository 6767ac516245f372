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

"""Tests of the check of the extension, in environments made by hand.

Each is a folder of packages, seen by a real Python that sees no other. That
the extension is found beside a real Nova is in the functional tests.
"""

import pathlib
import sys
import unittest

import fixtures

from nova_qga.checks import extension
from nova_qga.tests.fixtures import findings
from nova_qga import version

OURS = version.version_string_with_package()

PYTHON = """\
#!/bin/sh
PYTHONPATH={folder} exec {python} -S "$@"
"""


class Environment(fixtures.Fixture):
    """An environment without packages, and what is put into it.

    :ivar python: its interpreter
    """

    def _setUp(self):
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.python = str(
            self.program(
                PYTHON.format(folder=self.folder, python=sys.executable)
            )
        )

    def program(self, text):
        file = self.folder / 'python'
        file.write_text(text)
        file.chmod(0o755)
        return file

    def install(self, name, version, entry_points=''):
        """Put in what pip would, but for the modules."""
        info = self.folder / f'{name}-{version}.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(
            f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n'
        )
        (info / 'entry_points.txt').write_text(entry_points)

    def module(self, path, text=''):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


class ExtensionTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.environment = self.useFixture(Environment())

    def install_ours(self, number=OURS):
        self.environment.install(
            'nova_qga', number, '[os_vif]\nnova_qga = os_vif_plugin\n'
        )
        for path in (
            'os_vif_plugin.py',
            'nova/__init__.py',
            'nova/virt/__init__.py',
            'nova_qga/__init__.py',
            'nova_qga/nova_extension/__init__.py',
        ):
            self.environment.module(path)
        self.environment.module(
            'nova/virt/libvirt.py', 'class LibvirtDriver: pass'
        )
        self.environment.module(
            'nova_qga/nova_extension/channel.py',
            'class Policy: ALL = 1\ndef ChannelSettings(*_): pass\n',
        )

    def driver(self, text):
        """What our driver does with Nova's."""
        self.environment.module(
            'nova_qga/nova_extension/driver.py',
            f'def extend(base, settings):\n    {text}\n',
        )

    def check(self, python=None, **words):
        return extension.check(
            python or self.environment.python, **{'enabled': True, **words}
        )

    def test_without_nova_it_cannot_be_told(self):
        [(severity, text)] = findings.bad(self.check())
        self.assertEqual('WARNING', severity)
        self.assertIn('Nova is not installed in', text)
        self.assertIn('--nova-python', text)

    def test_a_nova_without_the_extension_is_a_failure(self):
        self.environment.install('nova', '34.0.0')
        [(severity, text)] = findings.bad(self.check())
        self.assertEqual('FAILURE', severity)
        self.assertIn('pip install nova-qga', text)
        self.assertIn('restart nova-compute', text)

    def test_an_entry_point_that_does_not_load_is_a_failure(self):
        self.environment.install('nova', '34.0.0')
        self.install_ours()
        (self.environment.folder / 'os_vif_plugin.py').unlink()
        [(severity, text)] = findings.bad(self.check())
        self.assertEqual('FAILURE', severity)
        self.assertIn("No module named 'os_vif_plugin'", text)

    def test_a_nova_that_the_extension_does_not_know_is_a_failure(self):
        self.environment.install('nova', '99.0.0')
        self.install_ours()
        self.driver("raise ValueError('LibvirtDriver has no method x')")
        [(severity, text)] = findings.bad(self.check())
        self.assertEqual('FAILURE', severity)
        self.assertIn('does not work with Nova 99.0.0', text)
        self.assertIn('LibvirtDriver has no method x', text)

    def test_two_versions_on_one_host_are_a_warning(self):
        self.environment.install('nova', '34.0.0')
        self.install_ours('0.0.0.1')
        self.driver("print('noise')")
        [(severity, text)] = findings.bad(self.check())
        self.assertEqual('WARNING', severity)
        self.assertIn('nova-compute loads nova-qga 0.0.0.1', text)

    def test_all_is_well_where_it_can_be_extended(self):
        self.environment.install('nova', '34.0.0')
        self.install_ours()
        self.driver('return base')
        [found] = self.check()
        self.assertEqual('GOOD', found.severity.name)
        self.assertIn('Nova 34.0.0', found.text)

    def test_a_path_that_is_no_python_is_said(self):
        for python, said in (
            ('/nowhere/python', 'is no program'),
            ('/bin/true', 'did not tell what it can load'),
            (self.environment.program('#!/nowhere'), 'did not tell'),
        ):
            with self.subTest(str(python)):
                [(severity, text)] = findings.bad(self.check(str(python)))
                self.assertEqual('FAILURE', severity)
                self.assertIn(said, text)

    def test_one_that_never_ends_is_not_waited_for(self):
        self.environment.program('#!/bin/sh\nexec sleep 600\n')
        [(severity, text)] = findings.bad(self.check(timeout=0.2))
        self.assertEqual('FAILURE', severity)
        self.assertIn('took over', text)

    def test_an_extension_that_is_switched_off_is_not_looked_for(self):
        [found] = self.check(enabled=False)
        self.assertEqual('GOOD', found.severity.name)
        self.assertIn('[qga]enabled is false', found.text)


if __name__ == '__main__':
    unittest.main()
