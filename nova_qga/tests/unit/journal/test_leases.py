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

"""Tests of the leases on disk."""

import pathlib
import time
import unittest

import fixtures

from nova_qga import errors
from nova_qga.journal import database
from nova_qga.journal import leases
from nova_qga.journal import outbox

EVENT = outbox.Event('info', 'instance.guest.thaw.end', {'state': 'succeeded'})


def lease(uuid='vm', request_id='r1', until=None, **more):
    return leases.Lease(
        uuid,
        'standard',
        time.time() + 60 if until is None else until,
        request_id,
        **more,
    )


class LeasesTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.open()

    def open(self):
        self.database = database.Database(self.folder)
        self.addCleanup(self.database.close)
        self.outbox = outbox.Outbox(self.database)
        self.leases = leases.Leases(self.database, self.outbox)

    def open_again(self):
        self.database.close()
        self.open()

    def test_one_outlives_the_process(self):
        known = lease()
        self.assertTrue(self.leases.add(known))
        self.open_again()
        self.assertEqual([known], self.leases.running())
        self.assertEqual(known, self.leases.get('vm'))

    def test_a_guest_has_one_at_a_time(self):
        self.leases.add(lease())
        self.assertFalse(self.leases.add(lease(request_id='r2')))
        self.assertEqual('r1', self.leases.get('vm').request_id)
        self.assertTrue(self.leases.add(lease('other', 'r3')))

    def test_the_first_to_end_comes_first(self):
        now = time.time()
        for uuid, seconds in (('a', 9), ('b', 3), ('c', 6)):
            self.leases.add(lease(uuid, uuid, now + seconds))
        self.assertEqual(
            ['b', 'c', 'a'], [e.instance_uuid for e in self.leases.running()]
        )

    def test_what_is_known_of_it_changes(self):
        known = lease()
        self.leases.add(known)
        changed = known._replace(until=5.0, frozen=2)
        self.leases.change(changed)
        self.open_again()
        self.assertEqual([changed], self.leases.running())

    def test_its_end_is_told_in_the_same_breath(self):
        known = lease()
        self.leases.add(known)
        self.leases.end(known, EVENT)
        self.open_again()
        self.assertEqual([], self.leases.running())
        self.assertEqual([EVENT], [e for _, e in self.outbox.first(9)])
        self.assertIsNotNone(self.leases.get('vm').ended)

    def test_where_that_cannot_be_written_it_goes_on(self):
        known = lease()
        self.leases.add(known)
        self.database.close()
        with self.assertRaises(errors.ServiceUnavailable):
            self.leases.end(known, EVENT)
        self.open_again()
        self.assertEqual([known], self.leases.running())
        self.assertEqual([], self.outbox.first(9))

    def test_one_that_has_ended_gives_way_to_the_next(self):
        self.leases.add(lease())
        self.leases.end(lease(), EVENT)
        self.assertTrue(self.leases.add(lease(request_id='r2')))
        self.assertEqual('r2', self.leases.get('vm').request_id)
        # The first one is not its concern any more.
        self.leases.remove(lease())
        self.leases.change(lease(frozen=7))
        self.assertIsNone(self.leases.get('vm').frozen)

    def test_one_that_ended_long_ago_is_forgotten(self):
        self.leases.add(lease())
        self.leases.end(lease(), EVENT)
        with self.database.transaction() as connection:
            connection.execute(
                'UPDATE leases SET ended = ended - ?', (leases.KEPT + 1,)
            )
        self.leases.add(lease('other', 'r2'))
        self.assertIsNone(self.leases.get('vm'))
