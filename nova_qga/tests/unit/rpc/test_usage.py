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

"""Tests of what a host tells of its guests' use."""

import json
import unittest

from nova_qga.collectors import picked
from nova_qga.collectors import usage as collected
from nova_qga import errors
from nova_qga.guest import description
from nova_qga.guest import guest
from nova_qga.rpc import usage
from nova_qga.tests.fixtures import busy_guest
from nova_qga.tests.fixtures import known_host

NOW = busy_guest.START + 130.0
OWNER = {'user_id': 'u', 'project_id': 'project-1', 'roles': ['member']}


def a_guest(name, state=guest.RUNNING, vcpus=4):
    described = description.Description(
        f'uuid-of-{name}', 'd', name, 'f', 'p', 'u', (), vcpus=vcpus
    )
    return guest.Guest(described, state, lambda _: ())


def used(**figures):
    """What a guest uses; what is not named is not known."""
    unknown = dict.fromkeys(collected.Usage._fields)
    return collected.Usage(**{**unknown, 'timestamp': NOW - 5, **figures})


def answer(known, sort='name', limit=100, **states):
    guests = [a_guest(name, **states.get(name, {})) for name in known]
    found = {f'uuid-of-{n}': u for n, u in known.items() if u is not None}
    return usage.answer(guests, found, sort, limit, NOW)


def names(told):
    return [each['name'] for each in told['guests']]


class AnswerTest(unittest.TestCase):
    def test_the_heaviest_come_first_and_the_unknown_last(self):
        known = {
            'idle': used(
                cpu_time=0.0,
                load=0.0,
                memory_used=1,
                memory_total=100,
                disk_read=0.0,
                disk_write=0.0,
                network_receive=0.0,
                network_transmit=0.0,
            ),
            'dark': None,
            'busy': used(
                cpu_time=2.0,
                load=3.0,
                memory_used=90,
                memory_total=100,
                disk_read=1.0,
                disk_write=9.0,
                network_receive=0.0,
                network_transmit=5.0,
            ),
            'half': used(disk_read=5.0),
        }
        for sort in usage.SORTS[:-1]:
            with self.subTest(sort=sort):
                self.assertEqual(
                    ['busy', 'idle', 'dark', 'half'],
                    names(answer(known, sort)),
                )
        self.assertEqual(
            ['busy', 'dark', 'half', 'idle'], names(answer(known, 'name'))
        )

    def test_no_more_rows_than_wanted_and_how_many_there_are(self):
        known = {f'g{n}': used(load=float(n)) for n in range(9)}
        told = answer(known, 'load', 2, g3={'state': 'shutoff'})
        self.assertEqual(['g8', 'g7'], names(told))
        self.assertEqual((9, 8), (told['total'], told['running']))

    def test_a_guest_that_does_not_run_uses_nothing(self):
        for state in ('shutoff', 'paused'):
            told = answer(
                {'web': used(cpu_time=1.0, load=1.0)}, web={'state': state}
            )
            [row] = told['guests']
            self.assertEqual(state, row['state'])
            for key in ('cpu', 'load', 'age', 'source', 'agent'):
                self.assertIsNone(row[key], key)

    def cpu(self, vcpus=4, **figures):
        told = answer({'web': used(**figures)}, web={'vcpus': vcpus})
        return told['guests'][0]['cpu']

    def test_cpus_are_those_that_the_guest_tells_or_the_domain_has(self):
        self.assertEqual(0.5, self.cpu(cpu_time=1.0, cpu_capacity=2.0))
        self.assertEqual(0.25, self.cpu(cpu_time=1.0))
        self.assertIsNone(self.cpu(cpu_time=1.0, vcpus=None))
        self.assertIsNone(self.cpu())
        self.assertEqual(0.0, self.cpu(cpu_time=0.0))

    def test_the_hypervisors_clocks_make_no_more_of_it_than_all(self):
        self.assertEqual(1.0, self.cpu(cpu_time=4.03))

    def test_a_long_name_is_cut(self):
        [row] = answer({'x' * 300: None})['guests']
        self.assertEqual(64, len(row['name']))

    def test_five_thousand_rows_are_told_in_a_message_of_few_megabytes(self):
        known = {
            f'{n:064}': used(
                source='hypervisor',
                cpu_time=1.23456789,
                load=12.34,
                memory_used=123456789012,
                memory_total=123456789012,
                filesystem=picked.Filesystem('/' * 64, 0.123456789),
                disk_read=1234567890.123,
                disk_write=1234567890.123,
                network_receive=1234567890.123,
                network_transmit=1234567890.123,
            )
            for n in range(usage.MOST)
        }
        told = answer(known, 'cpu', usage.MOST)
        self.assertLess(len(json.dumps(told)), 4 << 20)


class GetUsageTest(unittest.TestCase):
    def setUp(self):
        self.host = known_host.KnownHost()

    def ask(self, context=known_host.ADMIN, **arguments):
        return self.host.endpoint.get_usage(context, **arguments)

    def test_what_is_followed_is_told(self):
        busy = busy_guest.BusyGuest()
        for moment in (60, 120):
            self.host.usage.note(busy.samples(moment))
        told = self.ask()
        self.assertEqual('succeeded', told['state'])
        [row] = told['result']['guests']
        self.assertEqual(known_host.UUID, row['instance_uuid'])
        self.assertEqual(0.25, row['cpu'])
        self.assertEqual('/var', row['mountpoint'])
        self.assertEqual('none', row['agent'], 'it has no channel')
        self.assertGreater(row['age'], 0)
        self.assertEqual(told, json.loads(json.dumps(told)))

    def test_a_guest_that_was_never_sampled_is_there(self):
        [row] = self.ask()['result']['guests']
        self.assertIsNone(row['cpu'])
        self.assertEqual('web', row['name'])

    def test_all_rows_have_the_same_fields(self):
        [unknown] = self.ask()['result']['guests']
        self.host.usage.note(busy_guest.BusyGuest().samples(60))
        [known] = self.ask()['result']['guests']
        self.assertEqual(list(unknown), list(known))

    def test_one_project_sees_its_own_guests_alone(self):
        for project, number in (('project-1', 1), ('project-2', 0)):
            told = self.ask(project_id=project)
            self.assertEqual(number, told['result']['total'])
        mine = self.ask(OWNER, project_id='project-1')
        self.assertEqual(1, mine['result']['total'])
        for given in ({}, {'project_id': 'project-2'}, {'project_id': ''}):
            with self.subTest(given=given):
                self.assertEqual('denied', self.ask(OWNER, **given)['state'])

    def test_it_is_told_without_libvirtd_where_guests_are_known(self):
        self.host.failure = errors.ServiceUnavailable('start libvirtd')
        self.assertEqual('succeeded', self.ask()['state'])
        self.host.directory.remove(known_host.UUID)
        told = self.ask()
        self.assertEqual('service_unavailable', told['error']['code'])

    def test_wrong_arguments_are_refused(self):
        for given in (
            {'sort': 'weight'},
            {'limit': 0},
            {'limit': usage.MOST + 1},
            {'limit': True},
            {'project_id': 7},
            {'instance_uuid': known_host.UUID},
        ):
            with self.subTest(given=given):
                told = self.ask(**given)
                self.assertEqual('invalid_request', told['error']['code'])
