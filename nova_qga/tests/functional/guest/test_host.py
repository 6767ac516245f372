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

"""A host's guests, on a real libvirtd with real agents in a real guest."""

import pathlib
import unittest

import fixtures
import libvirt
import libvirt_qemu

from nova_qga import errors
from nova_qga.guest import host
from nova_qga.protocol import commands
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import guest_xml
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import recorded_libvirt
from nova_qga.tests.fixtures import shared

PATIENCE = 60.0
NAME = commands.get_host_name()


class HostTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.libvirtd = shared.host()

    def start_host(self, direct=guest_vm.DIRECT):
        started = host.Host(
            host.HostSettings(self.libvirtd.uri, direct, sync_timeout=3.0)
        )
        started.start()
        self.addCleanup(started.stop)
        return started

    def wait_until(self, ready):
        self.assertTrue(process.wait_until(ready, PATIENCE))

    def wait_for(self, on, vm, state):
        """Wait until a host sees a guest in this state, None for gone."""

        def seen():
            known = on.directory.knows(vm.uuid)
            return (
                on.directory.get(vm.uuid).state if known else None
            ) == state

        self.wait_until(seen)

    def assert_unavailable(self, reason, ask):
        with self.assertRaises(errors.GuestUnavailable) as caught:
            ask()
        self.assertEqual(reason, caught.exception.reason)


class EventsTest(HostTest):
    def test_the_life_of_a_guest_is_followed_with_no_listing(self):
        recorded = self.useFixture(recorded_libvirt.RecordedLibvirt())
        watching = self.start_host()
        calls = recorded.connections[0].calls
        began = len(calls)
        self.assertIn('listAllDomains', calls)
        vm = guest_vm.GuestVM(
            self.libvirtd, name='instance-0000000e', boot=False
        )
        with vm:
            self.wait_for(watching, vm, 'shutoff')
            vm.start()
            self.wait_for(watching, vm, 'running')
            vm.suspend()
            self.wait_for(watching, vm, 'paused')
            vm.resume()
            self.wait_for(watching, vm, 'running')
            known = watching.directory.get(vm.uuid)
            self.assertEqual(
                guest_xml.Owner().project_uuid, known.description.project_id
            )
            self.assertEqual(2, len(known.channels))
            epoch = known.epoch
            vm.reset()
            self.wait_until(lambda: known.epoch > epoch)
            vm.destroy()
            self.wait_for(watching, vm, 'shutoff')
            self.assertEqual((), known.channels)
            self.rename(vm, 'another name')
            self.wait_until(lambda: known.description.name == 'another name')
        self.wait_for(watching, vm, None)
        self.assertEqual({'lookupByUUIDString'}, set(calls[began:]))

    def rename(self, vm, name):
        """Write metadata anew."""
        with vm.domain() as domain:
            domain.setMetadata(
                libvirt.VIR_DOMAIN_METADATA_ELEMENT,
                f'<instance xmlns="{guest_xml.NOVA_NS}">'
                f'<name>{name}</name></instance>',
                'nova',
                guest_xml.NOVA_NS,
                libvirt.VIR_DOMAIN_AFFECT_CONFIG,
            )

    def test_a_channel_that_is_plugged_in_is_used(self):
        vm = guest_vm.GuestVM(
            self.libvirtd,
            name='instance-0000000c',
            channels=[(guest_vm.STANDARD, None)],
        )
        with vm:
            watching = self.start_host()
            known = watching.directory.get(vm.uuid)
            [standard] = known.channels
            channel = guest_xml.Channel(
                target=guest_vm.DIRECT, path=vm.direct_socket
            ).xml()
            with vm.domain() as domain:
                domain.attachDeviceFlags(
                    channel, libvirt.VIR_DOMAIN_AFFECT_LIVE
                )
            self.wait_until(lambda: len(known.channels) == 2)
            self.wait_until(
                lambda: (
                    vm.inspect('ls /sys/class/virtio-ports').count('vport')
                    == 2
                )
            )
            vm.start_agent(1)
            vm.wait_for_ports(guest_vm.STANDARD, guest_vm.DIRECT)
            agent = watching.agent(vm.uuid, PATIENCE)
            self.assertEqual('direct', agent.channel_kind)
            self.assertEqual('testguest', agent.execute(NAME))
            with vm.domain() as domain:
                domain.detachDeviceFlags(
                    channel, libvirt.VIR_DOMAIN_AFFECT_LIVE
                )
            self.wait_until(lambda: len(known.channels) == 1)
            agent = watching.agent(vm.uuid, PATIENCE)
            self.assertEqual('standard', agent.channel_kind)
            self.assertEqual('testguest', agent.execute(NAME))


class SharedGuestTest(HostTest):
    def setUp(self):
        super().setUp()
        self.vm = shared.guest()
        self.host = self.start_host()
        self.known = self.host.directory.get(self.vm.uuid)


class ReasonTest(SharedGuestTest):
    def reach(self):
        return self.host.agent(self.vm.uuid, PATIENCE)

    def test_the_direct_channel_is_preferred(self):
        self.assertEqual('direct', self.reach().channel_kind)

    def test_a_guest_without_agents_says_so_at_once(self):
        self.addCleanup(self.vm.wait_for_agents)
        for number in (0, 1):
            self.vm.stop_agent(number)
            self.addCleanup(self.vm.start_agent, number)
        self.vm.wait_for_ports()
        self.assert_unavailable('no_agent', self.reach)

    def test_one_agent_is_enough(self):
        for number, kind in ((0, 'direct'), (1, 'standard')):
            self.vm.stop_agent(number)
            agent = self.reach()
            self.assertEqual(kind, agent.channel_kind)
            self.assertEqual('testguest', agent.execute(NAME))
            self.vm.start_agent(number)
            self.vm.wait_for_agents()

    def test_an_agent_that_hangs_is_tried_last(self):
        self.vm.inspect('kill -STOP $(cat /run/qemu-ga-1.pid)')
        try:
            self.assertEqual('standard', self.reach().channel_kind)
            direct, standard = self.known.channels
            self.assertTrue(direct.failing)
            self.assertEqual([standard, direct], self.known.candidates())
            self.assertEqual('standard', self.reach().channel_kind)
        finally:
            self.vm.inspect('kill -CONT $(cat /run/qemu-ga-1.pid)')
        # It is tried again by itself.
        self.wait_until(lambda: direct.contacted)
        self.assertEqual('direct', self.reach().channel_kind)

    def test_a_paused_guest_says_so(self):
        self.vm.suspend()
        try:
            self.assert_unavailable('paused', self.reach)
        finally:
            self.vm.resume()
        self.assertEqual('testguest', self.reach().execute(NAME))

    def test_a_guest_that_is_off_says_so(self):
        self.vm.destroy()
        self.assert_unavailable('shutoff', self.reach)

    def test_a_guest_with_frozen_filesystems_says_so(self):
        self.standard('guest-fsfreeze-freeze')
        try:
            only = self.start_host(direct='')
            agent = only.agent(self.vm.uuid, PATIENCE)
            self.assertEqual('standard', agent.channel_kind)
            self.assert_unavailable('frozen', agent.info)
            self.assert_unavailable('frozen', lambda: agent.execute(NAME))
        finally:
            self.standard('guest-fsfreeze-thaw')
        self.assertEqual('testguest', agent.execute(NAME))

    def standard(self, name):
        with self.vm.domain() as domain:
            libvirt_qemu.qemuAgentCommand(
                domain, f'{{"execute": "{name}"}}', 30, 0
            )

    def test_a_guest_without_channels_says_so(self):
        vm = guest_vm.GuestVM(
            self.libvirtd, name='instance-0000000d', channels=(), boot=False
        )
        with vm:
            vm.start()
            self.assert_unavailable(
                'no_channel', lambda: self.host.agent(vm.uuid, PATIENCE)
            )


class RestartTest(SharedGuestTest):
    def test_another_agent_is_asked_what_it_can_do(self):
        only = self.start_host(direct='')
        agent = only.agent(self.vm.uuid, PATIENCE)
        agent.require(NAME.name)
        self.addCleanup(self.restart)
        self.restart(f'-b {NAME.name}')
        known = only.directory.get(self.vm.uuid)
        self.wait_until(lambda: known.info is None)
        agent = only.agent(self.vm.uuid, PATIENCE)
        with self.assertRaisesRegex(errors.CommandUnsupported, 'blocked'):
            agent.require(NAME.name)

    def restart(self, options=''):
        self.vm.stop_agent(0)
        self.vm.start_agent(0, options)
        self.vm.wait_for_agents()

    def test_guests_stay_known_while_libvirtd_is_away(self):
        self.host.agent(self.vm.uuid, PATIENCE)
        listed = []
        self.host.directory.on_added.append(lambda vm: listed.append(vm.uuid))
        self.libvirtd.stop()
        try:
            self.wait_until(self.is_away)
            self.assertTrue(self.host.directory.knows(self.vm.uuid))
            with self.assertRaises(errors.ServiceUnavailable):
                self.host.find(self.vm.uuid)
            agent = self.host.agent(self.vm.uuid, PATIENCE)
            self.assertEqual('direct', agent.channel_kind)
            self.assertEqual('testguest', agent.execute(NAME))
        finally:
            self.libvirtd.start()
        self.wait_until(lambda: not self.is_away())
        self.assertEqual([], listed)
        self.assertIs(self.known, self.host.directory.get(self.vm.uuid))
        self.vm.wait_for_agents()
        self.host.agent(self.vm.uuid, PATIENCE).execute(NAME)
        # And it watches again.
        vm = guest_vm.GuestVM(
            self.libvirtd, name='instance-0000000b', boot=False
        )
        with vm:
            self.wait_for(self.host, vm, 'shutoff')
        self.wait_for(self.host, vm, None)

    def is_away(self):
        try:
            self.host.guests()
        except errors.ServiceUnavailable:
            return True
        return False

    def test_a_guest_that_left_in_the_meantime_is_forgotten(self):
        vm = guest_vm.GuestVM(
            self.libvirtd, name='instance-0000000a', boot=False
        )
        with vm:
            self.wait_for(self.host, vm, 'shutoff')
            self.libvirtd.stop()
            try:
                self.wait_until(self.is_away)
                file = f'etc/qemu/{vm.name}.xml'
                (self.libvirtd.root / file).unlink()
            finally:
                self.libvirtd.start()
            self.wait_for(self.host, vm, None)
            self.assertFalse(self.host.may_have(vm.uuid))
            self.assertTrue(self.host.may_have(self.vm.uuid))

    def test_a_host_that_stops_does_not_blame_the_guest(self):
        stopping = self.start_host()
        self.wait_for(stopping, self.vm, 'running')
        stopping.close_channels()
        with self.assertRaisesRegex(errors.ServiceUnavailable, 'stopping'):
            stopping.agent(self.vm.uuid, PATIENCE)

    def test_a_host_that_starts_before_libvirtd_finds_its_guests(self):
        self.libvirtd.stop()
        try:
            early = self.start_host()
            self.assertEqual([], early.directory.guests())
            self.assertTrue(early.may_have(self.vm.uuid), 'nobody can say')
        finally:
            self.libvirtd.start()
        self.wait_for(early, self.vm, 'running')


class StandardSocketTest(SharedGuestTest):
    def test_the_socket_that_libvirtd_holds_is_left_to_it(self):
        standard, direct = (
            self.connections(guest_vm.STANDARD),
            self.connections(guest_vm.DIRECT),
        )
        self.assertEqual(1, standard)
        for name in (guest_vm.DIRECT, '', guest_vm.STANDARD):
            one = self.start_host(direct=name)
            known = one.directory.get(self.vm.uuid)
            agent = one.agent(self.vm.uuid, PATIENCE)
            self.assertEqual('testguest', agent.execute(NAME))
            kinds = [channel.kind for channel in known.channels]
            self.assertEqual(1, kinds.count('standard'))
            self.assertEqual(
                name == guest_vm.DIRECT, agent.channel_kind == 'direct'
            )
        self.assertEqual(standard, self.connections(guest_vm.STANDARD))
        self.assertEqual(direct + 1, self.connections(guest_vm.DIRECT))

    def connections(self, name):
        """How many sockets QEMU serves, or will, of the guest's port."""
        with self.vm.domain() as domain:
            xml = domain.XMLDesc()
        path = xml.partition(f"name='{name}'")[0].rpartition("path='")[2]
        path = path.partition("'")[0]
        self.assertTrue(path.endswith(('sock', name)), path)
        connected = [
            line.split()
            for line in pathlib.Path('/proc/net/unix').read_text().splitlines()
        ]
        # State 3 is connected, 1 the one that listens.
        return sum(
            words[-1] == path and words[5] != '01' for words in connected
        )
