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


"""A real Prometheus fetches what a real agent measured of a real qemu-ga."""

import unittest
import urllib.request

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import prometheus_server
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import rabbitmq
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host

OPTIONS = """
[qga_monitor]
interval = {interval}
publishers = prometheus
[qga_prometheus]
listen_port = {port}
"""


class PrometheusTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        qga = self.useFixture(qemu_ga.QemuGa())
        self.guest = simulated_host.Simulated('instance-00000001', qga.socket)
        host = self.useFixture(simulated_host.SimulatedHost(self.guest))
        self.port = rabbitmq.free_port()
        self.agent = self.useFixture(
            agent_program.AgentProgram(
                host.uri, shared.broker().url, self.options(1)
            )
        )

    def options(self, interval):
        return OPTIONS.format(interval=interval, port=self.port)

    def fetch(self):
        url = f'http://127.0.0.1:{self.port}/metrics'
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.read().decode()

    def count(self):
        """Series of the guest."""
        return self.fetch().count('\nguest_')

    def test_prometheus_has_the_guest_with_its_project(self):
        server = self.useFixture(prometheus_server.PrometheusServer(self.port))
        [memory] = server.wait_for('guest_memory_total_bytes')
        labels = memory['metric']
        self.assertEqual(self.guest.uuid, labels['resource'])
        self.assertEqual(self.guest.owner.project_uuid, labels['project'])
        self.assertEqual('instance-00000001', labels['domain'])
        with open('/proc/meminfo') as file:
            total = int(file.readline().split()[1]) * 1024
        self.assertEqual(total, int(memory['value'][1]))
        self.assertTrue(
            server.wait_for('rate(guest_cpu_seconds_total{mode="user"}[10s])')
        )

    def test_promtool_has_nothing_against_it(self):
        process.wait_until(lambda: 'guest_uptime' in self.fetch(), 60)
        self.assertEqual('', prometheus_server.faults(self.fetch()))

    def test_the_port_is_served_on_over_a_reload(self):
        process.wait_until(lambda: 'guest_uptime' in self.fetch(), 60)
        self.agent.reload(self.options(2))
        self.agent.wait_until_logged('sampling every 2 s')
        self.assertIn('guest_uptime', self.fetch())
        # No gap, although it is another publisher that serves now.
        self.agent.reload(self.options(3) + 'max_series = 11\n')
        self.agent.wait_until_logged('sampling every 3 s')
        self.assertIn('guest_cpu_seconds', self.fetch())
        process.wait_until(lambda: self.count() == 11, 60)
        self.assertEqual(11, self.count())
        self.assertNotIn('stays as it was', self.agent.logged())
