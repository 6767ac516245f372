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

"""The hypervisor's figures, from a libvirt that is scripted."""

import logging
import threading
import time
import unittest

import fixtures
import libvirt

from nova_qga.guest import hypervisor
from nova_qga.tests.fixtures import scripted_libvirt
from nova_qga.transport import loop

PATIENCE = 30.0


class Domain:
    def __init__(self, uuid):
        self._uuid = uuid

    def UUIDString(self):  # noqa: N802
        return self._uuid


class Libvirt(fixtures.Fixture):
    """A host's guests and what is known of each.

    :ivar seconds: uuid -> CPU time of its process
    :ivar calls: for the statistics, so far
    :ivar fails: what is raised instead
    :ivar go_on: cleared for a libvirtd that hangs
    """

    def _setUp(self):
        self.seconds = {'a': 1, 'b': 2}
        self.calls = 0
        self.opened = 0
        self.fails = None
        self.go_on = threading.Event()
        self.go_on.set()
        self.addCleanup(self.go_on.set)
        self.useFixture(fixtures.MonkeyPatch('libvirt.open', self._open))

    def _open(self, uri):
        self.opened += 1
        return self

    def setKeepAlive(self, interval, count):  # noqa: N802
        pass

    def close(self):
        pass

    def getAllDomainStats(self, stats, flags):  # noqa: N802
        self.calls += 1
        self.go_on.wait(PATIENCE)
        if self.fails is not None:
            raise self.fails
        return [
            (Domain(uuid), {'cpu.time': seconds * 10**9})
            for uuid, seconds in self.seconds.items()
        ]


class HypervisorTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        for name, value in (('SPACING', 0.01), ('PATIENCE', 0.3)):
            self.useFixture(
                fixtures.MonkeyPatch(
                    f'nova_qga.guest.hypervisor.{name}', value
                )
            )
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.libvirt = self.useFixture(Libvirt())
        self.loop = loop.Loop()
        self.loop.start()
        self.addCleanup(self.loop.stop)
        self.asked = hypervisor.Hypervisor('test:///', self.loop)
        self.asked.start()
        self.addCleanup(self.asked.stop)

    def ask(self, *uuids, max_age=60.0):
        """The CPU time of each guest; None where nothing is known."""
        answers = {}
        ended = threading.Event()

        def done(uuid, known):
            answers[uuid] = known and known.cpu_time
            if len(answers) == len(uuids):
                ended.set()

        def ask():
            for uuid in uuids:
                self.asked.ask(
                    uuid, max_age, lambda known, uuid=uuid: done(uuid, known)
                )

        self.loop.call(ask)
        self.assertTrue(ended.wait(PATIENCE))
        return answers

    def test_all_are_asked_for_in_one_call(self):
        self.assertEqual({'a': 1.0, 'b': 2.0}, self.ask('a', 'b'))
        self.assertEqual(1, self.libvirt.calls)

    def test_what_is_known_is_told_again_while_it_is_fresh(self):
        self.ask('a', 'b')
        self.libvirt.seconds['a'] = 5
        self.assertEqual({'a': 1.0, 'b': 2.0}, self.ask('a', 'b'))
        self.assertEqual({'a': 5.0}, self.ask('a', max_age=0.0))
        self.assertEqual(2, self.libvirt.calls)
        # Who asks once in a period is served by each call.
        self.assertEqual({'b': 2.0}, self.ask('b'))
        self.assertEqual(2, self.libvirt.calls)

    def test_who_asks_once_in_a_period_is_served_by_the_calls_of_others(self):
        self.libvirt.seconds = dict.fromkeys('abcdefgh', 1)
        for uuid in 'abcdefgh':
            self.ask(uuid)
        calls = self.libvirt.calls
        for uuid in 'abcdefgh':
            self.assertEqual({uuid: 1.0}, self.ask(uuid))
        self.assertEqual(calls, self.libvirt.calls)

    def test_who_asks_no_more_is_read_no_more(self):
        self.ask('a', max_age=0.0)
        self.ask('b')
        self.assertEqual({'b'}, set(self.asked._known))

    def test_who_was_not_asked_for_is_not_kept(self):
        self.ask('a')
        self.assertEqual({'a'}, set(self.asked._known))

    def test_a_guest_that_libvirt_does_not_list_is_not_known(self):
        self.assertEqual({'c': None}, self.ask('c'))

    def test_who_comes_during_a_call_is_told_of_the_next(self):
        self.libvirt.go_on.clear()
        answers = []
        self.loop.call(self.asked.ask, 'a', 60.0, answers.append)
        while not self.libvirt.calls:
            time.sleep(0.001)
        self.loop.call(self.asked.ask, 'b', 60.0, answers.append)
        self.loop.call(self.libvirt.go_on.set)
        while len(answers) < 2:
            time.sleep(0.001)
        self.assertEqual([1.0, 2.0], [each.cpu_time for each in answers])
        self.assertEqual(2, self.libvirt.calls)

    def test_who_comes_during_a_call_is_not_told_what_is_older(self):
        self.ask('a', 'b')
        self.libvirt.seconds['b'] = 7
        self.libvirt.go_on.clear()
        answers = []
        self.loop.call(self.asked.ask, 'a', 0.0, answers.append)
        while self.libvirt.calls < 2:
            time.sleep(0.001)
        told = threading.Event()

        def ask():
            self.asked._known_since -= 100.0
            self.asked.ask('b', 60.0, answers.append)
            told.set()

        self.loop.call(ask)
        self.assertTrue(told.wait(PATIENCE))
        self.libvirt.go_on.set()
        while len(answers) < 2:
            time.sleep(0.001)
        self.assertEqual([1.0, 7.0], [each.cpu_time for each in answers])

    def test_nobody_waits_for_a_libvirtd_that_hangs(self):
        self.libvirt.go_on.clear()
        self.assertEqual({'a': None}, self.ask('a'))
        self.assertEqual({'a': None, 'b': None}, self.ask('a', 'b'))
        self.assertEqual(1, self.libvirt.calls)
        self.libvirt.go_on.set()
        while self.ask('a')['a'] is None:
            time.sleep(0.01)

    def test_a_fault_of_libvirts_ends_with_it(self):
        self.libvirt.fails = scripted_libvirt.failure(
            libvirt.VIR_ERR_RPC, 'broken pipe'
        )
        self.assertEqual({'a': None}, self.ask('a'))
        self.libvirt.fails = None
        self.assertEqual({'a': 1.0}, self.ask('a'))
        self.assertEqual(2, self.libvirt.opened)

    def test_so_does_one_of_ours(self):
        self.libvirt.fails = KeyError('ours')
        self.assertEqual({'a': None}, self.ask('a'))
        self.libvirt.fails = None
        self.assertEqual({'a': 1.0}, self.ask('a'))
