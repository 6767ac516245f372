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

"""The unit as it is shipped, run by real systemd beside a real guest."""

import contextlib
import pathlib
import unittest

from nova_qga.tests.fixtures import controller
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import libvirtd
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import scratch_machine
from nova_qga.tests.fixtures import shared

HOST = 'compute-1'
NAME = 'instance-0000beef'
SOCKET = pathlib.Path(f'/var/lib/libvirt/qemu/{guest_vm.DIRECT}.{NAME}.sock')

NOVA_CONF = """\
[DEFAULT]
host = {host}
transport_url = {url}
compute_driver = libvirt.LibvirtDriver
[oslo_messaging_notifications]
driver = messagingv2
"""

NOVA_QGA_CONF = """\
[qga_monitor]
interval = 1
[oslo_reports]
log_dir = /var/log/nova-qga
"""


class UnitTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with contextlib.ExitStack() as stack:
            broker = shared.broker()
            host = stack.enter_context(libvirtd.Libvirtd())
            cls.vm = stack.enter_context(
                guest_vm.GuestVM(
                    host,
                    name=NAME,
                    channels=[
                        (guest_vm.STANDARD, None),
                        (guest_vm.DIRECT, SOCKET),
                    ],
                )
            )
            cls.machine = stack.enter_context(
                scratch_machine.ScratchMachine(
                    host,
                    NOVA_CONF.format(host=HOST, url=broker.url),
                    NOVA_QGA_CONF,
                )
            )
            client = stack.enter_context(controller.Controller(broker.url))
            cls.api = client.api
            # Returns when the agent says that it is ready.
            cls.machine.run('systemctl', 'start', scratch_machine.UNIT)
            cls.addClassCleanup(stack.pop_all().close)

    def ping(self):
        return self.api.ping(HOST, self.vm.uuid)

    def log(self):
        return self.machine.run('cat', str(scratch_machine.LOG))

    def test_it_reaches_a_guest_over_each_channel(self):
        self.assertEqual('direct', self.ping()['channel'])
        self.vm.stop_agent(1)
        self.addCleanup(self.vm.wait_for_agents)
        self.addCleanup(self.vm.start_agent, 1)

        def by_standard():
            return self.ping()['channel'] == 'standard'

        self.assertTrue(process.wait_until(by_standard, 60, every=1))

    def test_it_has_no_privilege_but_its_groups(self):
        pid = self.machine.show('MainPID')
        status = dict(
            line.split(':\t', 1)
            for line in self.machine.run(
                'cat', f'/proc/{pid}/status'
            ).splitlines()
        )
        for kind in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
            self.assertEqual(0, int(status[kind], 16), kind)
        self.assertEqual('1', status['NoNewPrivs'])
        self.assertEqual('2', status['Seccomp'])
        groups = self.machine.run('id', '-nG', 'nova-qga').split()
        self.assertEqual(
            {'nova-qga', 'libvirt', 'libvirt-qemu', 'nova'}, set(groups)
        )

    def test_its_files_are_for_nobody_else(self):
        self.ping()
        found = self.machine.run(
            *('stat', '-c', '%n %a %U'),
            *('/var/lib/nova-qga', '/var/lib/nova-qga/journal.db'),
            '/var/lib/nova-qga/key_pairs.json',
            *('/var/log/nova-qga', str(scratch_machine.LOG)),
        )
        self.assertEqual(
            [
                '/var/lib/nova-qga 700 nova-qga',
                '/var/lib/nova-qga/journal.db 600 nova-qga',
                '/var/lib/nova-qga/key_pairs.json 600 nova-qga',
                '/var/log/nova-qga 750 nova-qga',
                f'{scratch_machine.LOG} 640 nova-qga',
            ],
            found.splitlines(),
        )

    def test_root_replaces_its_key_and_leaves_no_file_of_his_own(self):
        def key_id():
            return self.api.get_public_key(HOST)['result']['key_id']

        before = key_id()
        printed = self.machine.run(
            'nova-qga-agent',
            *('--config-file', '/etc/nova/nova.conf'),
            *('--config-file', '/etc/nova-qga/nova-qga.conf'),
            '--rotate-key',
        )
        self.assertNotEqual(before, key_id())
        self.assertEqual(f'{key_id()}\n', printed)
        owners = self.machine.run(
            'find', '/var/lib/nova-qga', '/var/log/nova-qga', '-user', 'root'
        )
        self.assertEqual('', owners)

    def test_no_core_and_nobody_of_its_user_may_look_into_it(self):
        pid = self.machine.show('MainPID')
        limits = self.machine.run('cat', f'/proc/{pid}/limits')
        self.assertRegex(limits, r'Max core file size +0 +0 ')
        owner = self.machine.run('stat', '-c', '%U', f'/proc/{pid}/environ')
        self.assertEqual('root\n', owner)

    def test_it_logs_into_a_new_file_after_a_rotation(self):
        before = self.ping()['request_id']
        self.machine.run('logrotate', '-f', '/etc/logrotate.d/nova-qga')
        after = self.ping()['request_id']
        old = self.machine.run('cat', f'{scratch_machine.LOG}.1')
        self.assertIn(before, old)
        self.assertNotIn(after, old)
        self.assertIn(after, self.log())
        self.assertNotIn(before, self.log())

    def test_it_reloads(self):
        self.machine.run('systemctl', 'reload', scratch_machine.UNIT)
        self.assertEqual('direct', self.ping()['channel'])
        self.assertEqual('active', self.machine.show('ActiveState'))

    def test_it_reports_on_itself(self):
        self.machine.run(
            *('systemctl', 'kill', '--signal=USR2'),
            *('--kill-who=main', scratch_machine.UNIT),
        )

        show = 'cat /var/log/nova-qga/*gurumeditation* || true'

        def reported():
            # Its last part.
            return 'Configuration' in self.machine.run('sh', '-c', show)

        self.assertTrue(process.wait_until(reported, 30, every=0.5))

    def test_it_stops_when_it_is_told(self):
        self.machine.run('systemctl', 'stop', scratch_machine.UNIT)
        self.addCleanup(
            self.machine.run, 'systemctl', 'start', scratch_machine.UNIT
        )
        self.assertEqual('success', self.machine.show('Result'))
        self.assertEqual('0', self.machine.show('ExecMainStatus'))
        self.assertIn('nova-qga-agent stopped', self.log())
