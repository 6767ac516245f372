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

"""Tests of the ``[qga]`` options."""

import tempfile
import unittest

from oslo_config import cfg

from nova_qga import conf as qga_conf
from nova_qga.conf import qga
from nova_qga.nova_extension import channel


def read(text):
    """Return ``[qga]`` as read from a file with this text."""
    with tempfile.NamedTemporaryFile('w', suffix='.conf') as file:
        file.write(text)
        file.flush()
        conf = cfg.ConfigOpts()
        qga.register_opts(conf)
        conf([], default_config_files=[file.name])
        return conf.qga


class DirectChannelTest(unittest.TestCase):
    def test_there_is_one_where_nobody_says_otherwise(self):
        group = read('')
        self.assertEqual('org.qemu.guest_agent.1', group.direct_channel)
        self.assertEqual('/var/lib/libvirt/qemu', group.direct_channel_dir)

    def test_an_empty_name_means_none(self):
        self.assertEqual('', read('[qga]\ndirect_channel =\n').direct_channel)

    def test_a_port_name_of_the_operators_own_is_taken(self):
        for name in ('org.qemu.guest_agent.1', 'com.example.qga-2', 'A_1'):
            with self.subTest(name=name):
                group = read(f'[qga]\ndirect_channel = {name}\n')
                self.assertEqual(name, group.direct_channel)

    def test_a_name_that_is_no_port_name_is_refused(self):
        for name in (
            'two words',
            'a/b',
            '../etc',
            '..',
            '-x',
            'ä',
            'x' * 61,
            '<name>',
        ):
            with self.subTest(name=name):
                group = read(f'[qga]\ndirect_channel = {name}\n')
                with self.assertRaises(cfg.ConfigFileValueError):
                    group.direct_channel  # noqa: B018

    def test_a_name_that_nova_or_libvirt_uses_is_refused_and_says_so(self):
        for name in (
            'org.qemu.guest_agent.0',
            'com.redhat.spice.0',
            'org.libvirt.lock',
            'org.spice-space.webdav.0',
        ):
            with self.subTest(name=name):
                group = read(f'[qga]\ndirect_channel = {name}\n')
                with self.assertRaisesRegex(
                    cfg.ConfigFileValueError, 'choose another name'
                ):
                    group.direct_channel  # noqa: B018


class PolicyTest(unittest.TestCase):
    def test_every_guest_gets_channels_where_nobody_says_otherwise(self):
        self.assertIs(True, read('').enabled)
        self.assertEqual('all', read('').channel_policy)

    def test_the_policies_are_those_that_the_extension_knows(self):
        [option] = [o for o in qga.OPTS if o.dest == 'channel_policy']
        self.assertEqual(
            [policy.value for policy in channel.Policy],
            [value for value, _ in option.type.choices.items()],
        )

    def test_any_other_is_refused_and_the_choice_is_shown(self):
        group = read('[qga]\nchannel_policy = some\n')
        with self.assertRaisesRegex(cfg.ConfigFileValueError, 'all, image'):
            group.channel_policy  # noqa: B018


class DirectChannelDirTest(unittest.TestCase):
    def test_only_an_absolute_path_is_taken(self):
        for path in ('', 'run/qga', './x', '/run/\x07'):
            with self.subTest(path=path):
                group = read(f'[qga]\ndirect_channel_dir = {path}\n')
                with self.assertRaises(cfg.ConfigFileValueError):
                    group.direct_channel_dir  # noqa: B018


class ListOptsTest(unittest.TestCase):
    def test_every_group_is_listed_with_its_options(self):
        listed = {group.name: opts for group, opts in qga_conf.list_opts()}
        self.assertIn('qga', listed)
        for name, opts in listed.items():
            with self.subTest(group=name):
                self.assertTrue(opts)

    def test_all_groups_register_together(self):
        conf = cfg.ConfigOpts()
        qga_conf.register_opts(conf)
        qga_conf.register_opts(conf)  # twice is harmless
        conf([], default_config_files=[])
        for group, opts in qga_conf.list_opts():
            for opt in opts:
                with self.subTest(group=group.name, option=opt.dest):
                    conf[group.name][opt.dest]
