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

"""Prometheus's own tool takes the alert rules, and they say what they must."""

import pathlib
import subprocess
import unittest

import yaml

from nova_qga.tests.fixtures import process

RULES = (
    pathlib.Path(__file__).resolve().parents[4]
    / 'etc/prometheus/rules/nova_qga.yaml'
)
CASES = pathlib.Path(__file__).with_name('rules_test.yaml')


def promtool(*words):
    done = subprocess.run(
        [process.program('promtool'), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


class AlertRulesTest(unittest.TestCase):
    def test_promtool_has_nothing_against_them(self):
        status, said = promtool('check', 'rules', RULES)
        self.assertEqual(0, status, said)

    def test_each_alert_comes_where_it_must_and_only_there(self):
        status, said = promtool('test', 'rules', CASES)
        self.assertEqual(0, status, said)

    def test_each_alert_has_a_case_with_it_and_one_without(self):
        cases = {}
        for test in yaml.safe_load(CASES.read_text())['tests']:
            for case in test['alert_rule_test']:
                comes = bool(case['exp_alerts'])
                cases.setdefault(case['alertname'], set()).add(comes)
        groups = yaml.safe_load(RULES.read_text())['groups']
        self.assertEqual(
            {
                rule['alert']: {True, False}
                for group in groups
                for rule in group['rules']
            },
            cases,
        )
