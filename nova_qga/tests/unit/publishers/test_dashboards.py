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

"""The dashboards are Grafana's, and ask for what we serve.

Grafana takes a dashboard with a misspelt member, or with a query for what is
not there, and shows nothing.
"""

import itertools
import json
import pathlib
import re
import unittest

from grafana_foundation_sdk.cog import encoder
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.models import dashboard as grafana

from nova_qga.tests.fixtures import dashboards
from nova_qga.tests.fixtures import promql

plugins.register_default_plugins()

#: The data source's own, which Grafana's model of an annotation lacks.
FOREIGN = {'.annotations.list[].titleFormat', '.annotations.list[].step'}


def lost(ours, theirs, path=''):
    """Where a value of ours is not in what Grafana's own types make of it."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            if name not in theirs:
                yield f'{path}.{name}'
            else:
                yield from lost(value, theirs[name], f'{path}.{name}')
    elif isinstance(ours, list) and isinstance(theirs, list):
        for one, other in itertools.zip_longest(ours, theirs):
            yield from lost(one, other, f'{path}[]')
    elif ours != theirs:
        yield path


class DashboardsTest(unittest.TestCase):
    maxDiff = None

    def each(self):
        for name in dashboards.NAMES:
            with self.subTest(dashboard=name):
                yield dashboards.load(name)

    def test_every_member_is_one_that_grafana_knows(self):
        for dashboard in self.each():
            model = grafana.Dashboard.from_json(dashboard)
            text = encoder.JSONEncoder(sort_keys=True).encode(model)
            self.assertLessEqual(
                set(lost(dashboard, json.loads(text))), FOREIGN
            )

    def test_every_query_is_for_what_is_served(self):
        known = promql.served()
        for dashboard in self.each():
            for where, query in dashboards.queries(dashboard):
                with self.subTest(where=where, query=query):
                    self.assertEqual([], promql.faults(query, known))

    def test_every_name_in_a_legend_is_a_label(self):
        known = promql.served()
        for dashboard in self.each():
            for panel in dashboards.panels(dashboard):
                for target in panel['targets']:
                    labels = re.findall(
                        r'{{(\w+)}}', target.get('legendFormat', '')
                    )
                    with self.subTest(panel=panel['title']):
                        self.assertLessEqual(
                            set(labels),
                            promql.labels_of(target['expr'], known),
                        )

    def test_every_variable_is_one_of_the_dashboard(self):
        for dashboard in self.each():
            variables = {
                each['name'] for each in dashboard['templating']['list']
            }
            for where, query in dashboards.queries(dashboard):
                with self.subTest(where=where):
                    used = set(re.findall(r'\$(\w+)', query))
                    self.assertLessEqual(used, variables | {'__rate_interval'})

    def test_every_panel_asks_the_data_source_that_was_chosen(self):
        chosen = {'type': 'prometheus', 'uid': '${datasource}'}
        for dashboard in self.each():
            for panel in dashboards.panels(dashboard):
                with self.subTest(panel=panel['title']):
                    self.assertEqual(chosen, panel['datasource'])
                    for target in panel['targets']:
                        self.assertEqual(chosen, target['datasource'])

    def test_panels_say_what_they_show_and_in_what_unit(self):
        for dashboard in self.each():
            for panel in dashboards.panels(dashboard):
                with self.subTest(panel=panel['title']):
                    self.assertTrue(panel['targets'])
                    self.assertTrue(panel['description'].endswith('.'))
                    field = panel['fieldConfig']
                    self.assertTrue(
                        'unit' in field['defaults'] or field['overrides']
                    )

    def test_no_panel_covers_another(self):
        for dashboard in self.each():
            numbers = [panel['id'] for panel in dashboard['panels']]
            self.assertEqual(len(numbers), len(set(numbers)))
            taken = set()
            for panel in dashboard['panels']:
                place = panel['gridPos']
                cells = {
                    (x, y)
                    for x in range(place['x'], place['x'] + place['w'])
                    for y in range(place['y'], place['y'] + place['h'])
                }
                self.assertLessEqual(place['x'] + place['w'], 24)
                self.assertEqual(set(), cells & taken, panel['title'])
                taken |= cells

    def test_links_lead_to_dashboards_that_there_are(self):
        found = {dashboard['uid'] for dashboard in self.each()}
        for name in dashboards.NAMES:
            text = pathlib.Path(dashboards.FOLDER / name).read_text()
            for uid in re.findall(r'"/d/([^?"]+)', text):
                self.assertIn(uid, found)

    def test_the_files_are_as_json_writes_them(self):
        """So that what is changed by a program is a small change."""
        for name in dashboards.NAMES:
            text = (dashboards.FOLDER / name).read_text()
            made = json.dumps(json.loads(text), indent=2) + '\n'
            self.assertEqual(made, text)
