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

"""What the guests of many hosts use, in one order."""

import unittest

from nova_qga.cli import usage
from nova_qga.rpc import usage as rpc_usage
from nova_qga.tests.fixtures import fake_api


def result(*guests):
    return {'guests': guests, 'total': len(guests), 'running': len(guests)}


class RowsTest(unittest.TestCase):
    def test_it_is_sorted_by_what_hosts_sort_by(self):
        self.assertEqual(rpc_usage.SORTS, usage.SORTS)

    def test_the_heaviest_of_all_hosts_come_first_and_the_unknown_last(self):
        idle = {
            'cpu': 0.0,
            'load': 0.0,
            'memory_used': 0,
            'disk_read': 0.0,
            'disk_write': 0.0,
            'network_receive': 0.0,
            'network_transmit': 0.0,
        }
        results = {
            'c2': result(
                fake_api.unknown('u1', name='dark'),
                fake_api.used('u2', name='busy', network_transmit=9e9),
            ),
            'c1': result(fake_api.used('u3', name='idle', **idle)),
        }
        for sort in usage.SORTS:
            rows = usage.rows(results, sort)
            names = [row['name'] for row in rows]
            expected = ['busy', 'idle', 'dark']
            if sort == usage.NAME:
                expected = ['busy', 'dark', 'idle']
            with self.subTest(sort=sort):
                self.assertEqual(expected, names)
        self.assertEqual(
            {'busy': 'c2', 'dark': 'c2', 'idle': 'c1'},
            {row['name']: row['host'] for row in rows},
        )

    def test_what_is_half_known_sorts_as_unknown(self):
        results = {
            'c1': result(
                fake_api.used('u1', name='a', disk_write=None),
                fake_api.used('u2', name='b', disk_read=0.0, disk_write=0.0),
            )
        }
        rows = usage.rows(results, 'disk')
        self.assertEqual(['b', 'a'], [row['name'] for row in rows])
