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

"""Tests of loading plugins by the names that an operator gives."""

import os
import pathlib
import unittest

import fixtures

from nova_qga.agent import plugins
from nova_qga import errors
from nova_qga.publishers import base
from nova_qga.publishers import notification
from nova_qga.tests.fixtures import publisher_context

CONTEXT = publisher_context.of(notification.GROUP)


class LoadTest(fixtures.TestWithFixtures, unittest.TestCase):
    def test_publishers_are_made_with_what_they_need(self):
        loaded = plugins.load_publishers(['notification'], CONTEXT, {})
        self.assertEqual(['notification'], list(loaded))
        self.assertIsInstance(
            loaded['notification'], notification.NotificationPublisher
        )
        self.assertIs(CONTEXT, loaded['notification'].context)

    def test_collectors_come_in_the_order_of_the_option_and_once(self):
        loaded = plugins.load_collectors(['uptime', 'cpu', 'uptime'])
        self.assertEqual(['uptime', 'cpu'], list(loaded))

    def test_none_may_be_wanted(self):
        self.assertEqual({}, plugins.load_collectors([]))
        self.assertEqual({}, plugins.load_publishers([], CONTEXT, {}))

    def test_an_unknown_name_is_said_with_those_that_there_are(self):
        with self.assertRaises(errors.ConfigurationError) as caught:
            plugins.load_collectors(['cpu', 'gpu'])
        message = str(caught.exception)
        self.assertIn('[qga_monitor]collectors names gpu', message)
        self.assertIn('cpu, disks, filesystems', message)
        with self.assertRaisesRegex(
            errors.ConfigurationError, r'publishers names x.*notification'
        ):
            plugins.load_publishers(['x'], CONTEXT, {})

    def test_where_nothing_has_changed_for_it_a_publisher_is_used_on(self):
        known = self.load(CONTEXT, {})
        again = self.load(publisher_context.of('qga_jsonl', path='/x'), known)
        self.assertIs(known['notification'], again['notification'])
        other = publisher_context.of(notification.GROUP, batch_size=9)
        renewed = self.load(other, known)
        self.assertIsNot(known['notification'], renewed['notification'])
        self.assertEqual(9, renewed['notification'].batch_size)

    def test_one_that_cannot_be_made_anew_stays_as_it_was(self):
        [known] = self.load(CONTEXT, {}).values()
        bare = base.Context('compute-1', None)
        with self.assertRaisesRegex(
            errors.ConfigurationError, 'notification of .* made anew'
        ):
            self.load(bare, {'notification': known})
        self.assertTrue(known.is_current(CONTEXT))

    def test_where_one_fails_those_that_were_made_before_are_closed(self):
        folder = os.path.realpath(self.useFixture(fixtures.TempDir()).path)
        path = os.path.join(folder, 'samples')
        context = publisher_context.of('qga_jsonl', path=path)
        # An address that no host has.
        context.options['qga_prometheus']['listen_address'] = '192.0.2.1'
        with self.assertRaisesRegex(errors.ConfigurationError, 'listen'):
            plugins.load_publishers(['jsonl', 'prometheus'], context, {})
        self.assertTrue(os.path.exists(path))
        opened = pathlib.Path('/proc/self/fd').iterdir()
        self.assertNotIn(path, [os.path.realpath(each) for each in opened])

    def load(self, context, known):
        return plugins.load_publishers(['notification'], context, known)

    def test_one_that_does_not_load_is_said_with_the_reason(self):
        with self.assertRaisesRegex(
            errors.ConfigurationError, 'notification of .* does not load'
        ):
            plugins._load(
                plugins.PUBLISHERS, '[qga_monitor]publishers', ['notification']
            )
