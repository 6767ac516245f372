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

"""What the monitoring guide names is there: commands, options and files.

What its commands show is looked for by a functional test.
"""

import configparser
from importlib import metadata
import re
import unittest

from oslo_messaging import opts as messaging_opts
import yaml

from nova_qga import conf
from nova_qga.tests.fixtures import doc_pages

ROOT = doc_pages.DOC.parents[1]
PAGE = doc_pages.DOC / 'install/monitoring-guide.rst'
RULES = 'etc/prometheus/rules/nova_qga.yaml'
#: Our programs in a literal, with what stands behind them.
PROGRAM = re.compile(r'(?:``|\$ )(nova-qga(?:-\w+)?)((?: [a-z-]+)*)')


class MonitoringGuideTest(unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.text = PAGE.read_text()
        _, _, self.production = self.text.partition('\nIn production\n')

    def code(self, language):
        [found] = doc_pages.blocks(self.production, language)
        return found

    def test_its_commands_are_ours(self):
        nouns = {
            each.name.replace('_', ' ')
            for each in metadata.entry_points(group='nova_qga.cli')
        }
        programs = metadata.entry_points(group='console_scripts').names
        for program, words in PROGRAM.findall(self.text):
            with self.subTest(program=program, words=words):
                self.assertIn(program, programs)
                if program == 'nova-qga' and words:
                    head = words.split()[:2]
                    self.assertTrue(nouns & {head[0], ' '.join(head)}, words)

    def test_its_options_are_ours_or_oslo_messagings(self):
        known = {
            str(group): {option.dest for option in options}
            for group, options in conf.list_opts() + messaging_opts.list_opts()
        }
        options = configparser.ConfigParser()
        options.read_string(self.code('ini'))
        for group in options.sections():
            for option in options.options(group):
                with self.subTest(group=group, option=option):
                    self.assertIn(option, known[group])

    def test_prometheus_calls_the_job_as_our_rules_do(self):
        configuration = yaml.safe_load(self.code('yaml'))
        [job] = configuration['scrape_configs']
        rules = (ROOT / RULES).read_text()
        self.assertEqual(
            {job['job_name']}, set(re.findall(r'job="([^"]*)"', rules))
        )
        self.assertEqual([f'/{RULES}'], configuration['rule_files'])

    def test_its_files_are_in_the_source(self):
        files = re.findall(r'``(etc/[\w./-]+\.\w+)``', self.text)
        self.assertIn(RULES, files)
        for name in files:
            with self.subTest(file=name):
                self.assertTrue((ROOT / name).is_file())

    def test_it_can_be_found(self):
        for page in ('README.rst', 'doc/source/install/index.rst'):
            self.assertIn('monitoring-guide', (ROOT / page).read_text())
