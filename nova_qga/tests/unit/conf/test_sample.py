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

"""Tests of the sample of a configuration, as operators get it."""

import io
import pathlib
import unittest

from oslo_config import cfg
from oslo_config import generator

from nova_qga import conf as qga_conf

SETTINGS = (
    pathlib.Path(__file__).resolve().parents[4]
    / 'etc/nova-qga/nova-qga-config-generator.conf'
)


class SampleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        conf = cfg.ConfigOpts()
        generator.register_cli_opts(conf)
        conf([f'--config-file={SETTINGS}'])
        conf.set_override('namespace', ['nova_qga'])
        written = io.StringIO()
        generator.generate(conf, written)
        cls.lines = written.getvalue().splitlines()

    def test_every_option_stands_there_in_its_group(self):
        group = None
        found = set()
        for line in self.lines:
            if line.startswith('['):
                group = line.strip('[]')
            name, equals, _ = line.lstrip('#').partition(' =')
            if equals and line.startswith('#') and ' ' not in name:
                found.add((group, name))
        wanted = {
            (group.name, opt.name.replace('-', '_'))
            for group, opts in qga_conf.list_opts()
            for opt in opts
        }
        self.assertLessEqual(wanted, found)

    def test_every_line_of_help_is_a_line_there(self):
        there = set(self.lines)
        for group, opts in qga_conf.list_opts():
            for opt in opts:
                for line in opt.help.strip().splitlines():
                    with self.subTest(option=f'[{group.name}]{opt.dest}'):
                        self.assertIn(f'# {line}'.strip(), there)
