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

"""Tests of freezing and thawing with a lease, through a scripted agent."""

import datetime
import threading
import time
import unittest

from nova_qga import errors
from nova_qga.guest import freeze_states
from nova_qga.journal import database
from nova_qga.rpc import freezer
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import scripted_guest
from nova_qga.tests.fixtures import windows_guest

UNKNOWN = errors.OutcomeUnknown('no answer came')
NO_AGENT = errors.GuestUnavailable('no_agent', 'no agent answers')
REFUSAL = scripted_guest.refusal('failed to freeze /: Input/output error')
HASH = '$6$rounds=5000$salt$' + 'x' * 86


class FreezerTest(unittest.TestCase):
    def setUp(self):
        self.host = known_host.KnownHost()
        self.windows = windows_guest.WindowsGuest()
        for name, reply in self.windows.replies.items():
            self.host.answer_with(name, reply)
        self.vm = self.host.directory.get(known_host.UUID)
        self.ids = iter(range(100))

    def run_it(self, operation, **arguments):
        return self.host.run(
            operation, request_id=f'r{next(self.ids)}', **arguments
        )

    def succeed(self, operation, **arguments):
        ended = self.run_it(operation, **arguments)
        self.assertEqual(('succeeded', None), (ended.state, ended.error))
        return ended.result

    def fail_with(self, reason, operation='thaw', **arguments):
        ended = self.run_it(operation, **arguments)
        self.assertEqual(
            ('failed', reason), (ended.state, ended.error['reason'])
        )
        return ended

    def lease(self):
        return self.host.leases.get(known_host.UUID)

    def names(self):
        """What was asked since; guest-info is never counted."""
        names = list(self.host.agent_of.names)
        self.host.agent_of.executed.clear()
        return names


class FreezeTest(FreezerTest):
    def test_the_lease_is_on_disk_before_the_guest_is_frozen(self):
        seen = []

        def look(arguments):
            seen.append(self.lease())
            return 2

        self.host.answer_with('guest-fsfreeze-freeze', look)
        before = time.time()
        self.succeed('freeze', duration=600)
        [lease] = seen
        self.assertEqual(('direct', None), (lease.channel, lease.frozen))
        # However long the freeze takes.
        self.assertGreaterEqual(lease.until, before + 600 + 29)

    def test_it_lasts_from_the_moment_at_which_it_is_frozen(self):
        before = time.time()
        result = self.succeed('freeze', duration=600)
        self.assertEqual(2, result['frozen'])
        until = datetime.datetime.fromisoformat(result['until']).timestamp()
        self.assertLessEqual(before + 600, until + 0.001)
        self.assertLessEqual(until, time.time() + 600)
        lease = self.lease()
        self.assertEqual(2, lease.frozen)
        self.assertAlmostEqual(until, lease.until, 2)
        self.assertTrue(self.vm.frozen)

    def test_it_waits_for_changes_that_are_under_way(self):
        began, go_on = threading.Event(), threading.Event()

        def hang(arguments):
            began.set()
            go_on.wait(30)
            return {'count': 3, 'eof': False}

        self.host.answer_with('guest-file-write', hang)
        ended = {}

        def run(operation, **arguments):
            ended[operation] = self.run_it(operation, **arguments)

        writing = threading.Thread(
            target=run,
            args=('write_file',),
            kwargs={'path': '/x', 'content': 'YWJj'},
        )
        writing.start()
        self.assertTrue(began.wait(30))
        freezing = threading.Thread(target=run, args=('freeze',))
        freezing.start()
        while self.lease() is None:
            time.sleep(0.01)
        # The lease keeps others from beginning.
        self.fail_with('frozen', 'write_file', path='/y', content='')
        self.assertNotIn('guest-fsfreeze-freeze', self.host.agent_of.names)
        go_on.set()
        for thread in (writing, freezing):
            thread.join(30)
        states = {name: each.state for name, each in ended.items()}
        self.assertEqual(
            {'write_file': 'succeeded', 'freeze': 'succeeded'}, states
        )
        names = self.names()
        self.assertLess(
            names.index('guest-file-close'),
            names.index('guest-fsfreeze-freeze'),
        )

    def test_it_is_refused_where_changes_do_not_end_in_time(self):
        self.host.runner._performer._freezer.changes.begin(known_host.UUID)
        refused = self.run_it('freeze', seconds=0.3)
        self.assertEqual('channel_busy', refused.error['code'])
        self.assertIsNone(self.lease())
        self.assertNotIn('guest-fsfreeze-freeze', self.names())
        self.assertFalse(self.vm.frozen)

    def test_a_lease_that_the_journal_has_lost_is_noted_again(self):
        self.succeed('freeze', duration=600)
        before = self.lease()
        self.host.frozen.running()
        with self.host.journal.transaction() as connection:
            connection.execute('DELETE FROM leases')
        [lease] = self.host.frozen.running()
        self.assertEqual(before, lease)
        self.assertEqual(before, self.lease())
        self.succeed('thaw')
        self.assertEqual([], self.host.frozen.running())

    def test_the_standard_channel_is_wanted_first(self):
        self.succeed('freeze')
        self.assertEqual([('standard', 'direct')], self.host.kinds)

    def test_mount_points_are_named_to_the_guest(self):
        self.host.answer_with('guest-fsfreeze-freeze-list', 1)
        self.succeed('freeze', mountpoints=['/var'])
        self.assertEqual(['guest-fsfreeze-freeze-list'], self.names())

    def test_one_that_is_not_answered_counts_as_frozen(self):
        self.host.answer_with('guest-fsfreeze-freeze', UNKNOWN)
        ended = self.run_it('freeze', duration=600)
        self.assertEqual('unknown', ended.state)
        self.assertIn('thawed as soon as', ended.error['message'])
        [lease] = self.host.frozen.running()
        self.assertLessEqual(lease.until, time.time())
        self.assertIsNone(lease.frozen)
        self.fail_with('frozen', 'trim')

    def test_one_that_is_refused_leaves_no_lease(self):
        self.host.answer_with('guest-fsfreeze-freeze', REFUSAL)
        ended = self.run_it('freeze')
        self.assertEqual('command_failed', ended.error['code'])
        self.assertIsNone(self.lease())
        self.assertFalse(self.vm.frozen)

    def test_one_that_is_refused_and_yet_frozen_is_thawed_soon(self):
        self.host.answer_with('guest-fsfreeze-freeze', REFUSAL)
        self.host.answer_with('guest-fsfreeze-status', 'frozen')
        self.run_it('freeze', duration=600)
        [lease] = self.host.frozen.running()
        self.assertLessEqual(lease.until, time.time())

    def test_one_that_could_not_be_sent_leaves_no_lease(self):
        for error in (
            errors.ChannelTimeout('no time was left'),
            errors.GuestUnavailable('frozen', 'somebody was quicker'),
        ):
            self.host.answer_with('guest-fsfreeze-freeze', error)
            ended = self.run_it('freeze')
            self.assertEqual(error.code, ended.error['code'])
            self.assertIsNone(self.lease())

    def test_a_fault_of_ours_leaves_the_guest_to_be_thawed(self):
        self.host.answer_with('guest-fsfreeze-freeze', KeyError('a fault'))
        self.assertEqual('unknown', self.run_it('freeze').state)
        [lease] = self.host.frozen.running()
        self.assertLessEqual(lease.until, time.time())

    def test_where_nothing_was_frozen_it_has_failed(self):
        self.windows.volumes = 0
        ended = self.run_it('freeze')
        self.assertEqual('operation_failed', ended.error['code'])
        # The agent of Windows calls itself frozen all the same.
        self.assertEqual(1, len(self.host.frozen.running()))

    def test_a_guest_is_frozen_once(self):
        self.succeed('freeze')
        self.fail_with('frozen', 'freeze')

    def test_without_a_journal_nothing_is_frozen(self):
        self.host.journal.close()
        ended = self.run_it('freeze')
        self.assertEqual('service_unavailable', ended.error['code'])
        self.assertEqual([], self.names())

    def test_where_its_end_cannot_be_noted_it_is_thawed_at_once(self):
        def close(arguments):
            self.host.journal.close()
            return 2

        self.host.answer_with('guest-fsfreeze-freeze', close)
        changed = []
        self.host.frozen.on_change = lambda: changed.append(True)
        ended = self.run_it('freeze')
        self.assertEqual('operation_failed', ended.error['code'])
        self.assertIn('thawed at once', ended.error['message'])
        self.assertTrue(changed)

    def test_a_process_that_does_not_last_freezes_nothing(self):
        brief = freezer.Freezer(self.host, None)
        with self.assertRaises(errors.InvalidRequest):
            brief.freeze(None, 'r1', None, 60)
        brief.check(known_host.UUID)


class WhileFrozenTest(FreezerTest):
    changes = {
        'set_password': {
            'username': 'root',
            'crypted': HASH,
        },
        'write_file': {'path': '/x', 'content': 'YWJj'},
        'trim': {},
        'freeze': {},
    }

    def refuse_changes(self):
        self.names()
        self.host.reached.clear()
        for operation, arguments in self.changes.items():
            with self.subTest(operation=operation):
                ended = self.fail_with('frozen', operation, **arguments)
                self.assertEqual('guest_unavailable', ended.error['code'])
        self.assertEqual([], self.names())
        self.assertEqual([], self.host.reached)

    def test_changes_of_ours_are_refused_before_anything_is_sent(self):
        self.succeed('freeze')
        self.refuse_changes()

    def test_so_are_changes_of_what_others_froze(self):
        self.host.states = [
            freeze_states.State('standard', 'frozen'),
            freeze_states.State('direct', 'thawed'),
        ]
        self.refuse_changes()
        self.assertIsNone(self.lease())

    def test_they_are_not_held_until_it_is_thawed(self):
        self.succeed('freeze')
        self.fail_with('frozen', 'trim', wait_for_agent=True)

    def test_what_reads_goes_on_and_a_channel_is_attached(self):
        self.succeed('freeze')
        self.succeed('read_file', path='/x')
        self.succeed('attach_channel')

    def test_after_the_thaw_changes_are_made(self):
        self.succeed('freeze')
        self.succeed('thaw')
        self.succeed('write_file', path='/x', content='YWJj')

    def test_it_is_shown(self):
        self.host.states = [
            freeze_states.State('standard', None, 'it hangs'),
            freeze_states.State('direct', 'thawed'),
        ]
        shown = self.succeed('get_freeze')
        self.assertEqual((False, None), (shown['frozen'], shown['until']))
        self.assertEqual(
            {'channel': 'standard', 'status': None, 'message': 'it hangs'},
            shown['channels'][0],
        )
        until = self.succeed('freeze')['until']
        shown = self.succeed('get_freeze')
        self.assertEqual((True, until), (shown['frozen'], shown['until']))
        self.assertTrue(shown['request_id'].startswith('r'))


class ThawTest(FreezerTest):
    def test_it_is_thawed_over_the_channel_that_froze_it(self):
        self.succeed('freeze')
        self.host.kinds.clear()
        self.assertEqual({'thawed': 2}, self.succeed('thaw'))
        self.assertEqual([('direct',)], self.host.kinds)
        self.assertIsNone(self.lease())
        self.assertFalse(self.vm.frozen)

    def test_nothing_that_is_frozen_is_no_fault(self):
        self.assertEqual({'thawed': 0}, self.succeed('thaw'))

    def test_what_somebody_else_froze_is_thawed_where_it_was(self):
        self.host.states = [
            freeze_states.State('standard', 'frozen'),
            freeze_states.State('direct', 'thawed'),
        ]
        self.host.answer_with('guest-fsfreeze-thaw', 3)
        self.assertEqual({'thawed': 3}, self.succeed('thaw'))
        self.assertEqual([('standard',)], self.host.kinds)

    def test_one_that_comes_after_the_limit_of_windows_fails(self):
        self.succeed('freeze')
        self.windows.late = True
        self.fail_with('freeze_expired')
        self.assertIsNone(self.lease())

    def test_one_that_comes_after_the_leases_end_fails_once(self):
        self.succeed('freeze')
        self.host.end_lease(self.lease(), 9)
        ended = self.fail_with('freeze_expired')
        self.assertIn('thawed at', ended.error['message'])
        self.assertEqual({'thawed': 0}, self.succeed('thaw'))

    def test_where_it_is_refused_the_lease_stays_and_is_hurried(self):
        self.succeed('freeze', duration=600)
        self.host.answer_with('guest-fsfreeze-thaw', REFUSAL)
        self.assertEqual('failed', self.run_it('thaw').state)
        [lease] = self.host.frozen.running()
        self.assertLessEqual(lease.until, time.time())

    def test_where_it_is_not_answered_the_next_one_may_find_none(self):
        self.succeed('freeze', duration=600)
        self.host.answer_with('guest-fsfreeze-thaw', UNKNOWN)
        self.assertEqual('unknown', self.run_it('thaw').state)
        [lease] = self.host.frozen.running()
        self.host.answer_with('guest-fsfreeze-thaw', 0)
        self.assertEqual({'thawed': 0}, self.succeed('thaw'))

    def test_where_its_agent_is_gone_another_one_thaws_it(self):
        self.succeed('freeze', duration=600)
        self.host.unreached['direct'] = NO_AGENT
        ended = self.run_it('thaw')
        self.assertEqual('unknown', ended.state)
        self.assertIn('2 filesystems were thawed', ended.error['message'])
        # Until its own agent says so.
        self.fail_with('frozen', 'trim')
        [lease] = self.host.frozen.running()
        self.assertLessEqual(lease.until, time.time())
        self.host.unreached.clear()
        self.assertEqual({'thawed': 0}, self.succeed('thaw'))
        self.assertIsNone(self.lease())

    def test_where_nobody_answers_it_stays_frozen(self):
        self.succeed('freeze', duration=600)
        for kind in ('direct', 'standard'):
            self.host.unreached[kind] = NO_AGENT
        self.fail_with('no_agent')
        self.assertEqual(1, len(self.host.frozen.running()))

    def test_two_at_a_time_wait_for_each_other(self):
        self.succeed('freeze')
        with self.host.frozen.alone(known_host.UUID, 0):
            ended = self.run_it('thaw', seconds=0.5)
            self.assertEqual('channel_busy', ended.error['code'])


class BrokenJournalTest(FreezerTest):
    """The journal breaks while a guest is frozen."""

    def setUp(self):
        super().setUp()
        self.succeed('freeze', duration=600)
        self.known = self.lease()

    def break_it(self, method):
        def broken(*arguments):
            raise errors.ServiceUnavailable('the disk is full')

        setattr(self.host.leases, method, broken)

    def test_one_that_is_hurried_ends_now_and_once(self):
        self.break_it('change')
        self.host.frozen.hurry(self.known)
        [found] = self.host.frozen.running()
        self.assertLessEqual(found.until, time.time())
        self.assertEqual([found], self.host.frozen.running())

    def test_one_that_was_thawed_is_thawed_once_more_and_told_as_such(self):
        self.break_it('change')
        self.break_it('remove')
        self.assertEqual({'thawed': 2}, self.succeed('thaw'))
        [found] = self.host.frozen.running()
        self.assertEqual(0, found.frozen)
        self.host.end_lease(found, 9)
        self.assertEqual('succeeded', self.host.told[-1].payload['state'])


class MarkTest(FreezerTest):
    """A guest says that it is frozen as long as there is a lease."""

    def test_one_that_comes_later_is_marked(self):
        self.succeed('freeze')
        self.host.directory.remove(known_host.UUID)
        self.host.directory.update(known_host.DESCRIPTION, 'running')
        self.host.frozen.running()
        self.assertTrue(self.host.directory.get(known_host.UUID).frozen)

    def test_a_mark_that_came_too_late_goes_at_the_next_look(self):
        self.succeed('freeze')
        self.host.frozen.running()
        changed = []
        self.host.frozen.on_change = lambda: changed.append(True)
        self.succeed('thaw')
        self.assertTrue(changed)
        self.vm.frozen = True
        self.host.frozen.running()
        self.assertFalse(self.vm.frozen)


class LeaseEndTest(FreezerTest):
    def end(self):
        self.host.end_lease(self.lease(), 9)

    def told(self):
        return self.host.told[-1]

    def test_it_is_thawed_and_told(self):
        self.succeed('freeze')
        self.end()
        event = self.told()
        self.assertEqual('instance.guest.thaw.end', event.event_type)
        payload = event.payload
        self.assertEqual(
            ('r0:thaw', 'succeeded', 'direct', 'project-1'),
            tuple(
                payload[key]
                for key in ('request_id', 'state', 'channel', 'tenant_id')
            ),
        )
        self.assertEqual('admin-1', payload['requested_by']['user_id'])
        self.assertEqual([], self.host.frozen.running())
        self.assertFalse(self.vm.frozen)

    def test_after_the_limit_of_windows_it_has_failed(self):
        self.succeed('freeze')
        self.windows.late = True
        self.end()
        event = self.told()
        self.assertEqual('instance.guest.thaw.error', event.event_type)
        self.assertEqual('freeze_expired', event.payload['error']['reason'])
        self.assertEqual([], self.host.frozen.running())

    def test_a_guest_that_has_left_is_told_with_what_to_do(self):
        self.succeed('freeze')
        self.host.directory.remove(known_host.UUID)
        with self.assertLogs('nova_qga.rpc.lease_end', 'ERROR') as logs:
            self.end()
        self.assertIn('nova-qga thaw', logs.output[0])
        payload = self.told().payload
        self.assertEqual('guest_not_found', payload['error']['code'])
        # Whose it was is known from the freeze.
        self.assertEqual('project-1', payload['tenant_id'])
        self.assertEqual([], self.host.frozen.running())

    def test_before_its_time_only_one_that_has_left_is_told_of(self):
        self.succeed('freeze', duration=600)
        self.names()
        for failure in (None, errors.ServiceUnavailable('libvirtd is away')):
            self.host.failure = failure
            self.host.end_lease(self.lease(), 9, early=True)
        self.host.failure = None
        self.assertEqual([], self.names())
        self.assertEqual(1, len(self.host.frozen.running()))
        self.host.directory.remove(known_host.UUID)
        self.host.end_lease(self.lease(), 9, early=True)
        self.assertEqual([], self.host.frozen.running())
        code = self.told().payload['error']['code']
        self.assertEqual('guest_not_found', code)

    def test_one_that_is_off_is_frozen_no_more(self):
        self.succeed('freeze')
        self.host.unreached['direct'] = known_host.unavailable()
        self.end()
        self.assertEqual('shutoff', self.told().payload['error']['reason'])
        self.assertEqual([], self.host.frozen.running())

    def test_one_that_cannot_be_reached_is_left_for_later(self):
        self.succeed('freeze')
        told = len(self.host.told)
        for error in (
            errors.GuestUnavailable('paused', 'the guest is paused'),
            errors.ServiceUnavailable('libvirtd is away'),
            errors.ChannelTimeout('it hangs'),
        ):
            self.host.unreached['direct'] = error
            with self.assertRaises(type(error)):
                self.end()
        self.assertEqual(1, len(self.host.frozen.running()))
        self.assertEqual(told, len(self.host.told))
        self.host.unreached.clear()
        self.end()
        self.assertEqual('succeeded', self.told().payload['state'])

    def test_where_its_end_cannot_be_noted_it_is_thawed_once(self):
        self.succeed('freeze')
        lease = self.lease()

        def break_it(arguments):
            self.host.journal.problem = None
            self.host.leases._database = database.Database(None)
            self.host.leases._database.close()
            return 2

        whole = self.host.leases._database
        self.host.answer_with('guest-fsfreeze-thaw', break_it)
        with self.assertRaises(errors.ServiceUnavailable):
            self.host.end_lease(lease, 9)
        self.host.leases._database = whole
        self.names()
        self.host.end_lease(lease, 9)
        self.assertEqual([], self.names())
        self.assertEqual('succeeded', self.told().payload['state'])

    def test_one_that_was_thawed_meanwhile_is_left_alone(self):
        self.succeed('freeze')
        lease = self.lease()
        self.succeed('thaw')
        told = len(self.host.told)
        self.host.end_lease(lease, 9)
        self.succeed('freeze')
        self.host.end_lease(lease, 9)
        self.assertEqual(1, len(self.host.frozen.running()))
        self.assertEqual(told + 1, len(self.host.told))

    def test_what_an_earlier_agent_left_without_an_answer_ends_now(self):
        self.host.answer_with('guest-fsfreeze-freeze', UNKNOWN)
        self.run_it('freeze', duration=600)
        lease = self.lease()._replace(until=time.time() + 600)
        self.host.leases.change(lease)
        later = known_host.KnownHost(self.host.journal)
        [found] = later.frozen.running()
        self.assertLessEqual(found.until, time.time())
        # It is one end, and not a new one at each look.
        self.assertEqual([found], later.frozen.running())
