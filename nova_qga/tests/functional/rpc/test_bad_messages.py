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

"""Messages that are made to hurt, to a real nova-qga-agent over RabbitMQ."""

import bz2
import json
import re
import threading
import unittest
import zlib

import fixtures

from nova_qga.rpc import intake
from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import controller
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import rabbitmq
from nova_qga.tests.fixtures import raw_messages
from nova_qga.tests.fixtures import simulated_host

HOST = 'compute-1'
SECRET = 'S3cr3tW0rd'
MIB = 1 << 20
#: What the agent may have grown by afterwards, and at the worst moment. The
#: broker's limit is 128 MiB; the parts of a message are joined once.
GROWTH = 160 * MIB
PEAK = 320 * MIB


class BadMessagesTest(fixtures.TestWithFixtures, unittest.TestCase):
    """One agent for all tests: each leaves it as it was."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Not the shared one, which should not hold such messages.
        broker = cls.broker = cls.start(rabbitmq.RabbitMQ())
        qga = cls.start(qemu_ga.QemuGa())
        cls.guest = simulated_host.Simulated('instance-00000001', qga.socket)
        host = cls.start(simulated_host.SimulatedHost(cls.guest))
        cls.agent = cls.start(
            agent_program.AgentProgram(
                host.uri,
                broker.url,
                '[DEFAULT]\ndebug = true\n[qga_monitor]\ncollectors =\n',
                host=HOST,
            )
        )
        cls.controller = cls.start(controller.Controller(broker.url))
        cls.raw = cls.start(raw_messages.RawMessages(broker.url, HOST))

    @classmethod
    def start(cls, fixture):
        fixture.setUp()
        cls.addClassCleanup(fixture.cleanUp)
        return fixture

    def setUp(self):
        super().setUp()
        self.ping()
        self.before = len(self.agent.logged())

    def ping(self):
        outcome = self.controller.api.ping(HOST, self.guest.uuid)
        self.assertEqual('succeeded', outcome['state'])

    def logged(self):
        return self.agent.logged()[self.before :]

    def check_nothing_was_kept(self):
        """Messages are read in turn: what is answered now came later."""
        self.ping()
        self.assertTrue(self.agent.running)
        logged = self.logged()
        self.assertNotIn('Traceback', logged)
        self.assertNotIn(SECRET, logged)
        self.assertLess(max(map(len, logged.splitlines())), 2000)
        for file in self.agent.state_path.iterdir():
            self.assertNotIn(SECRET.encode(), file.read_bytes())

    def arguments(self, **more):
        return json.dumps(
            known_host.request(
                f'bad-{id(more)}', instance_uuid=self.guest.uuid, **more
            )
        )

    def huge(self):
        """Arguments of 100 MB, or that become much more."""
        word = f'"{SECRET}"'
        return {
            'a string': '{"path": "' + SECRET * (10 * MIB) + '"}',
            'a million items': f'{{"path": [{", ".join([word] * MIB)}]}}',
            'lists of nothing': '{"path": [' + '[],' * (33 * MIB) + '[]]}',
            'a million keys': '{'
            + ', '.join(f'"{SECRET}{each}": 1' for each in range(MIB))
            + '}',
            'deep': '{"path": ' + '[' * 100_000 + ']' * 100_000 + '}',
            'very deep': '{"path": ' + '[' * (50 * MIB) + ']' * (50 * MIB),
        }

    def status(self, field):
        with open(f'/proc/{self.agent.pid}/status') as file:
            [kib] = re.findall(rf'{field}:\s+(\d+) kB', file.read())
        return int(kib) * 1024

    def test_what_is_huge_takes_no_memory_and_holds_nobody_up(self):
        ended = threading.Event()
        pings = []

        def go_on():
            while not ended.is_set():
                pings.append(self.controller.api.ping(HOST, self.guest.uuid))

        beside = threading.Thread(target=go_on)
        beside.start()
        self.addCleanup(beside.join)
        self.addCleanup(ended.set)
        resident = self.status('VmRSS')
        with open(f'/proc/{self.agent.pid}/clear_refs', 'w') as file:
            file.write('5')  # VmHWM begins anew
        for number, (name, arguments) in enumerate(self.huge().items()):
            with self.subTest(name=name):
                self.raw.send(
                    self.raw.request('read_file', arguments, number % 2 == 0)
                )
                self.ping()
        ended.set()
        beside.join()
        self.assertEqual({'succeeded'}, {each['state'] for each in pings})
        self.assertLess(self.status('VmHWM') - resident, PEAK)
        self.assertLess(self.status('VmRSS') - resident, GROWTH)
        self.check_nothing_was_kept()

    def test_the_broker_takes_no_message_over_128_mib(self):
        client = self.useFixture(
            raw_messages.RawMessages(self.broker.url, HOST)
        )
        with self.assertRaisesRegex(Exception, 'PRECONDITION_FAILED'):
            client.send_bytes(b'x' * (128 * MIB + 1))
        self.check_nothing_was_kept()

    def test_what_is_large_and_can_be_read_is_refused_with_an_outcome(self):
        for name, value in {
            'text': SECRET * 500_000,
            'list': [SECRET] * 300_000,
            'keys': dict.fromkeys(map(str, range(300_000)), SECRET),
        }.items():
            with self.subTest(name=name):
                outcome = self.controller.call(
                    HOST,
                    'read_file',
                    **known_host.request(
                        f'large-{name}',
                        instance_uuid=self.guest.uuid,
                        path=value,
                    ),
                )
                self.assertEqual('invalid_request', outcome['error']['code'])
                self.assertNotIn(SECRET, json.dumps(outcome))
        self.check_nothing_was_kept()

    def test_what_is_packed_is_unpacked_as_far_as_it_is_allowed(self):
        for kind, pack in (
            ('application/x-gzip', zlib.compress),
            ('application/x-bz2', bz2.compress),
        ):
            request = self.raw.request('ping', self.arguments(), call=True)
            envelope = {'oslo.version': '2.0', 'oslo.message': request}
            for body in (
                b'[' * (32 * MIB),
                json.dumps({'a': SECRET * MIB}).encode(),
            ):
                self.raw.send_bytes(pack(body), headers={'compression': kind})
            self.raw.send_bytes(
                pack(json.dumps(envelope).encode()),
                headers={'compression': kind},
            )
            answer = self.raw.answer()
            self.assertEqual('succeeded', answer['result']['state'])
        for kind in ('application/x-lzma', 'zstd', 7, ['x']):
            self.raw.send_bytes(b'x', headers={'compression': kind})
        self.raw.send_bytes(b'x', headers={'compression': 'gzip'})
        self.check_nothing_was_kept()

    def test_a_codec_that_a_message_names_is_not_used(self):
        for codec in ('punycode', 'idna', 'zlib', 'bz2', 'nonsense'):
            for kind in ('application/json', 'text/plain', None):
                body = b'a-' + b'a' * (intake.MOST - 2)
                self.raw.send_bytes(
                    body, content_encoding=codec, content_type=kind
                )
        self.check_nothing_was_kept()

    def test_what_is_no_request_is_dropped(self):
        good = self.raw.request('ping', self.arguments(), call=True)
        envelope = {'oslo.version': '2.0', 'oslo.message': good}
        for body in (
            b'',
            b'\xff\xfe',
            SECRET.encode(),
            b'null',
            b'[' * 100_000,
            json.dumps([SECRET]).encode(),
            json.dumps({**envelope, SECRET: 1}).encode(),
            json.dumps({**envelope, 'oslo.version': SECRET}).encode(),
            json.dumps({**envelope, 'oslo.message': [SECRET]}).encode(),
            json.dumps({'__type__': SECRET, '__value__': SECRET}).encode(),
            json.dumps({'__type__': 'datetime', '__value__': SECRET}).encode(),
        ):
            self.raw.send_bytes(body)
        for kind in ('application/x-python-serialize', 'application/x-yaml'):
            self.raw.send_bytes(b'cos\nsystem\n', content_type=kind)
        for request in (
            self.raw.request([SECRET]),
            self.raw.request(7),
            self.raw.request(SECRET * 10_000),
            self.raw.request(f'{SECRET}\nINFO a line', call=True),
            self.raw.request('ping', f'["{SECRET}"]', call=True),
            self.raw.request('ping', 'null', call=True),
            self.raw.request('ping', version=SECRET, call=True),
            self.raw.request('ping', version=7, call=True),
            self.raw.request('ping', namespace=[SECRET], call=True),
            self.raw.request('ping', _timeout=SECRET, call=True),
            self.raw.request('ping', _timeout=[2], call=True),
            self.raw.request('ping', _timeout=1e300, call=True),
            self.raw.request('ping', _reply_q=[SECRET], call=True),
            self.raw.request('ping', _msg_id={SECRET: 1}, call=True),
            self.raw.request('ping', _unique_id=SECRET * 10_000),
            self.raw.request('ping', **{SECRET * 10_000: 1}),
            f'["{SECRET}"]',
            f'[["method", "{SECRET}"]]',
            '{"method": ' + '9' * 5000 + '}',
            SECRET,
        ):
            self.raw.send(request)
        self.check_nothing_was_kept()

    def test_contexts_of_any_type_are_nobodys(self):
        for value in (7, [SECRET], {SECRET: SECRET}, SECRET * 1000, None):
            more = {
                f'_context_{name}': value
                for name in ('user_id', 'project_id', 'roles', 'is_admin')
            }
            self.raw.send(
                self.raw.request('ping', self.arguments(), call=True, **more)
            )
            answer = self.raw.answer()
            self.assertEqual('denied', answer['result']['state'])
        self.check_nothing_was_kept()
