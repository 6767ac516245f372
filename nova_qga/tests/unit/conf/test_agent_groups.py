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

"""Tests of the options of the agent's own groups."""

import tempfile
import unittest

from oslo_config import cfg

from nova_qga import conf as qga_conf


def read(text):
    """Return all options as read from a file with this text."""
    with tempfile.NamedTemporaryFile('w', suffix='.conf') as file:
        file.write(text)
        file.flush()
        conf = cfg.ConfigOpts()
        qga_conf.register_opts(conf)
        conf([], default_config_files=[file.name])
        return conf


class DefaultsTest(unittest.TestCase):
    def test_a_host_needs_nothing_set(self):
        conf = read('')
        self.assertEqual('qemu:///system', conf.qga_agent.libvirt_uri)
        self.assertEqual('/var/lib/nova-qga', conf.qga_agent.state_path)
        self.assertEqual(60.0, conf.qga_monitor.interval)
        self.assertEqual(['notification'], conf.qga_monitor.publishers)
        self.assertIn('cpu', conf.qga_monitor.collectors)
        self.assertTrue(conf.host)

    def test_the_hosts_name_is_novas(self):
        self.assertEqual('cmp7', read('[DEFAULT]\nhost = cmp7\n').host)

    def test_lists_may_be_empty(self):
        conf = read('[qga_monitor]\ncollectors =\npublishers =\n')
        self.assertEqual([], conf.qga_monitor.collectors)
        self.assertEqual([], conf.qga_monitor.publishers)


class AddressTest(unittest.TestCase):
    def test_projects_have_addresses_with_ports(self):
        conf = read(
            '[qga_http]\nproject_urls = a:https://x:8443/y?z=1,b:http://c/\n'
        )
        self.assertEqual(
            {'a': 'https://x:8443/y?z=1', 'b': 'http://c/'},
            conf.qga_http.project_urls,
        )


class BoundsTest(unittest.TestCase):
    def test_values_that_cannot_work_are_refused(self):
        for group, line in (
            ('qga_monitor', 'interval = 0'),
            ('qga_monitor', 'interval = soon'),
            ('qga_monitor', 'interval = 1e9'),
            ('qga_monitor', 'slow_interval = 0'),
            ('qga_monitor', 'heartbeat_interval = -1'),
            ('qga_monitor', 'project_intervals = 30'),
            ('qga_agent', 'sync_timeout = 0'),
            ('qga_agent', 'command_timeout = -1'),
            ('qga_agent', 'operation_timeout = 0'),
            ('qga_agent', 'rpc_workers = 0'),
            ('qga_agent', 'rpc_workers = 100000'),
            ('qga_operations', 'max_file_size = 0'),
        ):
            name = line.partition(' ')[0]
            with self.subTest(line=line):
                conf = read(f'[{group}]\n{line}\n')
                with self.assertRaisesRegex(cfg.ConfigFileValueError, name):
                    conf[group][name]

    def test_what_may_change_at_a_reload_is_what_is_measured_and_sent(self):
        mutable = {
            group.name: {opt.mutable for opt in opts}
            for group, opts in qga_conf.list_opts()
        }
        self.assertEqual(
            {
                'qga': {False},
                'qga_agent': {False},
                'qga_operations': {False},
                'qga_monitor': {True},
                'qga_notification': {True},
                'qga_http': {True},
                'qga_prometheus': {True},
                'qga_jsonl': {True},
            },
            mutable,
        )
