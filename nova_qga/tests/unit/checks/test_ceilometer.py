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

"""Tests of the check of Ceilometer's definitions."""

import pathlib
import shutil

import fixtures
import yaml

from nova_qga.checks import ceilometer
from nova_qga.tests.fixtures import findings

SHIPPED = pathlib.Path(__file__).resolve().parents[4] / ceilometer.FILE

OTHER = """\
metric:
  - name: image.size
    event_type: [image.upload, image.delete]
    type: gauge
"""


class CeilometerTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.meters = self.folder / 'meters.d'
        self.meters.mkdir()

    def check(self, folder=None, event=ceilometer.EVENT):
        return ceilometer.check(str(folder or self.folder), event)

    def test_what_we_ship_is_what_is_looked_for(self):
        shutil.copy(SHIPPED, self.meters)
        for event in (ceilometer.EVENT, ceilometer.BATCH_EVENT):
            [found] = self.check(event=event)
            self.assertEqual('GOOD', found.severity.name)
            self.assertIn('nova_qga.yaml is for our metrics', found.text)

    def test_an_older_one_is_for_a_guest_a_message_alone(self):
        first, *_ = yaml.safe_load(SHIPPED.read_text())['metric']
        (self.meters / 'old.yaml').write_text(
            yaml.safe_dump({'metric': [first]})
        )
        self.assertEqual([], findings.bad(self.check()))
        [(_, text)] = findings.bad(self.check(event=ceilometer.BATCH_EVENT))
        self.assertIn('(instance.guest.metrics.batch)', text)

    def test_where_none_is_for_our_metrics_it_is_said_what_to_copy(self):
        (self.meters / 'other.yaml').write_text(OTHER)
        [(severity, text)] = findings.bad(self.check())
        self.assertEqual('WARNING', severity)
        self.assertIn(f'nova_qga.yaml to {self.meters}', text)

    def test_a_definition_of_somebody_s_own_will_do(self):
        (self.meters / 'own.yaml').write_text(
            'metric: [{name: x, event_type: [other, "instance.guest.*"]}]\n'
        )
        self.assertEqual([], findings.bad(self.check()))

    def test_a_file_that_ceilometer_cannot_read_is_said(self):
        for text in ('metric: [', '[]', 'metric: 1', 'metric: [x]', ''):
            with self.subTest(text):
                (self.meters / 'bad.yaml').write_text(text)
                bad, absent = findings.bad(self.check())
                self.assertIn('bad.yaml cannot be read', bad[1])
                self.assertIn('no meter definition', absent[1])

    def test_folders_that_its_configuration_names_are_looked_at(self):
        elsewhere = self.folder / 'elsewhere'
        elsewhere.mkdir()
        shutil.copy(SHIPPED, elsewhere)
        (self.folder / 'ceilometer.conf').write_text(
            f'[meter]\nmeter_definitions_dirs = {self.meters}\n'
            f'meter_definitions_dirs = {elsewhere}\n'
        )
        self.assertEqual([], findings.bad(self.check()))

    def test_a_configuration_that_is_none_is_not_ours_to_judge(self):
        shutil.copy(SHIPPED, self.meters)
        (self.folder / 'ceilometer.conf').write_text('nonsense\n')
        self.assertEqual([], findings.bad(self.check()))

    def test_no_definition_is_needed_without_ceilometer(self):
        [found] = self.check(self.folder / 'nowhere')
        self.assertEqual('GOOD', found.severity.name)

    def test_no_definition_is_needed_where_nothing_is_published(self):
        [found] = self.check(event=None)
        self.assertEqual('GOOD', found.severity.name)
