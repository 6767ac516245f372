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


"""The guest's agent stops, starts anew, or the guest is reset, meanwhile.

At a random moment of an operation in a real guest. Its outcome must be true
once all is well again, or say that it is unknown. ``NOVA_QGA_FAULT_ROUNDS``
says how often each is tried.
"""

import os
import random
import threading
import unittest

import fixtures
from oslo_config import cfg

from nova_qga.agent import local as agent_local
from nova_qga import conf as qga_conf
from nova_qga.rpc import api
from nova_qga.rpc import local
from nova_qga.rpc import outcome
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import ssh_key

ROUNDS = int(os.environ.get('NOVA_QGA_FAULT_ROUNDS', '1'))
HOST = 'compute-1'
CPU = '/sys/devices/system/cpu/cpu1/online'


class GuestFaultsTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.vm = shared.guest()
        self.random = random.Random(self.id())
        folder = self.useFixture(process.ShortFolder()).path
        policy = folder / 'policy.yaml'
        policy.write_text('"qga:execute": "rule:qga:admin"\n')
        conf = cfg.ConfigOpts()
        qga_conf.register_opts(conf)
        conf([], default_config_files=[])
        for group, name, value in (
            ('qga_agent', 'libvirt_uri', self.vm.host.uri),
            ('qga_agent', 'command_timeout', 2.0),
            ('qga_agent', 'sync_timeout', 2.0),
            ('qga_operations', 'policy_file', str(policy)),
        ):
            conf.set_override(name, value, group)
        here = agent_local.build(conf)
        self.addCleanup(here.close)
        caller = local.LocalCaller(here.endpoint, known_host.ADMIN)
        self.api = api.Api(caller, timeout=15, wait_for_agent=True)

    def begin(self, operation):
        """Begin an operation; return what gives its state."""
        ended = []
        running = threading.Thread(
            target=lambda: ended.append(operation()['state'])
        )
        running.start()

        def end():
            running.join(120)
            [state] = ended
            return state

        return end

    def operations(self):
        """Name -> what is done, and what counts in the guest how often."""
        uuid, name = self.vm.uuid, os.urandom(8).hex()
        key = ssh_key.make_ed25519()
        path = f'/tmp/fault-{name}'
        touch = ['/bin/sh', '-c', 'echo x >> "$0"', f'{path}-ran']
        shadow = self.vm.inspect('grep ^ubuntu: /etc/shadow').strip()
        self.vm.inspect(f'echo 1 > {CPU}')
        return {
            'add_ssh_keys': (
                lambda: self.api.add_ssh_keys(HOST, uuid, 'ubuntu', [key]),
                f'grep -c -F "{key}" /home/ubuntu/.ssh/authorized_keys',
            ),
            'write_file': (
                lambda: self.api.write_file(HOST, uuid, path, b'x\n'),
                f'grep -c -x x {path}',
            ),
            'execute': (
                lambda: self.api.change(HOST, 'execute', uuid, command=touch),
                f'grep -c -x x {path}-ran',
            ),
            'set_password': (
                lambda: self.api.set_password(HOST, uuid, 'ubuntu', name),
                f"grep ^ubuntu: /etc/shadow | grep -c -v -x -F '{shadow}'",
            ),
            'set_vcpus': (
                lambda: self.api.change(
                    HOST, 'set_vcpus', uuid, online={'1': False}
                ),
                f'grep -c 0 {CPU}',
            ),
            # They leave nothing to count.
            'set_time': (
                lambda: self.api.change(HOST, 'set_time', uuid),
                None,
            ),
            'trim': (lambda: self.api.change(HOST, 'trim', uuid), None),
        }

    def meanwhile(self, fault, mend):
        """Let a fault come into each operation, and look what is true."""
        for number in range(ROUNDS):
            for name, (operation, look) in self.operations().items():
                with self.subTest(operation=name, round=number):
                    end = self.begin(operation)
                    threading.Event().wait(self.random.uniform(0, 0.1))
                    fault()
                    threading.Event().wait(self.random.uniform(0, 3))
                    mend()
                    self.check(end(), look)

    def check(self, state, look):
        self.assertIn(state, outcome.STATES)
        if look is None:
            return
        count = int(self.vm.inspect(f'{look} 2>/dev/null || true') or 0)
        if state == 'succeeded':
            self.assertEqual(1, count)
        elif state == 'unknown':
            self.assertLessEqual(count, 1)
        else:
            self.assertEqual(0, count)

    def test_agents_that_hang_for_a_while(self):
        self.meanwhile(
            lambda: self.signal('STOP'), lambda: self.signal('CONT')
        )

    def signal(self, name):
        for number in (0, 1):
            self.vm.inspect(f'kill -{name} $(cat /run/qemu-ga-{number}.pid)')

    def test_agents_that_are_killed_and_started_anew(self):
        def kill():
            for number in (0, 1):
                self.vm.stop_agent(number, 'KILL')

        def start():
            for number in (0, 1):
                self.vm.start_agent(number)
            self.vm.wait_for_agents()

        self.meanwhile(kill, start)

    def test_a_guest_that_is_reset(self):
        # Its root is in memory: what was done is gone, and nothing to find.
        operations = self.operations()
        tried = operations if ROUNDS > 1 else ('write_file', 'execute')
        for name in tried:
            operation, _ = operations[name]
            with self.subTest(operation=name):
                end = self.begin(operation)
                threading.Event().wait(self.random.uniform(0, 0.1))
                self.vm.reset()
                self.assertIn(end(), outcome.STATES)
                self.vm.wait_for_agents()
                self.vm.inspect('true')
