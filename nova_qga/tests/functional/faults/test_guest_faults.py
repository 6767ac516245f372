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

from nova_qga.agent import assembly
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
        here = assembly.build_local(conf)
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
        """What is done, and what tells in the guest whether it was."""
        uuid, name = self.vm.uuid, os.urandom(8).hex()
        key = ssh_key.make_ed25519()
        path = f'/tmp/fault-{name}'
        touch = ['/bin/sh', '-c', 'echo x >> "$0"', f'{path}-ran']
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
                None,
            ),
        }

    def count(self, look, before):
        """How often it was done."""
        if look is None:
            return int(self.shadow() != before)
        return int(self.vm.inspect(f'{look} 2>/dev/null || true') or 0)

    def shadow(self):
        return self.vm.inspect('grep ^ubuntu: /etc/shadow')

    def meanwhile(self, fault, mend):
        """Let a fault come into each operation, and look what is true."""
        states = set()
        for number in range(ROUNDS):
            for name, (operation, look) in self.operations().items():
                with self.subTest(operation=name, round=number):
                    before = self.shadow()
                    end = self.begin(operation)
                    threading.Event().wait(self.random.uniform(0, 0.1))
                    fault()
                    threading.Event().wait(self.random.uniform(0, 3))
                    mend()
                    state = end()
                    states.add(state)
                    done = self.count(look, before)
                    self.assertIn(state, outcome.STATES)
                    if state == 'succeeded':
                        self.assertEqual(1, done)
                    elif state != 'unknown':
                        self.assertEqual(0, done)
                    else:
                        self.assertLessEqual(done, 1)
        return states

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
        for name, (operation, _) in self.operations().items():
            with self.subTest(operation=name):
                end = self.begin(operation)
                threading.Event().wait(self.random.uniform(0, 0.1))
                self.vm.reset()
                self.assertIn(end(), outcome.STATES)
                self.vm.wait_for_agents()
                self.vm.inspect('true')
