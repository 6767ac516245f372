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

"""A real Prometheus has an answer to all that the dashboards ask."""

import unittest

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import dashboards
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import prometheus_server
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import rabbitmq
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host
from nova_qga.tests.unit.collectors import cases

OPTIONS = """
[qga_monitor]
interval = 1
slow_interval = 1
collectors = {collectors}
publishers = prometheus
[qga_prometheus]
listen_port = {port}
"""
#: Panels that show something only where something is wrong or has changed.
QUIET = {'Lost', 'Failures', 'Boots'}
#: Those for what this agent or this machine does not have.
QUIET |= {
    'Drives, as the hypervisor has them',
    'Inodes used',
    'Logged in',
    'Partitions',
}


class DashboardsTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        port = rabbitmq.free_port()
        qga = self.useFixture(qemu_ga.QemuGa())
        guest = simulated_host.Simulated('instance-00000001', qga.socket)
        host = self.useFixture(simulated_host.SimulatedHost(guest))
        self.useFixture(
            agent_program.AgentProgram(
                host.uri,
                shared.broker().url,
                OPTIONS.format(
                    port=port, collectors=','.join(cases.COLLECTORS)
                ),
            )
        )
        self.server = self.useFixture(prometheus_server.PrometheusServer(port))
        self.values = {
            '$host': '.*',
            '$project': guest.owner.project_uuid,
            '$resource': guest.uuid,
            '$__rate_interval': '10s',
        }
        self.server.wait_for('rate(guest_cpu_seconds_total{mode="user"}[10s])')

    def ask(self, query):
        for name, value in self.values.items():
            query = query.replace(name, value)
        return self.server.query(query)

    def test_each_query_finds_something_of_a_real_agent(self):
        for name in dashboards.NAMES:
            for where, query in dashboards.queries(dashboards.load(name)):
                with self.subTest(dashboard=name, where=where, query=query):
                    found = process.wait_until(
                        lambda: self.ask(query), 0 if where in QUIET else 10
                    )
                    self.assertTrue(found or where in QUIET)
