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

"""A guest through its states: what is kept, and what is made anew."""

import dataclasses
import time
import unittest

from nova_qga import errors
from nova_qga.guest import agent
from nova_qga.guest import description
from nova_qga.guest import directory
from nova_qga.guest import guest
from nova_qga.protocol import replies

UUID = '6e8a3e6f-7b5c-4c0e-9d0b-0d2d6b0f7a31'
DIRECT = description.Port('org.qemu.guest_agent.1', '/run/1.sock', True)
STANDARD = description.Port('org.qemu.guest_agent.0', '/run/0.sock', False)
INFO = replies.AgentInfo('7.2.22', {'guest-ping': True})


def described(*ports, uuid=UUID):
    return description.Description(
        uuid, 'instance-1', 'web', 'm1.tiny', 'project', 'user', ports
    )


class Channel:
    """A channel that only remembers."""

    kind = 'direct'

    def __init__(self, name):
        self.name = name
        self.contacted = False
        self.failing = False
        self.submitted = []
        self.closed = []
        self.retried = 0

    def retry(self):
        self.retried += 1

    def submit(self, asked):
        self.submitted.append(asked)

    def close(self, reason):
        self.closed.append(reason)


def make_channels(of):
    return tuple(Channel(port.name) for port in of.description.ports)


def make(state='running', ports=(DIRECT, STANDARD)):
    return guest.Guest(described(*ports), state, make_channels)


class StateTest(unittest.TestCase):
    def test_a_guest_that_is_off_has_no_channels(self):
        for state in ('shutoff', 'crashed', 'nostate'):
            self.assertEqual((), make(state).channels)

    def test_it_gets_them_when_it_starts_and_loses_them_when_it_ends(self):
        vm = make('shutoff')
        vm.update(vm.description, 'running')
        channels = vm.channels
        self.assertEqual(2, len(channels))
        vm.update(vm.description, 'shutoff')
        self.assertEqual((), vm.channels)
        for each in channels:
            [reason] = each.closed
            self.assertIsInstance(reason, errors.ChannelClosed)

    def test_it_keeps_them_while_it_is_paused(self):
        vm = make()
        channels = vm.channels
        for state in ('paused', 'running', 'pmsuspended', 'shutdown'):
            vm.update(described(DIRECT, STANDARD), state)
            self.assertEqual(state, vm.state)
            self.assertIs(channels, vm.channels)
        self.assertEqual([[], []], [each.closed for each in channels])

    def test_it_keeps_them_when_a_port_opens(self):
        vm = make()
        channels = vm.channels
        vm.update(
            described(DIRECT, dataclasses.replace(STANDARD, open=True)),
            'running',
        )
        self.assertIs(channels, vm.channels)

    def test_news_that_an_agent_may_be_back_end_a_pause(self):
        vm = make()
        opened = described(DIRECT, dataclasses.replace(STANDARD, open=True))
        for news in (
            lambda: vm.update(opened, 'running'),
            lambda: vm.update(opened, 'paused'),
            lambda: vm.update(opened, 'running'),
            vm.restarted,
        ):
            before = [each.retried for each in vm.channels]
            news()
            retried = [each.retried for each in vm.channels]
            ready = vm.state == 'running'
            self.assertEqual([n + ready for n in before], retried)

    def test_no_news_do_not(self):
        vm = make()
        vm.update(described(DIRECT, STANDARD), 'running')
        self.assertEqual([0, 0], [each.retried for each in vm.channels])

    def test_when_a_port_was_opened_is_noted(self):
        vm = make()
        opened = dataclasses.replace(STANDARD, open=True)
        began = time.monotonic()
        vm.update(described(DIRECT, STANDARD), 'running')
        self.assertEqual(0.0, vm.opened)
        vm.update(described(DIRECT, opened), 'running')
        self.assertGreaterEqual(vm.opened, began)
        noted = vm.opened
        vm.update(described(DIRECT, STANDARD), 'running')
        self.assertEqual(noted, vm.opened)

    def test_it_gets_new_ones_when_they_have_moved(self):
        moved = description.Port(DIRECT.name, '/run/other.sock', True)
        for ports in (
            (moved, STANDARD),
            (DIRECT,),
            (STANDARD, DIRECT),
            (),
        ):
            vm = make()
            channels = vm.channels
            vm.update(described(*ports), 'running')
            self.assertEqual(len(ports), len(vm.channels))
            self.assertEqual([1, 1], [len(each.closed) for each in channels])

    def test_what_an_agent_gave_out_is_void_after_a_restart(self):
        for change in (
            lambda vm: vm.restarted(),
            lambda vm: vm.update(vm.description, 'shutoff'),
            lambda vm: vm.update(described(STANDARD), 'running'),
            lambda vm: vm.close(errors.ChannelClosed('gone')),
        ):
            vm = make()
            vm.info = INFO
            epoch = vm.epoch
            change(vm)
            self.assertIsNone(vm.info)
            self.assertGreater(vm.epoch, epoch)

    def test_a_pause_voids_nothing(self):
        vm = make()
        vm.info = INFO
        epoch = vm.epoch
        vm.update(vm.description, 'paused')
        vm.update(vm.description, 'running')
        self.assertIs(INFO, vm.info)
        self.assertEqual(epoch, vm.epoch)

    def test_why_it_cannot_be_reached_is_one_word(self):
        for vm, reason in (
            (make('shutoff'), 'shutoff'),
            (make('paused'), 'paused'),
            (make('pmsuspended'), 'pmsuspended'),
            (make(ports=()), 'no_channel'),
        ):
            with self.assertRaises(errors.GuestUnavailable) as caught:
                vm.check_reachable()
            self.assertEqual(reason, caught.exception.reason)
            self.assertIn(UUID, str(caught.exception))
        make().check_reachable()


class ChoiceTest(unittest.TestCase):
    def setUp(self):
        self.vm = make()
        self.direct, self.standard = self.vm.channels

    def open_both(self):
        both = [dataclasses.replace(p, open=True) for p in (DIRECT, STANDARD)]
        self.vm.update(described(*both), 'running')

    def test_the_first_comes_first_until_it_fails(self):
        self.open_both()
        self.assertEqual([self.direct, self.standard], self.vm.candidates())
        self.direct.failing = True
        self.assertEqual([self.standard, self.direct], self.vm.candidates())
        self.direct.failing = False
        self.assertIs(self.direct, self.vm.candidates()[0])

    def test_if_all_fail_it_is_the_first_again(self):
        self.open_both()
        self.direct.failing = self.standard.failing = True
        self.assertIs(self.direct, self.vm.candidates()[0])

    def test_one_whose_port_is_closed_comes_last(self):
        self.direct.failing = True
        self.assertIs(self.direct, self.vm.candidates()[0])

    def test_one_that_has_answered_comes_first_whatever_libvirt_says(self):
        self.standard.contacted = True
        self.direct.failing = True
        self.assertIs(self.standard, self.vm.candidates()[0])

    def test_a_port_is_open_unless_libvirt_says_that_it_is_not(self):
        self.assertTrue(self.vm.has_opened(self.direct))
        self.assertFalse(self.vm.has_opened(self.standard))
        self.vm.update(
            described(dataclasses.replace(DIRECT, open=None)), 'running'
        )
        self.assertTrue(self.vm.has_opened(self.direct))
        self.assertFalse(self.vm.has_opened(self.standard))

    def test_without_an_open_port_no_agent_can_be_asked(self):
        agent.check_opened(self.vm)
        closed = dataclasses.replace(DIRECT, open=False)
        self.vm.update(described(closed, STANDARD), 'running')
        with self.assertRaises(errors.GuestUnavailable) as caught:
            agent.check_opened(self.vm)
        self.assertEqual('no_agent', caught.exception.reason)
        self.assertIn(DIRECT.name, str(caught.exception))


class DirectoryTest(unittest.TestCase):
    OTHER = 'c1d2e3f4-0000-4000-8000-000000000002'

    def setUp(self):
        self.directory = directory.Directory(make_channels)
        self.told = []
        self.directory.on_added.append(
            lambda vm: self.told.append(('+', vm.uuid))
        )
        self.directory.on_removed.append(
            lambda vm: self.told.append(('-', vm.uuid))
        )

    def update(self, uuid=UUID, state='running'):
        self.directory.update(described(DIRECT, uuid=uuid), state)

    def test_who_comes_and_goes_is_told_once(self):
        self.update()
        self.update(state='shutoff')
        self.update(self.OTHER)
        self.directory.remove(UUID)
        self.directory.remove(UUID)
        self.assertEqual(
            [('+', UUID), ('+', self.OTHER), ('-', UUID)], self.told
        )
        self.assertEqual(
            [self.OTHER], [vm.uuid for vm in self.directory.guests()]
        )

    def test_a_listing_replaces_what_was_known(self):
        self.update()
        self.update(self.OTHER)
        known = self.directory.get(self.OTHER)
        channels = known.channels
        third = 'c1d2e3f4-0000-4000-8000-000000000003'
        self.directory.replace(
            [
                (described(DIRECT, uuid=self.OTHER), 'running'),
                (described(DIRECT, uuid=third), 'shutoff'),
            ]
        )
        self.assertFalse(self.directory.knows(UUID))
        self.assertTrue(self.directory.knows(third))
        self.assertIs(known, self.directory.get(self.OTHER))
        self.assertIs(channels, known.channels)
        self.assertEqual([('-', UUID), ('+', third)], self.told[2:])

    def test_nobody_saw_what_happened_before_a_listing(self):
        self.update()
        vm = self.directory.get(UUID)
        vm.info, epoch = INFO, vm.epoch
        self.directory.replace([(vm.description, 'running')])
        self.assertIsNone(vm.info)
        self.assertGreater(vm.epoch, epoch)

    def test_who_is_gone_has_its_channels_closed(self):
        self.update()
        [channel] = self.directory.get(UUID).channels
        self.directory.remove(UUID)
        self.assertEqual(1, len(channel.closed))

    def test_all_are_closed_when_we_stop(self):
        self.update()
        self.update(self.OTHER)
        channels = [vm.channels[0] for vm in self.directory.guests()]
        self.directory.close()
        self.assertEqual([1, 1], [len(each.closed) for each in channels])

    def test_an_unknown_guest_is_not_found(self):
        with self.assertRaisesRegex(errors.GuestNotFound, self.OTHER):
            self.directory.get(self.OTHER)
