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

"""Tests of what is dropped before it is decoded."""

import json
import unittest
import zlib

import fixtures
import hypothesis
from hypothesis import strategies

from nova_qga.rpc import intake
from nova_qga.tests.unit.rpc import test_validation


class Message:
    """A message as py-amqp hands it on, and the channel that it came by."""

    delivery_tag = 7

    def __init__(self, body, **properties):
        self.body = body
        self.properties = {'content_type': 'application/json', **properties}
        self.channel = self
        self.rejected = []

    def basic_reject(self, tag, requeue):
        self.rejected.append((tag, requeue))


class Consumer:
    """One of oslo.messaging's, and all that leads to it."""

    def __init__(self):
        self._poll_style_listener = self.conn = self.channel = self
        self._consumers = {self: 1}
        self.taken = []
        self.auto_decode = True

    def consume(self, connection, tag):
        self.consumed = connection.auto_decode, tag

    def _callback(self, message):
        self.taken.append(message.body)


def envelope(**more):
    request = {'method': 'ping', 'version': '1.0', 'args': {}, **more}
    return json.dumps(
        {'oslo.version': '2.0', 'oslo.message': json.dumps(request)}
    ).encode()


class IntakeTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.logger = self.useFixture(fixtures.FakeLogger())
        self.consumer = Consumer()
        self.stopping = False
        intake.guard(self.consumer, lambda: self.stopping)

    def test_at_a_stop_a_request_is_left_with_the_broker(self):
        self.stopping = True
        message = Message(envelope())
        self.consumer._callback(message)
        self.assertEqual([], self.consumer.taken)
        self.assertEqual([], message.rejected)

    def give(self, body, **properties):
        """Give it a message; what is handed on, or None."""
        message = Message(body, **properties)
        self.consumer.taken.clear()
        self.consumer._callback(message)
        if message.rejected:
            self.assertEqual([(7, False)], message.rejected)
            self.assertEqual([], self.consumer.taken)
            return None
        [taken] = self.consumer.taken
        return taken

    def test_a_request_is_handed_on(self):
        body = envelope(_msg_id='1', _reply_q='reply_1', _timeout=30)
        self.assertEqual(body, self.give(body))
        self.assertEqual('', self.logger.output)

    def test_a_channel_does_not_decode_by_itself(self):
        self.consumer.consume(self.consumer, 3)
        self.assertEqual((False, 3), self.consumer.consumed)

    def test_a_compressed_request_is_handed_on_unpacked(self):
        body = envelope()
        headers = {'compression': 'application/x-gzip'}
        taken = self.give(zlib.compress(body), application_headers=headers)
        self.assertEqual(body, taken)
        self.assertEqual({}, headers)

    def test_no_other_codec_is_left_to_be_used(self):
        message = Message(envelope(), content_encoding='punycode')
        self.consumer._callback(message)
        self.assertEqual('utf-8', message.properties['content_encoding'])

    def test_the_largest_message_is_taken_and_no_larger_one(self):
        body = envelope(args={'path': ''})
        filled = body.replace(
            b'\\"\\"', b'\\"' + b'x' * (intake.MOST - len(body)) + b'\\"'
        )
        self.assertEqual(intake.MOST, len(filled))
        self.assertEqual(filled, self.give(filled))
        self.assertIsNone(self.give(filled + b' '))
        packed = {'compression': 'application/x-gzip'}
        self.assertIsNone(
            self.give(zlib.compress(filled + b' '), application_headers=packed)
        )

    def test_what_no_dispatcher_could_take_is_dropped_and_not_logged(self):
        for more in (
            {'method': None},
            {'method': ['S3cr3t']},
            {'method': 'S3cr3t word'},
            {'args': ['S3cr3t']},
            {'args': None},
            {'version': 'S3cr3t'},
            {'version': 1},
            {'namespace': 'S3cr3t'},
            {'_timeout': 'S3cr3t'},
            {'_timeout': True},
            {'_timeout': -1},
            {'_timeout': 1e9},
            {'_reply_q': ['S3cr3t']},
            {'_msg_id': {'S3cr3t': 1}},
            {'_unique_id': 'S3cr3t' * 100},
            {'S3cr3t' * 100: 1},
        ):
            with self.subTest(more=more):
                self.assertIsNone(self.give(envelope(**more)))
        self.assertNotIn('S3cr3t', self.logger.output)

    @hypothesis.given(
        strategies.binary(max_size=40)
        | strategies.recursive(
            test_validation.JSON,
            lambda inner: strategies.dictionaries(
                strategies.sampled_from(
                    ('oslo.version', 'oslo.message', '__type__')
                ),
                inner,
            ),
            max_leaves=3,
        ).map(lambda value: json.dumps(value).encode()),
        strategies.dictionaries(
            strategies.sampled_from(
                ('content_type', 'content_encoding', 'application_headers')
            ),
            strategies.text(max_size=9)
            | strategies.dictionaries(
                strategies.just('compression'), test_validation.JSON
            ),
        ),
    )
    def test_whatever_comes_is_dropped(self, body, properties):
        headers = properties.get('application_headers')
        if not isinstance(headers, dict):
            # AMQP has no other type for them.
            properties['application_headers'] = {}
        self.assertIsNone(self.give(body, **properties))


class OtherDriverTest(unittest.TestCase):
    def test_a_driver_that_is_not_rabbitmqs_is_left_alone(self):
        listener = Consumer()
        del listener.conn
        intake.guard(listener, lambda: False)
        self.assertEqual(listener._callback, listener._callback)
        listener.consume(listener, 1)
        self.assertEqual((True, 1), listener.consumed)
