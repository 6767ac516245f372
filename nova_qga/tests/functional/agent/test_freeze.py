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

"""Guests that are frozen: by us, by libvirt; and the agent dies meanwhile.

A real guest under a real libvirtd, a real nova-qga-agent, a real RabbitMQ.
"""

import contextlib
import datetime
import secrets
import sqlite3
import time
import unittest

import fixtures

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import controller
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import shared

#: The kernel freezes nothing twice, and tells no other way what is frozen.
LOOK = """
if fsfreeze --freeze /mnt 2>/dev/null; then
    fsfreeze --unfreeze /mnt
    echo thawed
else
    echo frozen
fi
"""


class FreezeTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        broker = shared.broker()
        self.vm = shared.guest()
        self.addCleanup(self.thaw_by_hand)
        self.host = f'compute-{secrets.token_hex(4)}'
        self.listener = self.useFixture(notifications.Listener(broker.url))
        self.program = self.useFixture(
            agent_program.AgentProgram(
                self.vm.host.uri,
                broker.url,
                f"""
                command_timeout = 20
                [qga]
                direct_channel = {guest_vm.DIRECT}
                [qga_monitor]
                interval = 3600
                """,
                host=self.host,
            )
        )
        self.client = self.useFixture(controller.Controller(broker.url))

    def thaw_by_hand(self):
        with contextlib.suppress(Exception):
            self.vm.inspect('fsfreeze -u /mnt')
        with self.vm.domain() as domain, contextlib.suppress(Exception):
            domain.fsThaw()

    def run_it(self, method, request_id=None, **arguments):
        return self.client.call(
            self.host,
            method,
            **known_host.request(
                request_id or f'{method}-{secrets.token_hex(4)}',
                instance_uuid=self.vm.uuid,
                **arguments,
            ),
        )

    def succeed(self, method, request_id=None, **arguments):
        ended = self.run_it(method, request_id, **arguments)
        self.assertEqual(('succeeded', None), (ended['state'], ended['error']))
        return ended['result']

    def freeze(self, duration=600, **more):
        """Freeze it, and return the id of the request."""
        request_id = f'freeze-{secrets.token_hex(4)}'
        done = self.succeed('freeze', request_id, duration=duration, **more)
        self.assertEqual(1, done['frozen'])
        return request_id

    def write(self, **more):
        return self.run_it(
            'write_file', path='/mnt/written', content='YWJj', **more
        )

    def check_frozen(self):
        ended = self.write()
        self.assertEqual(
            ('failed', 'guest_unavailable', 'frozen'),
            (ended['state'], *list(ended['error'].values())[:2]),
        )

    def lease(self):
        """Those in the journal: request, channel, number, ended."""
        file = f'file:{self.program.state_path / "journal.db"}?mode=ro'
        with contextlib.closing(sqlite3.connect(file, uri=True)) as journal:
            return journal.execute(
                'SELECT request_id, channel, frozen, ended IS NOT NULL '
                'FROM leases'
            ).fetchall()

    def wait_for(self, condition, seconds=60):
        self.assertTrue(process.wait_until(condition, seconds))

    def is_frozen(self):
        """As the guest's kernel has it."""
        return self.vm.inspect(LOOK).strip() == 'frozen'

    def test_it_is_frozen_until_it_is_thawed(self):
        before = datetime.datetime.now(datetime.UTC)
        frozen = self.succeed('freeze', 'f1' + secrets.token_hex(4))
        self.assertEqual(1, frozen['frozen'])
        until = datetime.datetime.fromisoformat(frozen['until'])
        self.assertGreater(until, before + datetime.timedelta(seconds=60))
        [(_, channel, number, ended)] = self.lease()
        self.assertEqual(('standard', 1, 0), (channel, number, ended))
        self.assertTrue(self.is_frozen())
        state = self.succeed('get_freeze')
        self.assertEqual(
            (True, frozen['until']), (state['frozen'], state['until'])
        )
        self.assertEqual(
            {'standard': 'frozen', 'direct': 'thawed'},
            {each['channel']: each['status'] for each in state['channels']},
        )
        self.check_frozen()
        self.assertEqual({'thawed': 1}, self.succeed('thaw'))
        self.assertEqual([], self.lease())
        self.assertEqual('succeeded', self.write()['state'])
        self.assertFalse(self.succeed('get_freeze')['frozen'])

    def test_it_is_thawed_when_its_time_is_over(self):
        request_id = self.freeze(duration=1)
        told = self.listener.next(
            'instance.guest.thaw.end', request_id=f'{request_id}:thaw'
        )
        self.assertEqual('succeeded', told['state'])
        self.assertEqual('standard', told['channel'])
        self.assertEqual(
            {'user_id': 'admin-1', 'project_id': ''}, told['requested_by']
        )
        self.assertEqual(self.vm.uuid, told['instance_id'])
        self.assertEqual('succeeded', self.write()['state'])
        # Who comes now has copied what is not consistent.
        late = self.run_it('thaw')
        self.assertEqual('failed', late['state'])
        self.assertEqual('freeze_expired', late['error']['reason'])
        self.assertEqual({'thawed': 0}, self.succeed('thaw'))

    def test_an_agent_that_was_killed_thaws_it_at_its_start(self):
        request_id = self.freeze(duration=2)
        self.program.kill()
        ends = time.monotonic() + 2
        self.wait_for(lambda: time.monotonic() > ends)
        self.assertTrue(self.is_frozen())
        self.program.start(ready=False)
        self.wait_for(lambda: not self.is_frozen())
        told = self.listener.next(
            'instance.guest.thaw.end', request_id=f'{request_id}:thaw'
        )
        self.assertEqual('succeeded', told['state'])

    def test_a_lease_that_runs_goes_on_after_a_restart(self):
        self.freeze(duration=600)
        self.program.kill()
        self.program.start()
        self.check_frozen()
        self.assertEqual({'thawed': 1}, self.succeed('thaw'))

    def test_a_guest_that_libvirt_froze_is_not_written_to(self):
        with self.vm.domain() as domain:
            self.assertEqual(1, domain.fsFreeze())
            self.check_frozen()
            ended = self.run_it('freeze')
            self.assertEqual('frozen', ended['error']['reason'])
            self.assertEqual([], self.lease())
            self.assertEqual(1, domain.fsThaw())
        self.assertEqual('succeeded', self.write()['state'])

    def test_ours_is_found_frozen_by_libvirt(self):
        self.freeze()
        with self.vm.domain() as domain:
            with self.assertRaisesRegex(Exception, 'disabled'):
                domain.fsFreeze()
            # And what somebody else thaws is told as such.
            self.assertEqual(1, domain.fsThaw())
        ended = self.run_it('thaw')
        self.assertEqual('freeze_expired', ended['error']['reason'])
        self.assertEqual([], self.lease())

    def stop_the_agent_at_its_freeze(self):
        """Let the guest's agent be stopped when it has begun to freeze."""
        self.vm.inspect(
            "printf '#!/bin/sh\\n[ $1 != freeze ] || kill -STOP $PPID\\n' "
            '> /run/hook; chmod 755 /run/hook'
        )
        self.restart_agent('--fsfreeze-hook=/run/hook')
        self.addCleanup(self.restart_agent)

    def restart_agent(self, options=''):
        self.vm.stop_agent(0)
        self.vm.start_agent(0, options)
        self.vm.wait_for_agents()

    def go_on(self):
        self.vm.inspect('kill -CONT $(cat /run/qemu-ga-0.pid)')

    def test_a_freeze_that_is_not_answered_is_thawed_when_it_is(self):
        self.stop_the_agent_at_its_freeze()
        self.addCleanup(self.go_on)
        request_id = f'freeze-{secrets.token_hex(4)}'
        ended = self.run_it('freeze', request_id, duration=600, seconds=10)
        self.assertEqual('unknown', ended['state'])
        self.assertEqual([(request_id, 'standard', None, 0)], self.lease())
        self.check_frozen()
        self.go_on()
        told = self.listener.next(
            'instance.guest.thaw.end', request_id=f'{request_id}:thaw'
        )
        self.assertEqual('succeeded', told['state'])
        self.assertFalse(self.is_frozen())
        self.assertEqual('succeeded', self.write()['state'])

    def test_an_agent_that_was_killed_while_it_froze_thaws_too(self):
        self.stop_the_agent_at_its_freeze()
        self.addCleanup(self.go_on)
        request = known_host.request(
            f'freeze-{secrets.token_hex(4)}',
            instance_uuid=self.vm.uuid,
            duration=600,
            seconds=30,
        )
        self.client.cast(self.host, 'freeze', **request)
        self.wait_for(self.is_stopped)
        self.program.kill()
        [(request_id, _, number, ended)] = self.lease()
        self.assertEqual(
            (request['request_id'], None, 0), (request_id, number, ended)
        )
        self.program.start()
        self.go_on()
        told = self.listener.next(
            'instance.guest.thaw.end', request_id=f'{request_id}:thaw'
        )
        self.assertEqual('succeeded', told['state'])
        self.assertFalse(self.is_frozen())

    def is_stopped(self):
        """Whether the guest's agent on the standard channel is."""
        stat = self.vm.inspect('cat /proc/$(cat /run/qemu-ga-0.pid)/stat')
        return stat.split()[2] == 'T'

    def test_where_the_agent_that_froze_hangs_the_other_one_thaws(self):
        request_id = self.freeze()
        self.vm.inspect('kill -STOP $(cat /run/qemu-ga-0.pid)')
        self.addCleanup(self.go_on)
        ended = self.run_it('thaw')
        self.assertEqual('unknown', ended['state'])
        self.assertIn('direct', ended['error']['message'])
        self.assertFalse(self.is_frozen())
        self.check_frozen()
        self.go_on()
        told = self.listener.next(
            'instance.guest.thaw.end', request_id=f'{request_id}:thaw'
        )
        self.assertEqual('succeeded', told['state'])
        self.assertEqual('succeeded', self.write()['state'])

    def test_a_guest_that_was_rebooted_hard_was_not_frozen_to_the_end(self):
        self.freeze()
        self.vm.destroy()
        self.vm.boot()
        ended = self.run_it('thaw')
        self.assertEqual('freeze_expired', ended['error']['reason'])
        self.assertEqual('succeeded', self.write()['state'])

    def test_samples_go_on_while_it_is_frozen(self):
        for froze in (True, False):
            if froze:
                self.succeed('get_metrics')
                self.freeze()
            else:
                self.succeed('thaw')
            samples = self.succeed('get_metrics')
            self.assertIn(
                'guest.cpu.time', {each['name'] for each in samples['samples']}
            )

    def test_nor_do_they_hang_where_the_agents_own_files_are_frozen(self):
        self.vm.stop_agent(1)
        self.vm.start_agent(1, '--statedir=/mnt')
        self.addCleanup(self.vm.start_agent, 1)
        self.addCleanup(self.vm.stop_agent, 1)
        self.vm.wait_for_agents()
        self.freeze()
        samples = self.succeed('get_metrics')
        names = {each['name'] for each in samples['samples']}
        self.assertIn('guest.cpu.time', names)
        self.assertNotIn('guest.uptime', names)
        self.assertIn('frozen', samples['missing']['uptime'])
        self.succeed('thaw')
        samples = self.succeed('get_metrics')
        self.assertIn(
            'guest.uptime', {each['name'] for each in samples['samples']}
        )
