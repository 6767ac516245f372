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

"""What the devstack plugin does in each phase, and what it leaves behind."""

import pathlib
import re

import fixtures
import yaml

from nova_qga import conf
from nova_qga.tests.fixtures import devstack

ALL_IN_ONE = 'ENABLED_SERVICES=rabbit,n-api,n-cond,n-sch,n-cpu,tempest\n'
CONTROLLER = 'ENABLED_SERVICES=rabbit,n-api,n-cond,n-sch,tempest\n'
SUBNODE = 'ENABLED_SERVICES=n-cpu,q-agt\n'

VENV = '/opt/stack/data/venv/bin'
AGENT = (
    f'{VENV}/nova-qga-agent --config-file /etc/nova/nova-cpu.conf '
    '--config-file /etc/nova-qga/nova-qga.conf'
)
INI = ('iniset', 'inidelete')


def names(calls):
    """The functions that were called, but for those that write ini files."""
    return [call[0] for call in calls if call[0] not in INI]


def phase(calls, name):
    """What was called in a phase."""
    start = calls.index(['run_phase', 'stack', name])
    end = calls.index(['end_phase', 'stack', name])
    return calls[start + 1 : end]


class DevstackTest(fixtures.TestWithFixtures):
    def node(self, localrc):
        return self.useFixture(devstack.Devstack(localrc))


class StackTest(DevstackTest):
    def test_every_phase_does_its_part_in_order(self):
        calls = self.node(ALL_IN_ONE).run('stack')
        self.assertEqual(['define_plugin', 'nova-qga'], calls[0])
        self.assertEqual([], phase(calls, 'pre-install'))
        self.assertEqual(
            [
                ['echo_summary', 'Installing nova-qga'],
                ['setup_develop', '', ''],
                ['sudo', 'ln', '-sf', f'{VENV}/nova-qga']
                + [f'{VENV}/nova-qga-status', '/usr/local/bin'],
            ],
            phase(calls, 'install'),
        )
        configured = phase(calls, 'post-config')
        self.assertEqual(['echo_summary', 'sudo'], names(configured))
        self.assertEqual(
            [
                ['echo_summary', 'Starting nova-qga-agent'],
                ['run_process', 'qga-agent', AGENT, '', 'root'],
                ['echo_summary', 'Checking nova-qga'],
                ['sudo', f'{VENV}/nova-qga-status']
                + ['--config-file', '/etc/nova/nova-cpu.conf']
                + ['--config-file', '/etc/nova-qga/nova-qga.conf']
                + ['upgrade', 'check'],
            ],
            phase(calls, 'extra'),
        )
        self.assertEqual([], phase(calls, 'test-config'))

    def test_what_is_not_set_keeps_the_default_of_the_code(self):
        node = self.node(ALL_IN_ONE)
        node.run('stack')
        self.assertNotIn('qga', node.ini('/etc/nova/nova-cpu.conf'))
        self.assertEqual(
            {
                'DEFAULT': {
                    'debug': 'True',
                    'log_color': 'True',
                    'transport_url': 'rabbit://stackrabbit:secret@'
                    '192.0.2.1:5672/nova_cell1',
                },
                'qga_agent': {
                    'state_path': f'{node.root}/opt/stack/data/nova-qga'
                },
                # Nobody would read what is published.
                'qga_monitor': {'publishers': ''},
            },
            node.ini('/etc/nova-qga/nova-qga.conf'),
        )

    def test_what_is_set_reaches_nova_compute_and_the_agent(self):
        node = self.node(
            ALL_IN_ONE + 'NOVA_QGA_ENABLED=True\n'
            'NOVA_QGA_CHANNEL_POLICY=image\n'
            'NOVA_QGA_DIRECT_CHANNEL=org.example.1\n'
            'NOVA_QGA_DIRECT_CHANNEL_DIR=$ROOT/sockets\n'
            'NOVA_QGA_INTERVAL=30\n'
            'NOVA_QGA_COLLECTORS=cpu,memory\n'
            'NOVA_QGA_PUBLISHERS=notification\n'
        )
        calls = node.run('stack')
        # devstack makes nova-cpu.conf as a copy of nova.conf.
        for name in ('nova', 'nova-cpu'):
            self.assertEqual(
                {
                    'enabled': 'True',
                    'channel_policy': 'image',
                    'direct_channel': 'org.example.1',
                    'direct_channel_dir': f'{node.root}/sockets',
                },
                node.ini(f'/etc/nova/{name}.conf')['qga'],
            )
        self.assertEqual(
            {
                'interval': '30',
                'collectors': 'cpu,memory',
                'publishers': 'notification',
            },
            node.ini('/etc/nova-qga/nova-qga.conf')['qga_monitor'],
        )
        self.assertIn(
            ['sudo', 'install', '-d', '-o', 'libvirt-qemu', '-m', '0750']
            + ['/sockets'],
            calls,
        )
        self.assertTrue(node.path('/sockets').is_dir())

    def test_an_empty_direct_channel_is_written_as_one(self):
        node = self.node(ALL_IN_ONE + 'NOVA_QGA_DIRECT_CHANNEL=\n')
        node.run('stack')
        self.assertEqual(
            {'direct_channel': ''}, node.ini('/etc/nova/nova-cpu.conf')['qga']
        )

    def test_every_option_that_is_written_is_one_of_the_code(self):
        node = self.node(
            ALL_IN_ONE
            + ''.join(
                f'NOVA_QGA_{name}=\n'
                for name in (
                    'ENABLED',
                    'CHANNEL_POLICY',
                    'DIRECT_CHANNEL',
                    'DIRECT_CHANNEL_DIR',
                    'INTERVAL',
                    'COLLECTORS',
                    'PUBLISHERS',
                )
            )
        )
        node.run('stack')
        written = {
            **node.ini('/etc/nova/nova.conf'),
            **node.ini('/etc/nova-qga/nova-qga.conf'),
        }
        for group, opts in conf.list_opts():
            options = set(written.pop(group.name, ()))
            self.assertEqual(set(), options - {opt.dest for opt in opts})
        self.assertEqual(
            {'DEFAULT', 'oslo_messaging_notifications'}, set(written)
        )

    def test_the_broker_s_password_is_not_for_everybody(self):
        node = self.node(ALL_IN_ONE)
        node.run('stack')
        mode = node.path('/etc/nova-qga/nova-qga.conf').stat().st_mode
        self.assertEqual('0o100640', oct(mode))

    def test_a_second_run_leaves_the_same_behind(self):
        node = self.node(ALL_IN_ONE + 'NOVA_QGA_INTERVAL=30\n')
        paths = ('/etc/nova/nova-cpu.conf', '/etc/nova-qga/nova-qga.conf')
        first = node.run('stack'), [node.path(p).read_text() for p in paths]
        again = node.run('stack'), [node.path(p).read_text() for p in paths]
        self.assertEqual(first, again)

    def test_a_second_run_forgets_what_is_set_no_more(self):
        node = self.node(
            ALL_IN_ONE + 'NOVA_QGA_INTERVAL=30\nNOVA_QGA_CHANNEL_POLICY=none\n'
        )
        node.run('stack')
        node.localrc = ALL_IN_ONE
        node.run('stack')
        self.assertNotIn('qga', node.ini('/etc/nova/nova-cpu.conf'))
        monitor = node.ini('/etc/nova-qga/nova-qga.conf')['qga_monitor']
        self.assertEqual({'publishers': ''}, monitor)

    def test_where_there_is_one_broker_it_is_nova_s(self):
        node = self.node(ALL_IN_ONE + 'CELLSV2_SETUP=singleconductor\n')
        node.run('stack')
        ours = node.ini('/etc/nova-qga/nova-qga.conf')['DEFAULT']
        self.assertNotIn('transport_url', ours)

    def test_it_goes_into_the_environment_of_nova(self):
        node = self.node(
            ALL_IN_ONE + 'PROJECT_VENV[nova]=/opt/stack/nova.venv\n'
            'GLOBAL_VENV=False\n'
        )
        self.assertEqual(
            [
                ['echo_summary', 'Installing nova-qga'],
                ['setup_develop', '', '/opt/stack/nova.venv'],
            ],
            phase(node.run('stack'), 'install'),
        )


class NodeTest(DevstackTest):
    def test_a_node_without_nova_compute_gets_the_command_line_alone(self):
        node = self.node(CONTROLLER)
        calls = node.run('stack')
        self.assertIn('setup_develop', names(phase(calls, 'install')))
        self.assertNotIn('run_process', names(calls))
        self.assertNotIn('qga', node.ini('/etc/nova/nova.conf'))
        self.assertEqual(
            {'DEFAULT'}, set(node.ini('/etc/nova-qga/nova-qga.conf'))
        )
        self.assertEqual(
            [f'{VENV}/nova-qga-status', '--controller']
            + ['--config-file', '/etc/nova/nova.conf']
            + ['--config-file', '/etc/nova-qga/nova-qga.conf']
            + ['upgrade', 'check'],
            phase(calls, 'extra')[-1][1:],
        )

    def test_a_subnode_runs_all_that_a_compute_host_needs(self):
        node = self.node(SUBNODE + 'NOVA_CPU_CELL=2\n')
        calls = node.run('stack')
        self.assertIn(
            ['run_process', 'qga-agent', AGENT, '', 'root'],
            phase(calls, 'extra'),
        )
        for path in ('/etc/nova/nova-cpu.conf', '/etc/nova-qga/nova-qga.conf'):
            url = node.ini(path)['DEFAULT']['transport_url']
            self.assertEqual('nova_cell2', url.rpartition('/')[2])

    def test_a_node_without_nova_is_not_checked(self):
        node = self.node('ENABLED_SERVICES=q-agt\n')
        self.assertEqual([], phase(node.run('stack'), 'extra'))

    def test_a_disabled_service_leaves_the_extension(self):
        node = self.node(
            ALL_IN_ONE + 'disable_service qga-agent\n'
            'NOVA_QGA_CHANNEL_POLICY=image\n'
        )
        calls = node.run('stack')
        started = [call[1] for call in calls if call[0] == 'run_process']
        self.assertEqual(['n-cpu'], started)
        self.assertEqual(
            'image', node.ini('/etc/nova/nova-cpu.conf')['qga'].popitem()[1]
        )
        self.assertNotIn('stop_process', names(node.run('unstack')))

    def test_devstack_does_not_take_our_service_for_one_of_nova_s(self):
        """Its ``is_nova_enabled`` goes by how the name begins."""
        settings = pathlib.Path(devstack.REPOSITORY, 'devstack/settings')
        [service] = re.findall(
            r'^enable_service (\S+)', settings.read_text(), re.MULTILINE
        )
        self.assertFalse(service.startswith(('nova', 'n-', 'q-')))

    def test_a_node_where_nothing_could_work_is_refused_early(self):
        for setting, said in (
            ('VIRT_DRIVER=ironic', 'needs VIRT_DRIVER=libvirt, not ironic'),
            ('LIBVIRT_TYPE=lxc', 'needs LIBVIRT_TYPE kvm or qemu, not lxc'),
        ):
            with self.subTest(setting=setting):
                node = self.node(ALL_IN_ONE + setting)
                self.assertEqual(1, node.try_to_run('stack').returncode)
                self.assertEqual(
                    ['run_phase', 'die'], names(node.calls())[-2:]
                )
                self.assertIn(said, node.calls()[-1][1])

    def test_a_controller_may_have_any_driver(self):
        self.node(CONTROLLER + 'VIRT_DRIVER=ironic\n').run('stack')

    def test_a_failed_check_stops_it_and_a_warning_does_not(self):
        node = self.node(ALL_IN_ONE)
        node.status_exits_with(1)
        node.run('stack')
        node.status_exits_with(2)
        self.assertEqual(1, node.try_to_run('stack').returncode)
        self.assertEqual('die', node.calls()[-1][0])


class OtherServicesTest(DevstackTest):
    METERS = '/etc/ceilometer/meters.d/nova_qga.yaml'

    def test_ceilometer_gets_our_metrics_where_it_takes_notifications(self):
        node = self.node(
            ALL_IN_ONE + 'ENABLED_SERVICES+=,ceilometer-anotification\n'
        )
        node.run('stack')
        self.assertIn(
            'metric', yaml.safe_load(node.path(self.METERS).read_text())
        )
        ours = node.ini('/etc/nova-qga/nova-qga.conf')
        self.assertNotIn('qga_monitor', ours)

    def test_a_subnode_publishes_for_a_ceilometer_elsewhere(self):
        node = self.node(SUBNODE + 'ENABLED_SERVICES+=,ceilometer-acompute\n')
        node.run('stack')
        ours = node.ini('/etc/nova-qga/nova-qga.conf')
        self.assertNotIn('qga_monitor', ours)
        self.assertFalse(node.path(self.METERS).exists())

    def test_tempest_tests_passwords_where_the_image_has_an_agent(self):
        setting = 'NOVA_QGA_TEMPEST_IMAGE_HAS_AGENT=True\n'
        for localrc, written in (
            (ALL_IN_ONE + setting, {'change_password': 'True'}),
            (ALL_IN_ONE, None),
            (SUBNODE + setting, None),
        ):
            with self.subTest(localrc=localrc):
                node = self.node(localrc)
                node.run('stack')
                tempest = node.ini('/opt/stack/tempest/etc/tempest.conf')
                self.assertEqual(
                    written, tempest.get('compute-feature-enabled')
                )


class UnstackTest(DevstackTest):
    def test_unstack_stops_the_agent_and_keeps_what_it_knows(self):
        node = self.node(ALL_IN_ONE)
        node.run('stack')
        self.assertIn(['stop_process', 'qga-agent'], node.run('unstack'))
        self.assertTrue(node.path('/etc/nova-qga/nova-qga.conf').exists())

    def test_clean_leaves_nothing_behind(self):
        node = self.node(
            ALL_IN_ONE + 'ENABLED_SERVICES+=,ceilometer-anotification\n'
        )
        node.run('stack')
        state = node.path('/opt/stack/data/nova-qga')
        state.mkdir()
        node.run('clean')
        self.assertFalse(state.exists())
        self.assertFalse(node.path('/etc/nova-qga').exists())
        self.assertEqual([], list(node.path('/usr/local/bin').iterdir()))
        # What is left there is Ceilometer's own business.
        self.assertEqual([], list(node.path('/etc/ceilometer').iterdir()))

    def test_clean_keeps_the_definitions_of_others(self):
        node = self.node(
            ALL_IN_ONE + 'ENABLED_SERVICES+=,ceilometer-anotification\n'
        )
        node.run('stack')
        other = node.path('/etc/ceilometer/meters.d/other.yaml')
        other.touch()
        node.run('clean')
        self.assertEqual([other], list(other.parent.iterdir()))

    def test_clean_works_where_nothing_was_stacked(self):
        self.node(ALL_IN_ONE).run('clean')
