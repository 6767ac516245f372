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

"""Tests of running requests, each at most once."""

import pathlib
import queue
import threading
import unittest

import fixtures

from nova_qga import errors
from nova_qga.journal import database
from nova_qga.journal import outbox
from nova_qga.journal import requests
from nova_qga.rpc import looks
from nova_qga.rpc import outcome
from nova_qga.rpc import runner
from nova_qga.rpc import server
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import scripted_guest

HASH = '$6$rounds=5000$salt$' + 'x' * 86
PASSWORD = {'username': 'root', 'crypted': HASH}


class RunTest(unittest.TestCase):
    def setUp(self):
        self.host = known_host.KnownHost()

    def test_an_operation_ends_in_an_outcome_and_one_notification(self):
        ended = self.host.run('set_password', **PASSWORD)
        self.assertEqual(
            outcome.Outcome(
                'r1',
                'set_password',
                known_host.UUID,
                'compute-1',
                'succeeded',
                'direct',
                {},
                None,
            ),
            ended,
        )
        self.assertEqual(['guest-set-user-password'], self.host.agent_of.names)
        [event] = self.host.told
        self.assertEqual('instance.guest.set_password.end', event.event_type)
        self.assertEqual('web', event.payload['display_name'])
        self.assertEqual('project-1', event.payload['tenant_id'])

    def test_reading_operations_return_what_they_read(self):
        read = self.host.run('read_file', path='/etc/motd', length=100)
        self.assertEqual({'content': 'YWJj', 'eof': True}, read.result)
        keys = self.host.run('list_ssh_keys', request_id='r2', username='root')
        self.assertEqual({'keys': [], 'owned': []}, keys.result)
        info = self.host.run('get_info', request_id='r3')
        self.assertEqual('web', info.result['host_name'])
        pinged = self.host.run('ping', request_id='r4')
        self.assertEqual({'seconds': 0.25}, pinged.result)

    def test_writing_says_how_much(self):
        ended = self.host.run('write_file', path='/tmp/x', content='YWJj')
        self.assertEqual(3, ended.result['bytes_written'])

    def test_an_error_is_in_the_outcome_and_in_the_notification(self):
        self.host.failure = known_host.unavailable()
        ended = self.host.run('ping')
        self.assertEqual('failed', ended.state)
        self.assertIsNone(ended.channel)
        self.assertIsNone(ended.result)
        self.assertEqual(
            {
                'code': 'guest_unavailable',
                'reason': 'shutoff',
                'message': 'the guest is off: start it',
            },
            ended.error,
        )
        [event] = self.host.told
        self.assertEqual('instance.guest.ping.error', event.event_type)
        self.assertEqual(ended.error, event.payload['error'])

    def test_an_answer_that_never_came_is_unknown(self):
        self.host.answer_with(
            'guest-set-user-password', errors.OutcomeUnknown('no answer')
        )
        ended = self.host.run('set_password', **PASSWORD)
        self.assertEqual('unknown', ended.state)
        self.assertEqual('direct', ended.channel)

    def test_a_file_that_stops_in_the_middle_says_how_far_it_came(self):
        self.host.answer_with(
            'guest-file-write',
            scripted_guest.in_turn(
                {'count': 2, 'eof': False},
                scripted_guest.refusal('No space left on device'),
            ),
        )
        ended = self.host.run('write_file', path='/tmp/x', content='YWJj')
        self.assertEqual('operation_failed', ended.error['code'])
        self.assertEqual(2, ended.error['done'])

    def test_a_guest_that_is_not_here_has_no_owner(self):
        other = '00000000-0000-4000-8000-000000000000'
        ended = self.host.run('ping', instance_uuid=other)
        self.assertEqual('guest_not_found', ended.error['code'])
        [event] = self.host.told
        self.assertEqual('', event.payload['tenant_id'])

    def test_a_request_gets_no_more_time_than_it_has_left(self):
        self.host.run('ping', seconds=5)
        self.host.run('ping', seconds=5000)
        short, long = self.host.reached
        self.assertLessEqual(short, 5)
        self.assertAlmostEqual(30.0, long, delta=5)

    def test_a_request_that_came_too_late_is_not_run(self):
        ended = self.host.run('set_password', seconds=-1, **PASSWORD)
        self.assertEqual('expired', ended.state)
        self.assertIn('clocks', ended.error['message'])
        self.assertEqual([], self.host.reached)
        self.assertEqual(1, len(self.host.told))

    def test_a_file_larger_than_allowed_is_not_read_to_its_end(self):
        self.host.answer_with(
            'guest-file-read',
            {'count': 3, 'buf-b64': 'YWJj', 'eof': False},
        )
        ended = self.host.run(
            'read_file', path='/x', offset=known_host.MAX_FILE_SIZE - 2
        )
        self.assertEqual('invalid_request', ended.error['code'])
        self.assertIn('max_file_size', ended.error['message'])


class FaultTest(unittest.TestCase):
    """What nobody foresaw, with a secret in its text."""

    def setUp(self):
        self.host = known_host.KnownHost()
        self.fault = RuntimeError(f'cannot send {HASH}')

    def run_it(self, operation, **arguments):
        with self.assertLogs('nova_qga.rpc.fault', 'ERROR') as logged:
            ended = self.host.run(operation, **arguments)
        self.assertIn('performer.py', logged.output[0])
        self.assertNotIn(HASH, logged.output[0])
        self.assertNotIn(HASH, repr(ended) + repr(self.host.told))
        self.assertEqual('internal', ended.error['code'])
        self.assertIn('RuntimeError', ended.error['message'])
        return ended

    def test_before_anything_was_sent_it_is_a_failure(self):
        self.host.failure = self.fault
        ended = self.run_it('set_password', **PASSWORD)
        self.assertEqual('failed', ended.state)

    def test_after_that_a_change_is_unknown(self):
        self.host.answer_with('guest-set-user-password', self.fault)
        ended = self.run_it('set_password', **PASSWORD)
        self.assertEqual('unknown', ended.state)

    def test_and_a_reading_is_a_failure(self):
        self.host.answer_with('guest-ssh-get-authorized-keys', self.fault)
        ended = self.run_it('list_ssh_keys', username='root')
        self.assertEqual('failed', ended.state)


class RepeatedTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.host = self.start()

    def start(self):
        """A host's agent, with the journal that the last one left."""
        self.journal = database.Database(self.folder)
        self.addCleanup(self.journal.close)
        return known_host.KnownHost(self.journal)

    def test_it_is_not_run_again_and_not_told_again(self):
        first = self.host.run('set_password', **PASSWORD)
        again = self.host.run('set_password', **PASSWORD)
        self.assertEqual(first, again)
        self.assertEqual(1, len(self.host.agent_of.executed))
        self.assertEqual(1, len(self.host.told))

    def test_an_error_is_told_again_as_it_was(self):
        self.host.answer_with(
            'guest-set-user-password', scripted_guest.refusal('no such user')
        )
        first = self.host.run('set_password', **PASSWORD)
        self.assertEqual(first, self.host.run('set_password', **PASSWORD))

    def test_also_after_a_restart_and_after_its_expiry(self):
        first = self.host.run('write_file', path='/x', content='YWJj')
        self.journal.close()
        host = self.start()
        again = host.run('write_file', seconds=-1, path='/x', content='YWJj')
        self.assertEqual('succeeded', again.state)
        self.assertEqual({'bytes_written': 3}, again.result)
        self.assertEqual(first.channel, again.channel)
        self.assertEqual([], host.agent_of.executed)

    def test_also_one_that_expired_or_was_refused(self):
        for request_id, seconds, path in (('r1', -1, '/x'), ('r2', 60, 7)):
            with self.subTest(request_id=request_id):

                def run(seconds=seconds, path=path, request_id=request_id):
                    return self.host.run(
                        'write_file',
                        request_id=request_id,
                        seconds=seconds,
                        path=path,
                        content='YWJj',
                    )

                first = run()
                self.assertIn(first.state, ('expired', 'failed'))
                self.assertEqual(first, run())
                self.assertEqual(first, run(seconds=60, path='/x'))
                told = [
                    event.payload['state']
                    for event in self.host.told
                    if event.payload['request_id'] == request_id
                ]
                self.assertEqual([first.state], told)
        self.assertEqual([], self.host.agent_of.executed)

    def test_one_that_names_no_guest_is_told_again_as_it_was(self):
        first = self.host.run('set_password', instance_uuid=7, **PASSWORD)
        self.assertIsNone(first.instance_uuid)
        again = self.host.run('set_password', instance_uuid=7, **PASSWORD)
        self.assertEqual(first, again)

    def test_what_is_only_read_is_read_again_and_told_once(self):
        first = self.host.run('read_file', path='/x')
        self.assertEqual(first, self.host.run('read_file', path='/x'))
        opened = self.host.agent_of.names.count('guest-file-open')
        self.assertEqual(2, opened)
        self.assertEqual(1, len(self.host.told))
        late = self.host.run('read_file', seconds=-1, path='/x')
        self.assertEqual('succeeded', late.state)
        self.assertEqual(1, len(self.host.told))

    def test_an_id_that_another_request_has_is_refused(self):
        self.host.run('set_password', **PASSWORD)
        other = self.host.run('write_file', path='/x', content='YWJj')
        self.assertEqual('invalid_request', other.error['code'])
        self.assertIn('request_id', other.error['message'])

    def test_one_that_still_runs_is_waited_for_and_told_once(self):
        began, go_on = threading.Event(), threading.Event()

        def slow(arguments):
            began.set()
            go_on.wait(30)
            return {}

        self.host.answer_with('guest-set-user-password', slow)
        ended = []

        def run():
            ended.append(self.host.run('set_password', **PASSWORD))

        first = threading.Thread(target=run)
        first.start()
        self.assertTrue(began.wait(30))
        others = [threading.Thread(target=run) for _ in range(3)]
        for other in others:
            other.start()
        go_on.set()
        for thread in (first, *others):
            thread.join(30)
        self.assertEqual(['succeeded'] * 4, [each.state for each in ended])
        self.assertEqual(1, len(self.host.agent_of.executed))
        self.assertEqual(1, len(self.host.told))

    def test_one_that_still_runs_is_not_run_again_where_the_journal_is_new(
        self,
    ):
        began, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def slow(arguments):
            began.set()
            go_on.wait(30)
            return {}

        self.host.answer_with('guest-set-user-password', slow)
        first = threading.Thread(
            target=lambda: self.host.run('set_password', **PASSWORD)
        )
        first.start()
        self.assertTrue(began.wait(30))
        with self.journal.transaction() as connection:
            connection.execute('DELETE FROM requests')
        again = self.host.run('set_password', seconds=0.05, **PASSWORD)
        self.assertEqual('accepted', again.state)
        go_on.set()
        first.join(30)
        self.assertEqual(1, len(self.host.agent_of.executed))
        self.assertEqual(1, len(self.host.told))

    def test_one_caller_more_than_may_wait_is_told_at_once(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)

        def slow(arguments):
            go_on.wait(30)
            return {}

        self.host.answer_with('guest-set-user-password', slow)
        ended = queue.SimpleQueue()
        callers = [
            threading.Thread(
                target=lambda: ended.put(
                    self.host.run('set_password', **PASSWORD).state
                )
            )
            for _ in range(runner.CALLERS + 1)
        ]
        for each in callers:
            each.start()
        self.assertEqual('accepted', ended.get(timeout=30))
        go_on.set()
        for each in callers:
            each.join(30)
        left = [ended.get(timeout=30) for _ in range(runner.CALLERS)]
        self.assertEqual({'succeeded'}, set(left))
        self.assertLess(runner.CALLERS + looks.MOST, server.THREADS)

    def test_a_stop_can_wait_until_nothing_is_under_way(self):
        began, go_on = threading.Event(), threading.Event()

        def slow(arguments):
            began.set()
            go_on.wait(30)
            return {}

        self.host.answer_with('guest-set-user-password', slow)
        running = threading.Thread(
            target=lambda: self.host.run('set_password', **PASSWORD)
        )
        running.start()
        self.assertTrue(began.wait(30))
        self.host.runner.drain(0.01)
        self.assertEqual([], self.host.told)
        go_on.set()
        self.host.runner.drain(30)
        self.assertEqual(1, len(self.host.told))
        running.join(30)

    def test_one_that_does_not_end_in_time_has_no_end_yet(self):
        self.begin_elsewhere('set_password')
        ended = self.host.run('set_password', seconds=0.05, **PASSWORD)
        self.assertEqual(('accepted', None), (ended.state, ended.error))
        self.assertEqual([], self.host.told, 'who runs it will tell')

    def test_what_comes_after_a_stop_has_failed_and_did_nothing(self):
        self.host.runner.drain(0.0)
        late = self.host.run('set_password', seconds=0.05, **PASSWORD)
        self.assertEqual('accepted', late.state)
        self.journal.close()
        host = self.start()
        host.ledger.keep_up()
        [event] = host.told
        self.assertEqual('failed', event.payload['state'])
        self.assertIn('nothing of it', event.payload['error']['message'])

    def test_what_a_crash_cut_off_is_told_at_the_next_start(self):
        self.begin_elsewhere('set_password')
        self.journal.close()
        host = self.start()
        host.ledger.keep_up()
        host.ledger.keep_up()
        [event] = host.told
        self.assertEqual('instance.guest.set_password.error', event.event_type)
        self.assertEqual('unknown', event.payload['state'])
        self.assertEqual('project-1', event.payload['tenant_id'])
        again = host.run('set_password', **PASSWORD)
        self.assertEqual('unknown', again.state)
        self.assertEqual([], host.agent_of.executed)

    def begin_elsewhere(self, operation):
        """Leave a request running, as an agent that was killed does."""
        events = outbox.Outbox(self.journal)
        requests.Requests(self.journal, events).begin(
            requests.Record('r1', operation, known_host.UUID), 4e9
        )

    def test_what_was_only_read_at_a_crash_has_failed(self):
        self.begin_elsewhere('ping')
        self.journal.close()
        host = self.start()
        host.ledger.keep_up()
        [event] = host.told
        self.assertEqual('failed', event.payload['state'])
        self.assertIn('ask again', event.payload['error']['message'])

    def test_what_runs_now_is_not_taken_for_cut_off(self):
        def keep_up(arguments):
            self.host.ledger.keep_up()
            return {}

        self.host.answer_with('guest-set-user-password', keep_up)
        ended = self.host.run('set_password', **PASSWORD)
        self.assertEqual('succeeded', ended.state)
        [event] = self.host.told
        self.assertEqual('succeeded', event.payload['state'])

    def test_what_ends_while_it_is_looked_at_is_not_taken_for_cut_off(self):
        began, go_on = threading.Event(), threading.Event()

        def slow(arguments):
            began.set()
            go_on.wait(30)
            return {}

        kept = self.host.ledger._requests
        unended = kept.unended

        def unended_meanwhile():
            found = unended()
            go_on.set()
            kept.wait('r1', 30)
            return found

        kept.unended = unended_meanwhile
        self.host.answer_with('guest-set-user-password', slow)
        asking = threading.Thread(
            target=lambda: self.host.run('set_password', **PASSWORD)
        )
        asking.start()
        self.assertTrue(began.wait(30))
        self.host.ledger.keep_up()
        asking.join(30)
        self.assertEqual('succeeded', kept.find('r1').state)
        self.assertEqual(
            ['succeeded'],
            [event.payload['state'] for event in self.host.told],
        )

    def test_nothing_is_run_where_it_cannot_be_noted(self):
        self.journal.close()
        ended = self.host.run('set_password', **PASSWORD)
        self.assertEqual('service_unavailable', ended.error['code'])
        self.assertEqual([], self.host.agent_of.executed)
        self.assertEqual('failed', self.host.run('ping').state)

    def test_the_journal_holds_no_argument_and_no_result(self):
        self.host.run('set_password', **PASSWORD)
        self.host.run(
            'write_file',
            request_id='r2',
            path='/root/pa55word',
            content='czNjcmV0IGNvbnRlbnQ=',
        )
        kept = b''.join(file.read_bytes() for file in self.folder.iterdir())
        for secret in (
            HASH.encode(),
            b'czNjcmV0',
            b's3cret',
            b'pa55word',
            b'sha256',
        ):
            with self.subTest(secret=secret):
                self.assertNotIn(secret, kept)
        self.assertIn(b'bytes_written', kept)
