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

"""Requests over a real RabbitMQ, to a real nova-qga-agent and a real qemu-ga.

The qemu-ga runs on this machine: it only reads, and writes below a folder of
its own.
"""

import base64
import hashlib
import os
import unittest

import fixtures
import oslo_messaging as messaging

from nova_qga.collectors import agent
from nova_qga import errors
from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import controller
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host

HOST = 'compute-1'


class OverBrokerTest(fixtures.TestWithFixtures, unittest.TestCase):
    """One agent for all tests of this class: they do not disturb it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        broker = shared.broker()
        cls.qga = cls.start(qemu_ga.QemuGa())
        cls.guest = simulated_host.Simulated(
            'instance-00000001', cls.qga.socket
        )
        silent = simulated_host.Simulated('instance-00000002', None)
        host = cls.start(simulated_host.SimulatedHost(cls.guest, silent))
        cls.silent = silent
        cls.listener = cls.start(notifications.Listener(broker.url))
        cls.agent = cls.start(
            agent_program.AgentProgram(
                host.uri,
                broker.url,
                """
                [qga_operations]
                max_file_size = 3000000
                [qga_monitor]
                interval = 1
                """,
                host=HOST,
            )
        )
        cls.controller = cls.start(controller.Controller(broker.url))
        cls.api = cls.controller.api

    @classmethod
    def start(cls, fixture):
        fixture.setUp()
        cls.addClassCleanup(fixture.cleanUp)
        return fixture

    def request(self, **more):
        request_id = f'{self.id()}:{os.urandom(4).hex()}'[-100:].strip('.-_:')
        wanted = {'instance_uuid': self.guest.uuid, 'request_id': request_id}
        return known_host.request(**{**wanted, **more})

    def succeed(self, outcome):
        self.assertEqual(
            ('succeeded', None), (outcome['state'], outcome['error'])
        )
        return outcome['result']

    def test_the_guests_of_the_host_are_listed(self):
        guests = self.succeed(self.api.list_guests(HOST))['guests']
        self.assertEqual(
            [self.guest.uuid, self.silent.uuid],
            [guest['instance_uuid'] for guest in guests],
        )
        owner = self.guest.owner
        self.assertEqual(
            (owner.display_name, owner.project_uuid, owner.user_uuid),
            tuple(guests[0][k] for k in ('name', 'project_id', 'user_id')),
        )
        [channel] = guests[0]['channels']
        self.assertEqual('direct', channel['kind'])
        self.assertEqual([], guests[1]['channels'])

    def test_a_call_returns_what_the_guest_says(self):
        outcome = self.api.get_info(HOST, self.guest.uuid)
        self.assertEqual('direct', outcome['channel'])
        info = self.succeed(outcome)
        self.assertEqual(os.uname().nodename, info['host_name'])
        self.succeed(self.api.ping(HOST, self.guest.uuid))

    def test_a_file_of_several_parts_goes_there_and_back(self):
        content = os.urandom(2_500_000)
        path = self.qga.files / 'there'
        part = 1024 * 1024
        for offset in range(0, len(content), part):
            piece = content[offset : offset + part]
            written = self.succeed(
                self.api.write_file(
                    HOST,
                    self.guest.uuid,
                    str(path),
                    piece,
                    offset=offset,
                    size=len(content),
                    verify=True,
                )
            )
            self.assertEqual(
                hashlib.sha256(piece).hexdigest(), written['sha256']
            )
        self.assertEqual(content, path.read_bytes())
        back = b''
        while True:
            read = self.succeed(
                self.api.read_file(
                    HOST,
                    self.guest.uuid,
                    str(path),
                    offset=len(back),
                    length=part,
                )
            )
            back += base64.b64decode(read['content'])
            if read['eof']:
                break
        self.assertEqual(content, back)

    def test_a_file_that_is_too_large_is_refused_before_its_first_part(self):
        path = self.qga.files / 'large'
        outcome = self.api.write_file(
            HOST, self.guest.uuid, str(path), b'x', size=3_000_001
        )
        self.assertEqual('invalid_request', outcome['error']['code'])
        self.assertFalse(path.exists())

    def test_a_path_that_cannot_be_opened_is_the_guests_refusal(self):
        outcome = self.api.read_file(
            HOST, self.guest.uuid, '/nobody/has/this', length=10
        )
        self.assertEqual('command_failed', outcome['error']['code'])
        self.assertIn('No such file', outcome['error']['message'])

    def test_a_cast_is_run_and_its_outcome_is_notified(self):
        path = self.qga.files / 'cast'
        request = self.request(path=str(path), content='YWJj')
        self.controller.cast(HOST, 'write_file', **request)
        payload = self.listener.next(
            'instance.guest.write_file.end', request_id=request['request_id']
        )
        self.assertEqual('abc', path.read_text())
        owner = self.guest.owner
        self.assertEqual(
            {
                'request_id': request['request_id'],
                'instance_id': self.guest.uuid,
                'tenant_id': owner.project_uuid,
                'user_id': owner.user_uuid,
                'display_name': owner.display_name,
                'host': HOST,
                'operation': 'write_file',
                'state': 'succeeded',
                'channel': 'direct',
                'error': None,
                'requested_by': {'user_id': 'admin-1', 'project_id': ''},
            },
            payload,
        )

    def test_a_cast_that_fails_is_notified_with_the_reason(self):
        request = self.request(instance_uuid=self.silent.uuid)
        self.controller.cast(HOST, 'ping', **request)
        payload = self.listener.next(
            'instance.guest.ping.error', request_id=request['request_id']
        )
        self.assertEqual('failed', payload['state'])
        self.assertEqual('no_channel', payload['error']['reason'])

    def test_a_cast_that_comes_too_late_is_not_run_and_notified(self):
        path = self.qga.files / 'late'
        request = self.request(seconds=-1, path=str(path), content='YWJj')
        self.controller.cast(HOST, 'write_file', **request)
        payload = self.listener.next(
            'instance.guest.write_file.error', request_id=request['request_id']
        )
        self.assertEqual('expired', payload['state'])
        self.assertFalse(path.exists())

    def test_a_request_that_is_sent_again_is_not_run_again(self):
        path = self.qga.files / 'once'
        request = self.request(path=str(path), content='YWJj')
        first = self.controller.call(HOST, 'write_file', **request)
        self.succeed(first)
        path.write_text('changed since')
        again = self.controller.call(HOST, 'write_file', **request)
        self.assertEqual(3, self.succeed(again)['bytes_written'])
        self.assertEqual('changed since', path.read_text())

    def test_malformed_arguments_are_refused_without_a_traceback(self):
        for arguments in (
            {},
            {'nonsense': [1, {'a': None}]},
            self.request(path=7, content='YWJj'),
            self.request(path='/x', content={'b64': 'x'}),
            self.request(path='/x', content='YWJj', offset=-1),
        ):
            with self.subTest(arguments=arguments):
                outcome = self.controller.call(HOST, 'write_file', **arguments)
                self.assertEqual('failed', outcome['state'])
                self.assertEqual('invalid_request', outcome['error']['code'])
        self.assertNotIn('Traceback', self.agent.logged())

    def test_an_unknown_guest_is_not_found(self):
        outcome = self.api.ping(HOST, '00000000-0000-4000-8000-000000000000')
        self.assertEqual('guest_not_found', outcome['error']['code'])

    def test_a_host_without_an_agent_is_said_at_once(self):
        with self.assertRaisesRegex(
            errors.ServiceUnavailable, 'compute-77 is not connected'
        ):
            self.api.ping('compute-77', self.guest.uuid)

    def test_metrics_are_asked_for(self):
        outcome = self.api.get_metrics(HOST, self.guest.uuid)
        names = {s['name'] for s in self.succeed(outcome)['samples']}
        self.assertLessEqual({'guest.cpu.time', 'guest.memory.total'}, names)

    def test_metrics_are_notified_guest_by_guest(self):
        payload = self.listener.next(
            'instance.guest.metrics', instance_id=self.guest.uuid
        )
        self.assertEqual('1.0', payload['schema_version'])
        self.assertEqual(HOST, payload['host'])
        self.assertEqual(self.guest.owner.project_uuid, payload['tenant_id'])
        names = {sample['name'] for sample in payload['samples']}
        self.assertLessEqual(
            {
                'guest.cpu.time',
                'guest.load.1m',
                'guest.memory.total',
                'guest.uptime',
            },
            names,
        )
        for sample in payload['samples']:
            self.assertTrue(
                sample['resource_id'].startswith(self.guest.uuid), sample
            )
            # The guest tells everything but what the host sees of its agent.
            seen = sample['name'] in {each.name for each in agent.METRICS}
            source = 'hypervisor' if seen else 'guest'
            self.assertEqual(source, sample['source'], sample['name'])


class NotExposedTest(fixtures.TestWithFixtures, unittest.TestCase):
    def test_what_is_not_exposed_cannot_be_called(self):
        broker = shared.broker()
        host = self.useFixture(simulated_host.SimulatedHost())
        self.useFixture(
            agent_program.AgentProgram(host.uri, broker.url, host='compute-2')
        )
        client = self.useFixture(controller.Controller(broker.url))
        for method in ('run_anything', '_views', '__init__'):
            with self.subTest(method=method):
                with self.assertRaises(messaging.RemoteError) as caught:
                    client.call('compute-2', method)
                self.assertEqual('NoSuchMethod', caught.exception.exc_type)
