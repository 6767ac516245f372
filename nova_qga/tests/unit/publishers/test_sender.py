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

"""Tests of the thread that sends the outbox."""

import threading
import unittest

import fixtures
import oslo_messaging as messaging

from nova_qga import errors
from nova_qga.journal import database
from nova_qga.journal import outbox
from nova_qga.publishers import sender
from nova_qga.tests.fixtures import notifications


def event(number):
    return outbox.Event('info', 'instance.guest.ping.end', {'n': number})


class Broker:
    """Takes notifications, except while it is away."""

    def __init__(self):
        self.away = False
        self.refused = threading.Event()
        self.taken = []

    def send(self, sent):
        if self.away:
            self.refused.set()
            raise errors.ServiceUnavailable('the broker is away')
        self.taken.append(sent.payload['n'])


class SenderTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_qga.publishers.sender.FIRST_PAUSE', 0.05
            )
        )
        opened = database.Database(None)
        self.addCleanup(opened.close)
        self.outbox = outbox.Outbox(opened)
        self.broker = Broker()

    def start(self, **more):
        started = sender.Sender(self.outbox, self.broker.send, **more)
        started.start()
        self.addCleanup(started.stop, 10)
        return started

    def wait_until_refused(self):
        """Return when the first refusal was dealt with."""
        for _ in range(2):
            self.broker.refused.clear()
            self.assertTrue(self.broker.refused.wait(30))

    def wait_until_empty(self):
        done = threading.Event()
        for _ in range(3000):
            if not len(self.outbox):
                return
            done.wait(0.01)
        self.fail('the outbox was not sent')

    def test_what_an_earlier_agent_left_is_sent_at_the_start(self):
        self.outbox.add(event(1))
        self.start()
        self.wait_until_empty()
        self.assertEqual([1], self.broker.taken)

    def test_a_stop_sends_what_waits_in_its_order(self):
        started = self.start()
        for number in range(250):
            self.outbox.add(event(number))
            started.wake()
        started.stop(30)
        self.assertEqual(list(range(250)), self.broker.taken)
        self.assertEqual(0, len(self.outbox))

    def test_while_the_broker_is_away_all_is_kept_and_sent_later(self):
        self.broker.away = True
        with self.assertLogs(sender.__name__, 'WARNING') as logged:
            started = self.start()
            for number in range(3):
                self.outbox.add(event(number))
                started.wake()
            self.wait_until_refused()
        self.assertIn('are sent when', logged.output[0])
        self.assertEqual(3, len(self.outbox))
        self.broker.away = False
        self.wait_until_empty()
        self.assertEqual([0, 1, 2], self.broker.taken)

    def test_a_stop_while_it_is_away_leaves_all_on_disk(self):
        self.broker.away = True
        self.outbox.add(event(1))
        with self.assertLogs(sender.__name__, 'WARNING'):
            started = self.start()
            self.wait_until_refused()
            started.stop(30)
        self.assertFalse(started._thread.is_alive())
        self.assertEqual(1, len(self.outbox))

    def test_upkeep_is_done_also_where_nothing_is_sent(self):
        kept_up = threading.Event()
        self.start(upkeep=kept_up.set)
        self.assertTrue(kept_up.wait(30))

    def test_a_fault_does_not_end_the_thread(self):
        class Odd(Exception):
            pass

        def upkeep():
            failed.set()
            raise Odd

        failed = threading.Event()
        with self.assertLogs(sender.__name__, 'ERROR'):
            started = self.start(upkeep=upkeep)
            self.assertTrue(failed.wait(30))
            started.stop(30)


class NotifierTest(fixtures.TestWithFixtures, unittest.TestCase):
    """Through oslo.messaging, whose drivers keep failures to themselves."""

    def notifier(self, url):
        conf = self.useFixture(notifications.Messaging(url)).conf
        conf.set_override(
            'driver', ['messagingv2'], 'oslo_messaging_notifications'
        )
        transport = messaging.get_notification_transport(conf)
        self.addCleanup(transport.cleanup)
        return sender.Notifier(transport, 'nova-qga:compute-1', 0)

    def test_what_the_broker_takes_is_sent(self):
        self.notifier('fake://').send(event(1))

    def test_what_it_does_not_take_is_said_and_not_logged(self):
        logged = self.useFixture(fixtures.FakeLogger())
        notifier = self.notifier('rabbit://guest:s3cret@127.0.0.1:1/')
        secret = event('a-payload')
        with self.assertRaisesRegex(errors.ServiceUnavailable, 'broker'):
            notifier.send(secret)
        self.assertNotIn('a-payload', logged.output)
