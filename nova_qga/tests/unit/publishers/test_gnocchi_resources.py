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

"""What Ceilometer is told of Gnocchi's resources fits what we measure.

A metric that the file does not name is one that Gnocchi never gets.
"""

import fnmatch
import pathlib
import re
import unittest

import yaml

from nova_qga.collectors import base
from nova_qga.publishers import payload
from nova_qga.tests.fixtures import doc_pages
from nova_qga.tests.fixtures import every_metric
from nova_qga.tests.fixtures import made_samples

FILE = (
    pathlib.Path(__file__).resolve().parents[4]
    / 'etc/ceilometer/gnocchi_resources.d/nova_qga.yaml'
)


def resource_type(sample):
    """Where a sample belongs, by what its resource is."""
    part = sample['resource_id'].removeprefix(made_samples.UUID)
    if part.startswith('-cpu-'):
        return 'nova_qga_cpu'
    if not part:
        return 'instance'
    if sample['name'].startswith('guest.network.'):
        return 'instance_network_interface'
    return 'instance_disk'


class GnocchiResourcesTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.definitions = yaml.safe_load(FILE.read_text())
        self.resources = self.definitions['resources']

    def test_every_metric_is_of_one_type_of_resource(self):
        names = [name for each in self.resources for name in each['metrics']]
        self.assertEqual(
            [metric.name for metric in every_metric.metrics()],
            sorted(names),
        )

    def test_the_type_is_that_of_what_has_the_resource_id(self):
        sent = payload.of(
            made_samples.samples(*every_metric.samples()), 'compute-1'
        )
        self.assertEqual(
            {each['name']: resource_type(each) for each in sent['samples']},
            {
                name: each['resource_type']
                for each in self.resources
                for name in each['metrics']
            },
        )

    def test_what_only_grows_has_a_policy_with_rates(self):
        default = self.definitions['archive_policy_default']
        policies = {
            name: (policy or {}).get('archive_policy_name', default)
            for each in self.resources
            for name, policy in each['metrics'].items()
        }
        for metric in every_metric.metrics():
            grows = metric.kind is base.Kind.CUMULATIVE
            with self.subTest(metric=metric.name):
                self.assertEqual(
                    'ceilometer-low-rate' if grows else 'ceilometer-low',
                    policies.get(metric.name),
                )

    def test_every_policy_is_made_where_it_is_missing(self):
        made = {each['name'] for each in self.definitions['archive_policies']}
        self.assertEqual({'ceilometer-low', 'ceilometer-low-rate'}, made)

    def test_the_documentation_names_the_types_and_their_metrics(self):
        rows = doc_pages.rows('admin/ceilometer.rst', 'Gnocchi')
        documented = {
            kind.strip('`'): re.findall('``(.+?)``', metrics)
            for kind, metrics, _ in rows
        }
        self.assertEqual(
            [each['resource_type'] for each in self.resources],
            list(documented),
        )
        for each in self.resources:
            for name in each['metrics']:
                with self.subTest(metric=name):
                    kinds = [
                        kind
                        for kind, patterns in documented.items()
                        if any(fnmatch.fnmatch(name, p) for p in patterns)
                    ]
                    self.assertEqual(
                        [each['resource_type']], kinds or ['instance']
                    )

    def test_names_stand_in_order(self):
        for each in self.resources:
            self.assertEqual(sorted(each['metrics']), list(each['metrics']))
