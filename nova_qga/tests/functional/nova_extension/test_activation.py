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

"""Tests of how the extension comes into a real nova-compute, and of safety.

Whatever is wrong, nova-compute must start as it would without us, and its log
must say once that the extension is not active.
"""

import pathlib
import subprocess
import sys
import textwrap
import unittest

from nova_qga.tests.fixtures import nova_compute
from nova_qga.tests.fixtures import nova_sabotage
from nova_qga.tests.fixtures import shared

NOVAS_DRIVER = 'nova.virt.libvirt.driver.LibvirtDriver'


class ActivationTest(unittest.TestCase):
    def nova(self, eventlet=False):
        nova = nova_compute.NovaCompute(eventlet=eventlet, preload=False)
        nova.setUp()
        self.addCleanup(nova.cleanUp)
        return nova

    def test_nova_compute_uses_our_driver_and_says_so_once(self):
        for eventlet in (False, True):
            with self.subTest(eventlet=eventlet):
                started = self.nova(eventlet=eventlet).start(
                    calls=({'name': 'is_patched_by_eventlet'},)
                )
                self.assertEqual([eventlet], started.results)
                self.assertIn('QgaLibvirtDriver', started.driver)
                [line] = started.lines_of_qga()
                self.assertRegex(line, '^INFO .* nova-qga is active: ')
                self.assertIn('[qga]channel_policy is all', line)
                self.assertIn('org.qemu.guest_agent.1', line)
                self.assertIn('/var/lib/libvirt/qemu', line)

    def test_the_log_says_when_there_is_no_direct_channel(self):
        started = self.nova().start({'qga': {'direct_channel': ''}})
        [line] = started.lines_of_qga()
        self.assertIn('no direct channel', line)

    def test_switched_off_it_says_so_once_and_changes_nothing(self):
        started = self.nova().start({'qga': {'enabled': 'false'}})
        self.assertEqual(NOVAS_DRIVER, started.driver)
        [line] = started.lines_of_qga()
        self.assertRegex(line, '^INFO .*not active: .qga.enabled is false')

    def test_a_second_initialize_extends_no_second_time(self):
        call = {'name': 'initialize_again'}
        started = self.nova().start(calls=(call,))
        self.assertEqual([1], started.results)
        self.assertEqual(1, len(started.lines_of_qga()))


class SafetyTest(unittest.TestCase):
    eventlet = False

    def setUp(self):
        self.nova = shared.nova_compute(eventlet=self.eventlet)

    def assert_nova_alone(self, started, reason, level='ERROR'):
        """nova-compute runs with its own driver; one line says why."""
        self.assertEqual(NOVAS_DRIVER, started.driver)
        [line] = started.lines_of_qga()
        self.assertRegex(line, f'^{level} .* nova-qga is not active .*')
        self.assertIn(reason, line)

    def test_a_wrong_option_is_named(self):
        for option, value, reason in (
            ('direct_channel', 'two words', 'direct_channel'),
            ('direct_channel', 'org.qemu.guest_agent.0', 'direct_channel'),
            ('direct_channel_dir', 'run/qga', 'direct_channel_dir'),
            ('direct_channel_dir', '/nowhere', 'make it, writable'),
            ('channel_policy', 'some', 'channel_policy'),
            ('enabled', 'perhaps', 'enabled'),
            ('direct_channel_dir', '/x' * 50, '[qga]direct_channel_dir'),
        ):
            with self.subTest(option=option, value=value):
                started = self.nova.start({'qga': {option: value}})
                self.assert_nova_alone(started, reason)
                self.assertNotIn('Traceback', started.log)

    def test_a_virt_type_without_virtio_ports_is_named(self):
        started = self.nova.start({'libvirt': {'virt_type': 'lxc'}})
        self.assert_nova_alone(started, '[libvirt]virt_type is lxc')

    def test_another_compute_driver_is_named_and_used(self):
        started = self.nova.start(
            {'DEFAULT': {'compute_driver': 'fake.SmallFakeDriver'}}
        )
        self.assertEqual('nova.virt.fake.SmallFakeDriver', started.driver)
        [line] = started.lines_of_qga()
        self.assertIn('fake.SmallFakeDriver', line)

    def test_the_driver_by_another_name_is_no_silent_failure(self):
        started = self.nova.start(
            {'DEFAULT': {'compute_driver': 'libvirt.driver.LibvirtDriver'}}
        )
        self.assert_nova_alone(started, 'libvirt.driver.LibvirtDriver')

    def test_a_nova_that_is_not_known_is_left_alone(self):
        for sabotage, reason in (
            ('method_is_missing', 'no method _can_quiesce'),
            ('method_takes_something_else', 'takes self, guest, instance'),
            ('password_cannot_be_set', 'no method set_admin_password'),
        ):
            with self.subTest(sabotage=sabotage):
                started = self.nova.start(sabotage=sabotage)
                self.assert_nova_alone(started, reason)
                self.assertNotIn('Traceback', started.log)

    def test_a_fault_of_ours_leaves_nova_alone(self):
        for sabotage, reason in (
            ('extension_cannot_be_imported', 'nova_qga.nova_extension.driver'),
            ('option_is_taken', 'direct_channel'),
            ('subclass_cannot_be_made', 'nobody thought of'),
            ('attribute_cannot_be_replaced', 'read-only'),
        ):
            with self.subTest(sabotage=sabotage):
                started = self.nova.start(sabotage=sabotage)
                self.assert_nova_alone(started, reason)

    def test_nova_fails_as_without_us_where_its_driver_is_missing(self):
        with self.assertRaises(nova_compute.NovaFailed) as caught:
            self.nova.start(sabotage='attribute_is_missing')
        self.assertIn('load_compute_driver', str(caught.exception))
        self.assertNotIn('nova_qga/nova_extension', str(caught.exception))

    def test_every_sabotage_is_tried(self):
        tried = ''.join(
            file.read_text()
            for file in pathlib.Path(__file__).parent.glob('test_*.py')
        )
        for name, value in vars(nova_sabotage).items():
            if callable(value):
                with self.subTest(name=name):
                    self.assertIn(f"'{name}'", tried)


class SafetyWithEventletTest(SafetyTest):
    eventlet = True


class OtherProcessesTest(unittest.TestCase):
    def test_a_process_of_nova_that_is_not_nova_compute_is_left_alone(self):
        script = textwrap.dedent("""
            from nova.cmd import {name}
            import os_vif
            from nova.virt import libvirt
            from nova.virt.libvirt import driver

            os_vif.initialize()
            assert 'nova_qga' in os_vif._EXT_MANAGER.names()
            assert libvirt.LibvirtDriver is driver.LibvirtDriver
        """)
        for name in ('conductor', 'scheduler', 'manage'):
            with self.subTest(name=name):
                done = subprocess.run(
                    [sys.executable, '-c', script.format(name=name)],
                    capture_output=True,
                    text=True,
                )
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertNotIn('nova-qga', done.stderr)
