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

"""What is refused, content and what programs are given leave no trace.

Over a real broker in a real guest, with everything logged that can be. What
passwords leave behind is in ``test_secret_traces.py``.
"""

import base64
import os
import pathlib
import signal
import unittest

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import controller
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import shared

HOST = 'compute-vm'

POLICY = """
"qga:execute": "rule:qga:admin"
"qga:run_command": "rule:qga:admin"
"""
EVERYTHING = """
    [qga_operations]
    policy_file = {policy}
    allowed_commands = guest-get-time
    [DEFAULT]
    debug = true
    default_log_levels = oslo.messaging=TRACE, oslo_messaging=TRACE, \
amqp=TRACE, kombu=TRACE, nova_qga=TRACE, oslo_service=TRACE, stevedore=TRACE
"""


def other_id():
    return f'refused-{os.urandom(4).hex()}'


class SecretsTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        broker = shared.broker()
        self.vm = shared.guest()
        self.listener = self.useFixture(notifications.Listener(broker.url))
        policy = pathlib.Path(self.useFixture(fixtures.TempDir()).path, 'p')
        policy.write_text(POLICY)
        self.program = self.useFixture(
            agent_program.AgentProgram(
                self.vm.host.uri,
                broker.url,
                EVERYTHING.format(policy=policy),
                host=HOST,
            )
        )
        self.client = self.useFixture(controller.Controller(broker.url))
        self.api = self.client.api
        self.notified = []

    def succeed(self, outcome):
        self.assertEqual(
            ('succeeded', None), (outcome['state'], outcome['error'])
        )
        self.notified.append(
            self.listener.next(
                f'instance.guest.{outcome["operation"]}.end',
                request_id=outcome['request_id'],
            )
        )

    def kept_on_the_host(self):
        """All that the agent has written: log, report and journal."""
        self.program.signal(signal.SIGUSR2)
        self.program.wait_until_logged('oslo_reports:')
        self.program.stop()
        log = self.program.logged()
        self.assertIn('DEBUG oslo_messaging', log, 'it logs everything')
        journal = b''.join(
            file.read_bytes() for file in self.program.state_path.iterdir()
        )
        self.assertIn(b'set_password', journal)
        return log.encode() + journal + repr(self.notified).encode()

    def test_a_password_that_is_refused_is_in_no_log_report_or_journal(self):
        clear = f'Hunter2-{os.urandom(6).hex()}'
        request = known_host.request(
            other_id(),
            instance_uuid=self.vm.uuid,
            username='root',
            crypted=clear,
        )
        outcome = self.client.call(HOST, 'set_password', **request)
        self.assertEqual('failed', outcome['state'])
        self.assertEqual('invalid_request', outcome['error']['code'])
        malformed = self.client.call(
            HOST,
            'set_password',
            **{**request, 'request_id': other_id(), 'username': 7},
        )
        self.assertEqual('invalid_request', malformed['error']['code'])
        unknown = self.client.call(
            HOST,
            'set_password',
            **{**request, 'request_id': other_id(), 'secret': clear},
        )
        self.assertEqual('invalid_request', unknown['error']['code'])
        self.notified += [outcome, malformed, unknown]
        kept = self.kept_on_the_host()
        self.assertEqual(0, kept.count(clear.encode()))
        self.assertEqual(0, kept.count(base64.b64encode(clear.encode())))

    def test_content_that_is_written_and_read_is_in_none_either(self):
        content = f'Private-{os.urandom(12).hex()}'.encode()
        path = '/root/private'
        self.succeed(
            self.api.write_file(HOST, self.vm.uuid, path, content, verify=True)
        )
        read = self.api.read_file(HOST, self.vm.uuid, path, length=1000)
        encoded = base64.b64encode(content)
        self.assertEqual(encoded.decode(), read['result']['content'])
        self.succeed(
            self.api.set_password(HOST, self.vm.uuid, 'root', 'irrelevant')
        )
        kept = self.kept_on_the_host()
        self.assertEqual(0, kept.count(content))
        self.assertEqual(0, kept.count(encoded))

    def test_what_programs_and_commands_are_given_is_in_none_either(self):
        secret = f'Private-{os.urandom(12).hex()}'
        encoded = base64.b64encode(secret.encode()).decode()
        self.succeed(
            self.api.change(
                HOST,
                'execute',
                self.vm.uuid,
                command=['/bin/sh', '-c', 'cat; echo "$A"', secret],
                env=[f'A={secret}'],
                input=encoded,
            )
        )
        refused = self.api.change(
            HOST,
            'run_command',
            self.vm.uuid,
            command='guest-get-time',
            arguments={'secret': secret},
        )
        self.assertEqual('command_failed', refused['error']['code'])
        self.notified.append(refused)
        self.succeed(
            self.api.set_password(HOST, self.vm.uuid, 'root', 'irrelevant')
        )
        kept = self.kept_on_the_host()
        self.assertEqual(0, kept.count(secret.encode()))
        self.assertEqual(0, kept.count(encoded.encode()))
