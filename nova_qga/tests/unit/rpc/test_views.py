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

"""Tests of what a host tells about its guests."""

import json
import queue
import threading
import unittest

from nova_qga import errors
from nova_qga.rpc import looks
from nova_qga.tests.fixtures import known_host

UUID = known_host.UUID


class ListGuestsTest(unittest.TestCase):
    def setUp(self):
        self.host = known_host.KnownHost()

    def test_every_guest_is_told_with_its_owner_and_its_channels(self):
        answer = self.host.endpoint.list_guests(known_host.ADMIN)
        self.assertEqual('succeeded', answer['state'])
        self.assertEqual('compute-1', answer['host'])
        self.assertIsNone(answer['instance_uuid'])
        self.assertEqual(
            [
                {
                    'instance_uuid': known_host.UUID,
                    'name': 'web',
                    'domain': 'instance-00000001',
                    'state': 'running',
                    'project_id': 'project-1',
                    'user_id': 'user-1',
                    'flavor': 'm1.tiny',
                    'channels': [
                        {
                            'name': 'org.qemu.guest_agent.0',
                            'kind': 'standard',
                            'open': True,
                        },
                        {
                            'name': 'org.qemu.guest_agent.1',
                            'kind': 'direct',
                            'open': None,
                        },
                    ],
                    'agent_version': None,
                }
            ],
            answer['result']['guests'],
        )

    def test_no_channel_of_a_guest_that_is_off_is_open(self):
        self.host.directory.get(known_host.UUID).state = 'shutoff'
        [told] = self.host.endpoint.list_guests(known_host.ADMIN)['result'][
            'guests'
        ]
        self.assertEqual([False, False], [c['open'] for c in told['channels']])

    def test_the_version_of_an_agent_that_was_met_is_told(self):
        guest = self.host.directory.get(known_host.UUID)
        guest.info = self.host.agent_of.info()
        [told] = self.host.endpoint.list_guests(known_host.ADMIN)['result'][
            'guests'
        ]
        self.assertEqual('7.2.22', told['agent_version'])

    def test_a_libvirtd_that_is_away_is_said(self):
        self.host.failure = errors.ServiceUnavailable('start libvirtd')
        answer = self.host.endpoint.list_guests(known_host.ADMIN)
        self.assertEqual('failed', answer['state'])
        self.assertEqual('service_unavailable', answer['error']['code'])

    def test_a_request_that_came_too_late_is_not_answered(self):
        answer = self.host.endpoint.list_guests(
            known_host.ADMIN,
            expires_at=known_host.in_seconds(-1),
            request_id='r1',
        )
        self.assertEqual('expired', answer['state'])
        self.assertEqual('r1', answer['request_id'])

    def test_nothing_is_notified(self):
        self.host.endpoint.list_guests(known_host.ADMIN)
        self.host.endpoint.get_metrics(
            known_host.ADMIN, instance_uuid=known_host.UUID
        )
        self.assertEqual([], self.host.told)


class GetMetricsTest(unittest.TestCase):
    def setUp(self):
        self.host = known_host.KnownHost()

    def ask(self, **arguments):
        return self.host.endpoint.get_metrics(known_host.ADMIN, **arguments)

    def test_samples_have_their_units_labels_and_time(self):
        answer = self.ask(instance_uuid=known_host.UUID)
        result = answer['result']
        self.assertEqual(known_host.UUID, answer['instance_uuid'])
        self.assertEqual(
            {
                'name': 'guest.disk.read.bytes',
                'value': 4096,
                'unit': 'B',
                'kind': 'cumulative',
                'labels': {'device': 'vda'},
                'source': 'guest',
                'timestamp': '2026-01-01T00:00:00.250+00:00',
            },
            result['samples'][2],
        )
        self.assertEqual(
            {'network': 'the agent has no command that tells'},
            result['missing'],
        )
        self.assertEqual(answer, json.loads(json.dumps(answer)))

    def test_only_so_many_look_at_the_same_time(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)
        taken = self.host.sample_now(UUID, 1)
        self.host.sample_now = lambda uuid, timeout: go_on.wait(30) and taken
        answers = queue.SimpleQueue()
        looking = [
            threading.Thread(
                target=lambda: answers.put(self.ask(instance_uuid=UUID))
            )
            for _ in range(looks.MOST + 1)
        ]
        for each in looking:
            each.start()
        refused = answers.get(timeout=30)
        self.assertEqual('service_unavailable', refused['error']['code'])
        go_on.set()
        for each in looking:
            each.join(30)

    def test_a_sample_gets_no_more_time_than_its_request_has_left(self):
        self.ask(
            instance_uuid=known_host.UUID, expires_at=known_host.in_seconds(5)
        )
        self.ask(instance_uuid=known_host.UUID)
        short, long = self.host.sampled
        self.assertLessEqual(short, 5)
        self.assertEqual(15.0, long)

    def test_a_guest_must_be_named(self):
        for given in ({}, {'instance_uuid': 7}, {'guest': 'x'}):
            with self.subTest(given=given):
                answer = self.ask(**given)
                self.assertEqual('invalid_request', answer['error']['code'])

    def test_why_a_guest_cannot_be_sampled_is_said(self):
        self.host.sample_failure = known_host.unavailable()
        answer = self.ask(instance_uuid=known_host.UUID)
        self.assertEqual('failed', answer['state'])
        self.assertEqual('shutoff', answer['error']['reason'])

    def test_a_fault_leaves_as_an_outcome_too(self):
        self.host.sample_failure = RuntimeError('details')
        with self.assertLogs('nova_qga.rpc.fault', 'ERROR') as logged:
            answer = self.ask(instance_uuid=known_host.UUID)
        self.assertEqual('internal', answer['error']['code'])
        self.assertNotIn('details', logged.output[0] + str(answer))


class AuditTest(unittest.TestCase):
    def test_who_looked_at_what_is_logged(self):
        host = known_host.KnownHost()
        with self.assertLogs('nova_qga.rpc.views', 'INFO') as logged:
            host.endpoint.get_metrics(
                known_host.ADMIN, instance_uuid=known_host.UUID
            )
            host.endpoint.list_guests({'user_id': 'eve', 'project_id': 'p'})
        first, second = logged.output
        self.assertIn(
            f'get_metrics, guest {known_host.UUID} of admin-1, no project: '
            'succeeded',
            first,
        )
        self.assertIn('list_guests of eve, p: denied', second)


class GetOperationTest(unittest.TestCase):
    def setUp(self):
        self.host = known_host.KnownHost()

    def ask(self, context=known_host.ADMIN, request_id='r1'):
        return self.host.endpoint.get_operation(context, request_id=request_id)

    def test_how_a_request_ended_is_told(self):
        self.host.run('write_file', path='/x', content='YWJj')
        told = self.ask()
        self.assertEqual('succeeded', told['state'])
        self.assertEqual('r1', told['request_id'])
        result = told['result']
        self.assertEqual('write_file', result['operation'])
        self.assertEqual('succeeded', result['state'])
        self.assertEqual({'bytes_written': 3}, result['counts'])
        self.assertEqual('admin-1', result['requested_by']['user_id'])
        self.assertLessEqual(result['began'], result['ended'])
        json.dumps(told)

    def test_why_it_failed_is_told(self):
        self.host.failure = known_host.unavailable()
        failed = self.host.run('ping')
        result = self.ask()['result']
        self.assertEqual('failed', result['state'])
        self.assertEqual(failed.error, result['error'])

    def test_one_that_never_came_is_not_known(self):
        told = self.ask(request_id='r2')
        self.assertEqual('request_not_found', told['error']['code'])

    def test_the_project_that_owns_the_guest_may_ask_and_no_other(self):
        self.host.run('ping')
        for project, state in (
            ('project-1', 'succeeded'),
            ('project-2', 'denied'),
        ):
            with self.subTest(project=project):
                told = self.ask({'user_id': 'u', 'project_id': project})
                self.assertEqual(state, told['state'])

    def test_nothing_is_told_without_a_valid_id(self):
        for request_id in (None, '', 'a b', 7):
            with self.subTest(request_id=request_id):
                told = self.ask(request_id=request_id)
                self.assertEqual('invalid_request', told['error']['code'])
