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

"""Tests of the check of options, on files as operators write them."""

import pathlib

import fixtures
from oslo_config import cfg

from nova_qga.checks import options
from nova_qga import conf as qga_conf
from nova_qga.tests.fixtures import findings


class OptionsTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.conf = cfg.ConfigOpts()
        qga_conf.register_opts(self.conf)

    def write(self, text, name='nova.conf'):
        file = self.folder / name
        file.write_text(text)
        return str(file)

    def check(self, *files, **words):
        arguments = [f'--config-file={file}' for file in files]
        self.conf(arguments, default_config_dirs=[])
        return options.check(self.conf, **words)

    def bad(self, text, **words):
        """What is bad in one file."""
        return findings.bad(self.check(self.write(text), **words))

    def test_defaults_are_right(self):
        [found] = self.check()
        self.assertEqual('GOOD', found.severity.name)
        self.assertIn('no file', found.text)

    def test_the_files_that_were_read_are_named_in_order(self):
        folder = self.folder / 'conf.d'
        folder.mkdir()
        (folder / 'a.conf').write_text('[qga]\n')
        file = self.write('[DEFAULT]\nhost = x\n')
        self.conf(
            [f'--config-file={file}', f'--config-dir={folder}'],
            default_config_dirs=[],
        )
        [found] = options.check(self.conf)
        self.assertEqual(f'read from {file}, {folder}/a.conf', found.text)

    def test_every_wrong_value_is_named(self):
        bad = self.bad(
            '[qga]\nchannel_policy = some\ndirect_channel = a b\n'
            'direct_channel_dir = there\nenabled = perhaps\n'
            '[qga_agent]\nrpc_workers = many\n'
            '[qga_monitor]\ninterval = 0\n'
        )
        self.assertEqual({'FAILURE'}, {severity for severity, _ in bad})
        self.assertEqual(
            [
                '[qga]enabled',
                '[qga]channel_policy',
                '[qga]direct_channel',
                '[qga]direct_channel_dir',
                '[qga_agent]rpc_workers',
                '[qga_monitor]interval',
            ],
            [text.partition(':')[0] for _, text in bad],
        )
        self.assertIn("'a b' is not a virtio port name", bad[2][1])

    def test_a_wrong_value_counts_as_the_default_for_the_other_checks(self):
        file = self.write('[qga_agent]\nrpc_workers = 0\n[qga]\nenabled = ?\n')
        self.conf([f'--config-file={file}'], default_config_dirs=[])
        value = options.value(self.conf, 'qga_agent', 'rpc_workers')
        self.assertEqual(16, value)
        self.assertIs(True, options.value(self.conf, 'qga', 'enabled'))

    def test_a_misspelt_option_is_found_with_what_it_may_be_meant_for(self):
        [(severity, text)] = self.bad('[qga]\ndirekt_channel = x\n')
        self.assertEqual('WARNING', severity)
        self.assertIn('option direkt_channel in [qga]', text)
        self.assertIn('Is it meant for direct_channel?', text)

    def test_a_misspelt_section_is_found_too(self):
        [(severity, text)] = self.bad('[qga_montior]\ninterval = 5\n')
        self.assertEqual('WARNING', severity)
        self.assertIn('Is it meant for [qga_monitor]?', text)

    def test_options_of_others_are_left_alone(self):
        bad = self.bad(
            '[DEFAULT]\nfoo = bar\n[libvirt]\nvirt_type = ?\n[x]\ny = z\n'
        )
        self.assertEqual([], bad)

    def test_channels_where_nova_compute_does_not_read_them_are_found(self):
        file = self.write('[qga]\nenabled = false\n', 'nova-qga.conf')
        [(severity, text)] = findings.bad(self.check(file))
        self.assertEqual('WARNING', severity)
        self.assertIn('move it to nova.conf', text)

    def test_a_plugin_that_is_not_installed_is_a_failure(self):
        bad = self.bad(
            '[qga_monitor]\ncollectors = cpu,gpu\npublishers = pigeon\n'
        )
        self.assertEqual(['FAILURE'] * 2, [severity for severity, _ in bad])
        self.assertIn('collectors names gpu', bad[0][1])
        self.assertIn('choose among cpu, ', bad[0][1])
        self.assertIn('publishers names pigeon', bad[1][1])

    def test_a_folder_of_sockets_that_is_missing_is_a_failure(self):
        text = f'[qga]\ndirect_channel_dir = {self.folder}/sockets\n'
        [(severity, said)] = self.bad(text)
        self.assertEqual('FAILURE', severity)
        self.assertIn('No such file or directory', said)
        self.assertIn('make it', said)
        (self.folder / 'sockets').touch()
        self.assertIn('Not a directory', self.bad(text)[0][1])
        (self.folder / 'sockets').unlink()
        (self.folder / 'sockets').mkdir()
        self.assertEqual([], self.bad(text))

    def test_a_folder_that_no_guest_uses_need_not_be_there(self):
        text = '[qga]\ndirect_channel_dir = /nowhere\n'
        self.assertEqual([], self.bad(text, has_guests=False))
        for line in (
            'direct_channel =',
            'channel_policy = none',
            'enabled = false',
        ):
            with self.subTest(line):
                self.assertEqual([], self.bad(f'{text}{line}\n'))

    def test_a_path_too_long_for_nova_s_names_is_a_failure(self):
        folder = self.folder / ('x' * 80)
        folder.mkdir()
        [(severity, text)] = self.bad(f'[qga]\ndirect_channel_dir = {folder}')
        self.assertEqual('FAILURE', severity)
        self.assertIn('a unix socket may have 107', text)
