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

"""The real nova-qga-agent: how it starts, reloads, reports and stops."""

import os
import signal
import subprocess
import unittest

import fixtures
import kombu

from nova_qga import errors
from nova_qga.rpc import caller
from nova_qga.rpc import target
from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import controller
from nova_qga.tests.fixtures import hostile_guest
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import rabbitmq
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import simulated_host

HOST = 'compute-1'

OFTEN = """
    [qga_monitor]
    interval = 1
    collectors = uptime
"""

#: What an agent must have for a file to be written.
WRITING = (
    'guest-info',
    'guest-file-open',
    'guest-file-write',
    'guest-file-flush',
    'guest-file-close',
)


def hang_at_open(peer):
    """Be an agent that hangs when it is to open a file."""
    for request in peer.requests():
        if request['execute'] == 'guest-file-open':
            peer.stay()
        peer.answer(request)


class ProgramTest(fixtures.TestWithFixtures, unittest.TestCase):
    """A guest with a real agent, and a program to serve it."""

    def setUp(self):
        super().setUp()
        self.broker = shared.broker()
        self.qga = self.useFixture(qemu_ga.QemuGa())
        self.guest = simulated_host.Simulated(
            'instance-00000001', self.qga.socket
        )
        self.libvirt = self.useFixture(
            simulated_host.SimulatedHost(self.guest)
        )

    def run_program(self, options='', **more):
        return self.useFixture(
            agent_program.AgentProgram(
                more.pop('uri', self.libvirt.uri),
                more.pop('transport_url', self.broker.url),
                options,
                **more,
            )
        )

    def controller(self, url=None):
        return self.useFixture(controller.Controller(url or self.broker.url))

    def listener(self):
        return self.useFixture(notifications.Listener(self.broker.url))

    def ping(self, client):
        return client.api.ping(HOST, self.guest.uuid)['state']


class LifeTest(ProgramTest):
    def test_it_says_that_it_is_ready_and_that_it_stops(self):
        program = self.run_program()
        self.assertEqual('succeeded', self.ping(self.controller()))
        status, _ = program.stop()
        self.assertEqual(0, status)
        program.hear()
        self.assertEqual(['READY=1', 'STOPPING=1'], program.told)
        self.assertIn('nova-qga-agent stopped', program.logged())
        self.assertNotIn('Traceback', program.logged())

    def test_it_stops_at_an_interrupt_too(self):
        program = self.run_program()
        program.signal(signal.SIGINT)
        self.assertEqual(0, program.wait())


class CutOffTest(fixtures.TestWithFixtures, unittest.TestCase):
    """A change whose answer never comes, and a program that ends meanwhile."""

    def setUp(self):
        super().setUp()
        broker = shared.broker()
        self.fake = self.useFixture(hostile_guest.HostileGuest(hang_at_open))
        self.fake.replies['guest-info'] = {
            'version': '7.2.22',
            'supported_commands': [
                {'name': name, 'enabled': True, 'success-response': True}
                for name in WRITING
            ],
        }
        self.guest = simulated_host.Simulated(
            'instance-00000001', self.fake.path
        )
        host = self.useFixture(simulated_host.SimulatedHost(self.guest))
        self.listener = self.useFixture(notifications.Listener(broker.url))
        self.client = self.useFixture(controller.Controller(broker.url))
        self.program = self.useFixture(
            agent_program.AgentProgram(
                host.uri, broker.url, '[qga_monitor]\ncollectors =\n'
            )
        )
        self.request = known_host.request(
            f'cut-off-{os.urandom(4).hex()}',
            instance_uuid=self.guest.uuid,
            path='/root/file',
            content='YWJj',
        )
        self.client.cast(HOST, 'write_file', **self.request)
        reached = process.wait_until(
            lambda: 'guest-file-open' in self.fake.names(), 30
        )
        self.assertTrue(reached)

    def check_it_is_unknown(self):
        payload = self.listener.next(
            'instance.guest.write_file.error',
            request_id=self.request['request_id'],
        )
        self.assertEqual('unknown', payload['state'])
        self.assertEqual('outcome_unknown', payload['error']['code'])
        self.assertEqual(self.guest.uuid, payload['instance_id'])
        self.assertEqual(self.guest.owner.project_uuid, payload['tenant_id'])
        asked = len(self.fake.names())
        again = self.client.call(HOST, 'write_file', **self.request)
        self.assertEqual('unknown', again['state'])
        self.assertEqual(asked, len(self.fake.names()))

    def test_it_stops_by_itself_and_tells_what_it_cut_off(self):
        status, _ = self.program.stop()
        self.assertEqual(0, status)
        self.program.start()
        self.check_it_is_unknown()

    def test_what_ran_when_it_was_killed_is_told_at_its_next_start(self):
        self.program.kill()
        self.program.start()
        self.check_it_is_unknown()


class ReloadTest(ProgramTest):
    def test_the_period_and_the_collectors_change_and_requests_go_on(self):
        listener = self.listener()
        program = self.run_program(
            """
            [qga_monitor]
            interval = 86400
            collectors = memory
            """
        )
        client = self.controller()
        self.assertEqual('succeeded', self.ping(client))
        program.reload(OFTEN)
        payload = listener.next(
            'instance.guest.metrics', instance_id=self.guest.uuid
        )
        self.assertIn(
            'guest.uptime', {each['name'] for each in payload['samples']}
        )
        self.assertNotIn(
            'guest.memory.total', {each['name'] for each in payload['samples']}
        )
        self.assertEqual('succeeded', self.ping(client))
        served = program.logged().count(f'requests for {HOST} are served')
        self.assertEqual(1, served, 'the connection is the same')

    def test_publishers_can_be_left_out_and_come_back(self):
        listener = self.listener()
        program = self.run_program('[qga_monitor]\npublishers =\n')
        program.reload(OFTEN)
        listener.next('instance.guest.metrics', instance_id=self.guest.uuid)

    def test_what_is_wrong_leaves_all_as_it_was_and_says_so(self):
        listener = self.listener()
        program = self.run_program(OFTEN)
        for options, complaint in (
            ('[qga_monitor]\ncollectors = gpu\n', 'collectors names gpu'),
            ('[qga_monitor]\ninterval = soon\n', 'interval'),
            ('[qga_monitor]\npublishers = x\n', 'publishers names x'),
            ('nonsense\n', 'nova-qga.conf'),
        ):
            with self.subTest(options=options):
                known = len(program.logged())
                program.reload(options)
                found = process.wait_until(
                    lambda: 'stays as it was' in program.logged()[known:], 30
                )
                self.assertTrue(found, program.logged()[known:])
                self.assertIn(complaint, program.logged()[known:])
        payload = listener.next(
            'instance.guest.metrics', instance_id=self.guest.uuid
        )
        self.assertIn(
            'guest.uptime', {each['name'] for each in payload['samples']}
        )
        self.assertEqual('succeeded', self.ping(self.controller()))


class ReportTest(ProgramTest):
    def test_a_report_says_what_the_threads_do_and_no_secret(self):
        url = f'rabbit://nova:S3cretBroker@127.0.0.1:{rabbitmq.free_port()}/'
        program = self.run_program(transport_url=url)
        program.signal(signal.SIGUSR2)
        # The last section is the configuration, its last group this one.
        program.wait_until_logged('oslo_reports:')
        log = program.logged()
        self.assertIn('Guru Meditation', log)
        self.assertIn('OpenStack nova-qga', log)
        self.assertIn('libvirt_uri', log)
        self.assertNotIn('S3cretBroker', log)
        status, _ = program.stop()
        self.assertEqual(0, status, 'it goes on after a report')


class MissingPartsTest(ProgramTest):
    def test_a_broker_that_comes_later_is_found(self):
        broker = self.useFixture(rabbitmq.RabbitMQ())
        broker.stop()
        url = broker.url
        program = self.run_program(transport_url=url)
        self.assertIn('message broker does not answer yet', program.logged())
        with self.assertRaises(errors.ServiceUnavailable) as caught:
            self.ping(self.controller(url))
        self.assertNotIsInstance(caught.exception, caller.NoAnswer)
        broker.start()
        program.wait_until_logged(f'requests for {HOST} are served')
        self.assertEqual('succeeded', self.ping(self.controller(url)))

    def test_it_stops_while_it_waits_for_the_broker(self):
        url = f'rabbit://guest:guest@127.0.0.1:{rabbitmq.free_port()}/'
        program = self.run_program(transport_url=url, ready=False)
        program.wait_until_logged('started')
        status, _ = program.stop()
        self.assertEqual(0, status)

    def test_without_libvirtd_it_serves_and_says_what_is_missing(self):
        program = self.run_program(
            uri='qemu+unix:///system?socket=/nobody/listens/here'
        )
        self.assertIn('libvirt at qemu+unix', program.logged())
        client = self.controller()
        for outcome in (
            client.api.list_guests(HOST),
            client.api.ping(HOST, self.guest.uuid),
        ):
            self.assertEqual('service_unavailable', outcome['error']['code'])
            self.assertIn('start libvirtd', outcome['error']['message'])
        status, _ = program.stop()
        self.assertEqual(0, status)


class NeverServedTest(ProgramTest):
    def test_it_ends_where_the_broker_refuses_what_it_declares(self):
        name = f'refused-{os.urandom(4).hex()}'
        with kombu.Connection(self.amqp()) as connection:
            queue = kombu.Queue(
                f'{target.TOPIC}.{name}',
                durable=True,
                max_length=1,
                channel=connection.channel(),
            )
            queue.declare()
            self.addCleanup(self.delete, queue.name)
        program = self.run_program(host=name, ready=False)
        self.assertEqual(1, program.wait())
        self.assertIn('requests cannot be served', program.logged())
        self.assertIn('PRECONDITION_FAILED', program.logged())
        program.hear()
        self.assertNotIn('READY=1', program.told)

    def amqp(self):
        return self.broker.url.replace('rabbit://', 'amqp://', 1)

    def delete(self, name):
        with kombu.Connection(self.amqp()) as connection:
            kombu.Queue(name, channel=connection.channel()).delete()


class RefusedStartTest(ProgramTest):
    def refuse(self, options, *words):
        program = self.run_program(options, ready=False)
        self.assertEqual(1, program.wait())
        for word in words:
            self.assertIn(word, program.logged())
        self.assertNotIn('Traceback', program.logged())
        return program

    def test_an_unknown_collector(self):
        self.refuse(
            '[qga_monitor]\ncollectors = cpu, gpu\n',
            'nova-qga-agent does not start',
            '[qga_monitor]collectors names gpu',
            'there are cpu, disks',
        )

    def test_an_unknown_publisher(self):
        self.refuse(
            '[qga_monitor]\npublishers = carbon\n',
            '[qga_monitor]publishers names carbon',
        )

    def test_values_that_cannot_work(self):
        self.refuse('[qga_monitor]\ninterval = 0\n', 'interval')
        self.refuse('[qga]\ndirect_channel = org.qemu.guest_agent.0\n', '.0')

    def test_a_broker_whose_address_cannot_be(self):
        for url in (
            'pigeon://u:S3cretBroker@host/',
            'rabbit://u:S3cretBroker@host:port/',
        ):
            with self.subTest(url=url):
                program = self.run_program(transport_url=url, ready=False)
                self.assertEqual(1, program.wait())
                self.assertIn('[DEFAULT]transport_url', program.logged())
                self.assertNotIn('S3cretBroker', program.logged())
                self.assertNotIn('Traceback', program.logged())

    def test_the_state_of_another_agent_that_runs(self):
        first = self.run_program()
        self.refuse(
            f'[qga_agent]\nstate_path = {first.state_path}\n',
            'another nova-qga-agent uses',
        )

    def test_a_configuration_file_that_is_not_there(self):
        done = subprocess.run(
            [agent_program.PROGRAM, '--config-file=/not/there.conf'],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        self.assertEqual(1, done.returncode)
        self.assertIn('/not/there.conf', done.stderr)
        self.assertNotIn('Traceback', done.stderr)

    def test_where_the_log_is_a_file_the_reason_is_on_standard_error_too(self):
        folder = self.useFixture(process.ShortFolder()).path
        program = self.refuse(
            f'[DEFAULT]\nlog_file = {folder}/agent.log\n'
            '[qga_monitor]\ncollectors = gpu\n',
            'does not start',
        )
        self.assertIn('gpu', (folder / 'agent.log').read_text())
        self.assertIn('gpu', program.logged())
