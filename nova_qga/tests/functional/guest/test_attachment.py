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

"""Channels hot-plugged into a real guest under a real libvirtd."""

import concurrent.futures
import unittest

import fixtures
import libvirt

from nova_qga import errors
from nova_qga.guest import attachment
from nova_qga.guest import description
from nova_qga.guest import host
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import shared


BOTH = [guest_vm.STANDARD, guest_vm.DIRECT]


class AttachTest(fixtures.TestWithFixtures, unittest.TestCase):
    wanted = True
    name = guest_vm.DIRECT

    def setUp(self):
        super().setUp()
        self.libvirtd = shared.host()
        self.host = host.Host(
            host.HostSettings(
                self.libvirtd.uri,
                guest_vm.DIRECT,
                attach=attachment.Plan(
                    name=self.name, path=self.path, wanted=self.answer
                ),
            )
        )
        self.host.start()
        self.addCleanup(self.host.stop)

    def path(self, domain):
        folder = self.libvirtd.channel_dir
        return str(folder / f'{guest_vm.DIRECT}.{domain}.sock')

    def answer(self, image, flavor):
        return self.wanted

    def guest(self, name, **options):
        return self.useFixture(
            guest_vm.GuestVM(self.libvirtd, name=name, **options)
        )

    def attach(self, vm, timeout=60.0):
        return self.host.attach_channel(vm.uuid, timeout)

    def names(self, vm, flags=0):
        with vm.domain() as domain:
            described = description.parse(domain.XMLDesc(flags))
        return [port.name for port in described.ports]


class RunningTest(AttachTest):
    def test_a_guest_gets_it_beside_the_others_and_once(self):
        vm = self.guest(
            'instance-0000a001', channels=[(guest_vm.STANDARD, None)]
        )
        with concurrent.futures.ThreadPoolExecutor() as pool:
            done = [*pool.map(lambda _: self.attach(vm), range(3))]
        self.assertEqual(
            [(False, False), (False, False), (True, False)],
            sorted((each.attached, each.controller) for each in done),
        )
        self.assertEqual(BOTH, self.names(vm))
        self.answers_over_it(vm)
        self.is_gone_after_a_start(vm)

    def answers_over_it(self, vm):
        """An agent that is started in the guest is reached at once."""
        vm.start_agent(1)
        vm.wait_for_ports(*BOTH)

        def reached():
            try:
                agent = self.host.agent(vm.uuid, 30)
            except errors.GuestUnavailable:
                return False
            return agent.channel_kind == 'direct'

        self.assertTrue(process.wait_until(reached, 60))

    def is_gone_after_a_start(self, vm):
        inactive = libvirt.VIR_DOMAIN_XML_INACTIVE
        self.assertEqual([guest_vm.STANDARD], self.names(vm, inactive))
        vm.destroy()
        vm.start()
        self.assertEqual([guest_vm.STANDARD], self.names(vm))

    def test_one_without_a_controller_is_told_to_reboot(self):
        """This libvirt cannot; a later one that can fails this test."""
        vm = self.guest('instance-0000a002', channels=[])
        with self.assertRaises(errors.GuestUnavailable) as caught:
            self.attach(vm)
        self.assertEqual('no_controller', caught.exception.reason)
        self.assertIn('reboot it hard', str(caught.exception))
        self.assertEqual([], self.names(vm))

    def test_one_that_does_not_run_is_told_to_wait(self):
        vm = self.guest('instance-0000a003', boot=False)
        with self.assertRaises(errors.GuestUnavailable) as caught:
            self.attach(vm)
        self.assertEqual('shutoff', caught.exception.reason)

    def test_one_that_is_not_there_is_not_found(self):
        with self.assertRaises(errors.GuestNotFound):
            self.host.attach_channel(
                '00000000-0000-4000-8000-00000000000a', 10
            )


class NotMadeTest(AttachTest):
    """A socket where none can be: libvirt refuses the channel."""

    def path(self, domain):
        return '/nowhere/at/all.sock'

    def test_the_reason_is_told_and_the_guest_is_as_it_was(self):
        vm = self.guest(
            'instance-0000a004', channels=[(guest_vm.STANDARD, None)]
        )
        with self.assertRaisesRegex(errors.OperationFailed, 'libvirt says'):
            self.attach(vm)
        self.assertEqual([guest_vm.STANDARD], self.names(vm))


class NotWantedTest(AttachTest):
    wanted = False

    def test_a_guest_that_is_to_have_none_gets_none(self):
        vm = self.guest('instance-0000a005', channels=[], boot=False)
        with self.assertRaises(errors.GuestUnavailable) as caught:
            self.attach(vm)
        self.assertEqual('declined', caught.exception.reason)


class NoNameTest(AttachTest):
    name = ''

    def test_a_host_without_a_direct_channel_says_so(self):
        vm = self.guest('instance-0000a006', channels=[], boot=False)
        with self.assertRaisesRegex(
            errors.ConfigurationError, 'direct_channel is empty'
        ):
            self.attach(vm)
