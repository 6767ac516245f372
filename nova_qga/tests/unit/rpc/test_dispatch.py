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

"""Tests of requests by message: oslo.messaging's own server, no broker."""

import threading
import time
import unittest

import fixtures
import oslo_messaging as messaging
from oslo_messaging.rpc import dispatcher

from nova_qga.rpc import api
from nova_qga.rpc import caller
from nova_qga.rpc import server
from nova_qga.rpc import target
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import notifications

EXPOSED = {
    *known_host.OPERATIONS,
    'list_guests',
    'get_coverage',
    'get_metrics',
    'get_operation',
    'get_public_key',
    'get_usage',
}


class DispatchTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.FakeLogger())
        conf = self.useFixture(notifications.Messaging()).conf
        self.transport = messaging.get_rpc_transport(conf)
        self.host = self.serve('compute-1')
        self.client = messaging.get_rpc_client(
            self.transport, target.target()
        ).prepare(server='compute-1', timeout=30)

    def serve(self, name):
        woken = threading.Event()
        host = known_host.KnownHost(wake=woken.set)
        host.woken = woken
        serving = server.get_server(self.transport, name, host.endpoint)
        serving.start(override_pool_size=4)
        self.addCleanup(serving.wait)
        self.addCleanup(serving.stop)
        return host

    def told(self):
        """The notifications, when there is a new one."""
        self.assertTrue(self.host.woken.wait(30))
        self.host.woken.clear()
        return self.host.told

    def test_every_operation_of_the_catalog_can_be_called(self):
        for method in sorted(EXPOSED):
            with self.subTest(method=method):
                answer = self.client.call(known_host.ADMIN, method, nonsense=1)
                self.assertEqual(method, answer['operation'])
                self.assertEqual('invalid_request', answer['error']['code'])

    def test_nothing_else_can_be_called(self):
        endpoint = self.host.endpoint
        others = [name for name in dir(endpoint) if name not in EXPOSED]
        for method in (*others, 'run', ''):
            with self.subTest(method=method):
                with self.assertRaises(dispatcher.NoSuchMethod):
                    self.client.call(known_host.ADMIN, method)

    def test_a_call_returns_the_outcome(self):
        answer = self.client.call(
            known_host.ADMIN, 'ping', **known_host.request()
        )
        self.assertEqual('succeeded', answer['state'])
        self.assertEqual({'seconds': 0.25}, answer['result'])

    def test_a_cast_is_answered_by_its_notification(self):
        self.client.cast(known_host.ADMIN, 'ping', **known_host.request('r7'))
        [event] = self.told()
        self.assertEqual('instance.guest.ping.end', event.event_type)
        self.assertEqual('r7', event.payload['request_id'])

    def test_casts_are_all_noted_while_a_guest_hangs(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)

        def hang(arguments):
            go_on.wait(30)
            return 1000

        self.host.answer_with('guest-file-open', hang)
        sent = [f'r{number}' for number in range(40)]
        for request_id in sent:
            self.client.cast(
                known_host.ADMIN,
                'write_file',
                **known_host.request(request_id, path='/x', content=''),
            )
        # They come in their order, and one thread takes them.
        last = {'state': 'failed'}
        while last['state'] == 'failed':
            last = self.client.call(
                known_host.ADMIN, 'get_operation', request_id=sent[-1]
            )
        self.assertEqual('accepted', last['result']['state'])
        noted = [self.host.ledger.find(each).state for each in sent]
        self.assertLessEqual(set(noted), {'accepted', 'running'})
        self.assertEqual([], self.host.told)
        go_on.set()
        end = time.monotonic() + 30
        while len(self.host.told) < len(sent) and time.monotonic() < end:
            self.host.woken.wait(0.1)
        self.assertEqual(
            sorted(sent),
            sorted(each.payload['request_id'] for each in self.host.told),
        )

    def test_a_look_at_a_guest_that_hangs_holds_up_no_request(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)
        self.host.sample_now = lambda uuid, timeout: go_on.wait(30)
        asked = threading.Semaphore(0)

        def look():
            asked.release()
            self.client.call(
                known_host.ADMIN, 'get_metrics', instance_uuid=known_host.UUID
            )

        looking = [
            threading.Thread(target=look) for _ in range(server.IN_HAND + 1)
        ]
        for thread in looking:
            thread.start()
        self.addCleanup(lambda: [each.join(30) for each in looking])
        self.addCleanup(go_on.set)
        for _ in looking:
            self.assertTrue(asked.acquire(timeout=30))
        began = time.monotonic()
        answer = self.client.call(
            known_host.ADMIN, 'ping', **known_host.request()
        )
        self.assertEqual('succeeded', answer['state'])
        self.assertLess(time.monotonic() - began, server.PATIENCE)

    def test_no_more_are_taken_than_can_be_noted(self):
        with self.host.journal.changed:
            for number in range(20):
                self.client.cast(
                    known_host.ADMIN,
                    'ping',
                    **known_host.request(f'r{number}'),
                )
            taken = self.taken(20)
        self.assertLessEqual(taken, server.IN_HAND + 1)

    def taken(self, sent):
        """How many of what was sent the server has read."""
        driver = self.transport._driver
        exchange = driver._exchange_manager.get_exchange(target.EXCHANGE)
        queues = exchange._server_queues.values()
        waiting = sum(map(len, queues))
        while True:
            # Until it reads no more.
            time.sleep(0.2)
            now = sum(map(len, queues))
            if now == waiting < sent:
                return sent - now
            waiting = now

    def test_a_request_reaches_only_the_host_that_it_names(self):
        other = self.serve('compute-2')
        self.client.call(known_host.ADMIN, 'ping', **known_host.request())
        self.assertEqual(1, len(self.host.reached))
        self.assertEqual([], other.reached)

    def test_a_cast_that_comes_too_late_is_not_run_and_says_so(self):
        late = known_host.request(seconds=-1, path='/x', content='')
        self.client.cast(known_host.ADMIN, 'write_file', **late)
        [event] = self.told()
        self.assertEqual('expired', event.payload['state'])
        self.assertEqual([], self.host.agent_of.executed)

    def test_a_request_that_is_sent_twice_is_run_once(self):
        sent = known_host.request(path='/x', content='YWJj')
        self.client.cast(known_host.ADMIN, 'write_file', **sent)
        self.told()
        ran = len(self.host.agent_of.executed)
        answer = self.client.call(known_host.ADMIN, 'write_file', **sent)
        self.assertEqual('succeeded', answer['state'])
        self.assertEqual(ran, len(self.host.agent_of.executed))
        self.assertEqual(1, len(self.host.told))

    def test_arguments_named_as_those_of_python_are_arguments(self):
        answer = self.client.call(
            known_host.ADMIN, 'ping', arguments=1, context=2, _=3
        )
        self.assertEqual('invalid_request', answer['error']['code'])

    def test_the_api_gets_through_to_the_guest(self):
        client = api.Api(
            caller.RpcCaller(self.transport, known_host.ADMIN), timeout=30
        )
        uuid = known_host.UUID
        ended = client.set_password('compute-1', uuid, 'root', 'pa55word')
        self.assertEqual('succeeded', ended['state'])
        [sent] = self.host.agent_of.executed
        self.assertEqual('guest-set-user-password', sent.name)
        self.assertTrue(sent.arguments['crypted'])
        [guest] = client.list_guests('compute-1')['result']['guests']
        self.assertEqual(uuid, guest['instance_uuid'])
