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

"""Tests of when leases end. Time passes; nothing here says how fast."""

import threading
import time
import unittest

from nova_qga.agent import thawer
from nova_qga import errors
from nova_qga.guest import directory
from nova_qga.journal import database
from nova_qga.journal import leases
from nova_qga.journal import outbox
from nova_qga.rpc import frozen_guests
from nova_qga.tests.fixtures import process

EVENT = outbox.Event('info', 'instance.guest.thaw.end', {})


class Ends:
    """Ends leases, as far as it is let.

    :ivar hung: UUIDs of guests that do not answer
    :ivar failing: UUID -> attempts that are still to fail
    :ivar left: UUIDs of guests that are not on this host
    :ivar sought: UUIDs of those that seemed so and were found
    :ivar active: UUIDs that are being thawed
    """

    def __init__(self, guests):
        self.guests = guests
        self.lock = threading.Lock()
        self.go_on = threading.Event()
        self.hung = set()
        self.failing = {}
        self.left = set()
        self.sought = []
        self.tried = []
        self.ended = []
        self.active = set()

    def __call__(self, lease, timeout, early):
        uuid = lease.instance_uuid
        if early and uuid not in self.left:
            self.sought.append(uuid)
            return
        with self.lock:
            self.tried.append(uuid)
            self.active.add(uuid)
        try:
            if self.failing.get(uuid, 0):
                self.failing[uuid] -= 1
                raise errors.ChannelTimeout('it did not answer in time')
            if uuid in self.hung:
                self.go_on.wait(60)
            self.guests.end(lease, EVENT)
            self.ended.append(uuid)
        finally:
            with self.lock:
                self.active.discard(uuid)


class ThawerTest(unittest.TestCase):
    def setUp(self):
        self.journal = database.Database(None)
        self.leases = leases.Leases(self.journal, outbox.Outbox(self.journal))
        self.guests = frozen_guests.FrozenGuests(
            self.leases, directory.Directory(lambda _: ())
        )
        self.gone = set()
        self.ends = Ends(self.guests)
        self.addCleanup(self.ends.go_on.set)
        self.thawer = thawer.Thawer(
            self.guests, lambda uuid: uuid not in self.gone, self.ends
        )
        self.addCleanup(self.thawer.stop)

    def freeze(self, uuid, seconds, frozen=1):
        lease = leases.Lease(
            uuid, 'direct', time.time() + seconds, f'r-{uuid}', frozen
        )
        self.guests.add(lease)
        self.guests.change(lease)

    def wait_for(self, condition):
        self.assertTrue(process.wait_until(condition, 30))

    def test_what_ran_out_before_the_start_is_thawed_at_once(self):
        self.freeze('late', -100)
        self.freeze('in time', 600)
        self.thawer.start()
        self.wait_for(lambda: self.ends.ended == ['late'])
        self.assertNotIn('in time', self.ends.tried)

    def test_what_runs_is_thawed_at_its_end(self):
        self.thawer.start()
        self.freeze('a', 600)
        self.freeze('b', 0.2)
        self.wait_for(lambda: self.ends.ended == ['b'])
        self.assertNotIn('a', self.ends.tried)

    def test_one_that_is_hurried_does_not_wait_for_its_end(self):
        self.thawer.start()
        self.freeze('a', 600)
        self.guests.hurry(self.leases.get('a'))
        self.wait_for(lambda: self.ends.ended == ['a'])

    def test_one_that_has_failed_is_tried_again(self):
        self.ends.failing['a'] = 2
        self.freeze('a', -1)
        with self.assertLogs('nova_qga.agent.thawer', 'WARNING') as logs:
            self.thawer.start()
            self.wait_for(lambda: self.ends.ended == ['a'])
        self.assertEqual(['a'] * 3, self.ends.tried)
        # Once, not at each attempt.
        [line] = logs.output
        self.assertIn('not known to be thawed', line)

    def test_a_fault_of_ours_gives_no_guest_up(self):
        faults = [KeyError('a fault')]
        ends = self.ends

        def end(lease, timeout, early):
            if faults:
                raise faults.pop()
            ends(lease, timeout, early)

        other = thawer.Thawer(self.guests, lambda uuid: True, end)
        self.addCleanup(other.stop)
        self.freeze('a', -1)
        with self.assertLogs('nova_qga.agent.thawer', 'ERROR'):
            other.start()
            self.wait_for(lambda: self.ends.ended == ['a'])

    def test_guests_that_hang_leave_room_for_others(self):
        hung = [f'hung-{number}' for number in range(2 * thawer.WORKERS)]
        # Once they fail, and then they hang for good.
        self.ends.failing.update(dict.fromkeys(hung, 1))
        self.ends.hung.update(hung)
        for uuid in hung:
            self.freeze(uuid, -1)
        self.thawer.start()
        self.wait_for(
            lambda: (
                len(set(self.ends.tried)) == len(hung)
                and len(self.ends.active) == thawer.RETRIED
            )
        )
        self.freeze('well', -1)
        self.wait_for(lambda: 'well' in self.ends.ended)

    def test_one_that_leaves_is_looked_for_at_once(self):
        self.freeze('a', 600)
        self.thawer.start()
        self.ends.left.add('a')
        self.gone.add('a')
        self.wait_for(lambda: self.ends.ended == ['a'])

    def test_one_that_only_seems_to_have_left_is_not_thawed_early(self):
        self.gone.add('a')
        self.freeze('a', 600)
        self.freeze('b', 600)
        self.thawer.start()
        self.wait_for(lambda: self.ends.sought)
        self.guests.hurry(self.leases.get('b'))
        self.wait_for(lambda: self.ends.ended == ['b'])
        # Nor is it looked for at each look.
        self.assertEqual(['a'], self.ends.sought)
        self.assertNotIn('a', self.ends.tried)

    def test_a_journal_that_cannot_be_read_is_read_again(self):
        self.freeze('a', -1)
        whole, broken = self.leases._database, database.Database(None)
        broken.close()
        self.leases._database = broken
        with self.assertLogs('nova_qga.agent.thawer', 'ERROR'):
            self.thawer.start()
            self.wait_for(lambda: broken.problem)
        self.leases._database = whole
        self.thawer.wake()
        self.wait_for(lambda: self.ends.ended == ['a'])

    def test_who_is_frozen_at_the_stop_is_named(self):
        self.freeze('a', 600)
        self.thawer.start()
        with self.assertLogs('nova_qga.agent.thawer', 'WARNING') as logs:
            self.thawer.stop()
        self.assertIn('a', logs.output[0])
