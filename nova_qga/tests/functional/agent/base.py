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


"""A real agent that samples a real guest, and all that it tells of it.

What is said is true of both channels: the classes here have a subclass in
which the agent uses the direct one too.
"""

import time
import unittest
import urllib.request

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import rabbitmq
from nova_qga.tests.fixtures import sample_file
from nova_qga.tests.fixtures import shared

OPTIONS = """
[qga]
direct_channel = {direct}
[qga_prometheus]
listen_port = {port}
[qga_jsonl]
path = {path}
[qga_monitor]
slow_interval = 6
publishers = jsonl, prometheus
"""
#: So long that no guest is due by it while a test runs.
NEVER = 86400


class MonitoringTest(fixtures.TestWithFixtures, unittest.TestCase):
    """The shared guest with a tap device, not yet sampled.

    :cvar direct: ``[qga]direct_channel``
    :ivar vm: the guest
    :ivar samples: what is told
    """

    direct = ''

    def setUp(self):
        super().setUp()
        self.vm = shared.guest_with_tap()
        folder = self.useFixture(process.ShortFolder()).path
        self.samples = sample_file.SampleFile(folder / 'samples')
        self._port = rabbitmq.free_port()
        self.restored = False
        self.before = {}
        self.before = {number: self.open_files(number) for number in (0, 1)}

    def options(self, more):
        """nova-qga.conf.

        :param more: of ``[qga_monitor]``
        """
        text = OPTIONS.format(
            direct=self.direct, port=self._port, path=self.samples.path
        )
        return text + more

    def monitor(self, more='interval = 2'):
        """Start the agent of the host."""
        self.program = self.useFixture(
            agent_program.AgentProgram(
                self.vm.host.uri, 'fake://', self.options(more)
            )
        )
        # One that is killed leaves files open in the guest.
        self.addCleanup(self.end)
        return self.program

    def end(self):
        """Have it end by itself."""
        if self.program.running:
            self.program.stop()

    def reload(self, more):
        """Have it sample otherwise; return when it does."""
        said = len(self.program.logged())
        self.program.reload(self.options(more))
        self.assertTrue(
            process.wait_until(
                lambda: 'sampling every' in self.program.logged()[said:], 60
            ),
            self.program.logged()[said:],
        )

    def stop_agents(self):
        """End both agents in the guest; return when that was, Unix time."""
        self.before = {}
        if not self.restored:
            self.restored = True
            self.addCleanup(self.restore_agents)
        for number in (0, 1):
            self.vm.stop_agent(number)
        self.vm.wait_for_ports()
        return time.time()

    def start_agents(self, options=''):
        """Start them again; return when they were ready, Unix time."""
        for number in (0, 1):
            self.vm.start_agent(number, options)
        self.vm.wait_for_agents()
        return time.time()

    def restore_agents(self):
        """Leave the guest as it was found, whatever happened to it."""
        for number in (0, 1):
            self.vm.inspect(f'agent-stop {number} || :')
        self.start_agents()

    def next(self, wanted, known=0):
        """The rounds of the guest up to the one wanted."""
        return self.samples.next(self.vm.uuid, wanted, known)

    def known(self):
        """How many rounds were told so far."""
        return len(self.samples.rounds(self.vm.uuid))

    def open_files(self, number):
        """How many files of its kernel an agent of the guest has open.

        Those not counted that were before this test: an agent of the host
        that has no time to close them may leave some.
        """
        listed = self.vm.inspect(
            f'ls -l /proc/$(cat /run/qemu-ga-{number}.pid)/fd'
        )
        count = sum('-> /proc/' in line for line in listed.splitlines())
        return count - self.before.get(number, 0)

    def wait_for_open_files(self, number, count):
        """Wait until it has so many open."""
        self.assertTrue(
            process.wait_until(
                lambda: self.open_files(number) == count, 60, every=0.2
            ),
            f'{self.open_files(number)} are open, not {count}',
        )

    def fetched(self):
        """The series of the guest that Prometheus would fetch, as text."""
        url = f'http://127.0.0.1:{self._port}/metrics'
        with urllib.request.urlopen(url, timeout=30) as answer:
            text = answer.read().decode()
        return [line for line in text.splitlines() if self.vm.uuid in line]


def of_guest(each):
    """Tell whether a round has figures of the guest's own."""
    return 'guest' in each.sources


def of_everything(each):
    """Tell whether it has those too that are asked for more seldom."""
    return 'filesystem' in each.kinds('guest')


def stood_in(each):
    """Tell whether the hypervisor has all that it knows in a round."""
    return {'cpu', 'memory', 'disk', 'network'} <= each.kinds('hypervisor')


def every(_):
    """Tell that any round will do."""
    return True


DIRECT = guest_vm.DIRECT
