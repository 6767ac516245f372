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

"""The directory follows libvirt's events, over libvirt's own test driver."""

import threading

import fixtures
import libvirt

from nova_qga import errors
from nova_qga.guest import host
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import recorded_libvirt
from nova_qga.tests.fixtures import simulated_host

PATIENCE = 60.0
FIRST = simulated_host.Simulated('instance-00000001', None)
SECOND = simulated_host.Simulated('instance-00000002', None)
THIRD = simulated_host.Simulated('instance-00000003', None)


class Pause:
    """An event that keeps libvirt's thread busy until it is over."""

    new_agent = False

    def __init__(self):
        self.over = threading.Event()

    @property
    def uuid(self):
        self.over.wait(PATIENCE)
        return FIRST.uuid


class DomainsTest(fixtures.TestWithFixtures):
    def setUp(self):
        super().setUp()
        self.libvirt = self.useFixture(recorded_libvirt.RecordedLibvirt())
        uri = self.useFixture(simulated_host.SimulatedHost(FIRST, SECOND)).uri
        self.host = host.Host(host.HostSettings(uri, simulated_host.DIRECT))
        self.host.start()
        self.addCleanup(self.host.stop)
        # Each connection to the test driver has guests of its own.
        [self.connection] = self.libvirt.connections
        # Not noted: the test's own calls. It must not close what it borrows.
        self.other = libvirt.virConnect(_obj=self.connection._o)
        self.addCleanup(setattr, self.other, '_o', None)
        self.calls = self.connection.calls
        self.began = len(self.calls)

    def domain(self, guest):
        return self.other.lookupByUUIDString(guest.uuid)

    def state(self, guest):
        if not self.host.directory.knows(guest.uuid):
            return None
        return self.host.directory.get(guest.uuid).state

    def wait_for(self, guest, state):
        self.assertTrue(
            process.wait_until(lambda: self.state(guest) == state, PATIENCE),
            self.state(guest),
        )

    def test_all_guests_are_listed_once_at_the_start(self):
        self.assertEqual(1, self.calls.count('listAllDomains'))
        self.assertEqual(
            {FIRST.uuid, SECOND.uuid},
            {vm.uuid for vm in self.host.guests()},
        )
        vm = self.host.directory.get(FIRST.uuid)
        self.assertEqual(FIRST.name, vm.description.domain)
        self.assertEqual(FIRST.owner.display_name, vm.description.name)
        self.assertEqual(FIRST.owner.project_uuid, vm.description.project_id)
        self.assertEqual('running', vm.state)

    def test_after_that_events_name_the_one_to_look_at(self):
        domain = self.domain(FIRST)
        domain.suspend()
        self.wait_for(FIRST, 'paused')
        domain.resume()
        self.wait_for(FIRST, 'running')
        domain.destroy()
        self.wait_for(FIRST, 'shutoff')
        domain.create()
        self.wait_for(FIRST, 'running')
        self.define(THIRD)
        self.wait_for(THIRD, 'shutoff')
        self.domain(THIRD).create()
        self.wait_for(THIRD, 'running')
        self.domain(THIRD).destroy()
        self.domain(THIRD).undefine()
        self.wait_for(THIRD, None)
        self.assertEqual('running', self.state(SECOND))
        self.host.find(SECOND.uuid)
        self.assertEqual({'lookupByUUIDString'}, set(self.calls[self.began :]))

    def define(self, guest):
        self.other.defineXML(guest.xml())

    def test_guests_that_come_and_go_are_told_of(self):
        told = []
        self.host.directory.on_added.append(
            lambda vm: told.append(('+', vm.uuid))
        )
        self.host.directory.on_removed.append(
            lambda vm: told.append(('-', vm.uuid))
        )
        self.define(THIRD)
        self.wait_for(THIRD, 'shutoff')
        self.domain(THIRD).undefine()
        self.wait_for(THIRD, None)
        self.assertEqual([('+', THIRD.uuid), ('-', THIRD.uuid)], told)

    def test_a_guest_that_stopped_and_started_unseen_has_a_new_agent(self):
        vm = self.host.directory.get(FIRST.uuid)
        epoch = vm.epoch
        domain = self.domain(FIRST)
        pause = Pause()
        self.host._domains._events.put(pause)
        domain.destroy()
        domain.create()
        pause.over.set()
        self.assertTrue(process.wait_until(lambda: vm.epoch > epoch, PATIENCE))
        self.assertEqual('running', vm.state)

    def test_who_asks_for_one_guest_sees_it_as_it_is_now(self):
        self.domain(FIRST).suspend()
        self.assertEqual('paused', self.host.find(FIRST.uuid).state)
        self.define(THIRD)
        self.assertEqual('shutoff', self.host.find(THIRD.uuid).state)
        self.domain(THIRD).undefine()
        with self.assertRaises(errors.GuestNotFound):
            self.host.find(THIRD.uuid)

    def test_what_is_no_uuid_is_no_guest(self):
        for word in ('', 'nonsense', FIRST.name, FIRST.uuid + '0', '\u2603'):
            with self.assertRaises(errors.GuestNotFound):
                self.host.find(word)

    def test_one_guest_that_cannot_be_looked_at_costs_no_other(self):
        domains = self.host._domains
        logged = self.useFixture(fixtures.FakeLogger())
        broken = libvirt.libvirtError('x')
        broken.err = (libvirt.VIR_ERR_INTERNAL_ERROR, 10, 'bad\x1b', 2)
        real = libvirt.virDomain.XMLDesc

        def describe(domain, flags=0):
            if domain.UUIDString() == FIRST.uuid:
                raise broken
            return real(domain, flags)

        self.useFixture(
            fixtures.MonkeyPatch('libvirt.virDomain.XMLDesc', describe)
        )
        vm = self.host.directory.get(FIRST.uuid)
        for _ in range(2):
            listing = domains._looks.listing(domains._connection)
            self.assertEqual(
                {FIRST.uuid, SECOND.uuid}, {each.uuid for each, _ in listing}
            )
            self.assertIn((vm.description, vm.state), listing)
        self.assertEqual(1, logged.output.count('cannot be looked at'))
        with self.assertRaises(errors.ServiceUnavailable):
            self.host.find(FIRST.uuid)
        self.assertEqual('running', self.host.find(SECOND.uuid).state)

    def test_who_asks_waits_for_a_libvirt_that_hangs_no_longer_than_so(self):
        self.useFixture(
            fixtures.MonkeyPatch('nova_qga.guest.domains.PATIENCE', 0.05)
        )
        pause = Pause()
        self.host._domains._events.put(pause)
        for words in ('does not answer within', 'has stopped answering'):
            with self.assertRaisesRegex(errors.ServiceUnavailable, words):
                self.host.find(FIRST.uuid)
        pause.over.set()
        self.assertTrue(process.wait_until(self.answers, PATIENCE))

    def answers(self):
        try:
            return bool(self.host.find(FIRST.uuid))
        except errors.ServiceUnavailable:
            return False

    def test_its_connection_is_closed_in_the_end(self):
        other = host.Host(self.host.settings)
        other.start()
        other.stop()
        self.assertEqual('close', self.libvirt.connections[-1].calls[-1])


class MissingTest(fixtures.TestWithFixtures):
    def test_without_libvirtd_it_starts_and_says_so(self):
        folder = self.useFixture(process.ShortFolder()).path
        uri = f'qemu+unix:///system?socket={folder}/none'
        away = host.Host(host.HostSettings(uri, simulated_host.DIRECT))
        away.start()
        self.addCleanup(away.stop)
        with self.assertRaisesRegex(
            errors.ServiceUnavailable, 'No such file.*start libvirtd'
        ):
            away.guests()
        for ask in (
            away.guests,
            lambda: away.find(FIRST.uuid),
            lambda: away.agent(FIRST.uuid, 1.0),
        ):
            with self.assertRaisesRegex(
                errors.ServiceUnavailable, str(folder)
            ):
                ask()
