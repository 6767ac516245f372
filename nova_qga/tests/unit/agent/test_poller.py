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

"""The poller over libvirt's test driver, with real agents on this machine."""

import os
import pathlib
import threading
import unittest

import fixtures

from nova_qga.agent import internals
from nova_qga.agent import monitored
from nova_qga.agent import on_demand
from nova_qga.agent import plugins
from nova_qga.agent import poller
from nova_qga.agent import taker
from nova_qga import errors
from nova_qga.guest import host
from nova_qga.journal import database
from nova_qga.journal import open_files
from nova_qga.tests.fixtures import hostile_guest as hostile
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import qemu_ga
from nova_qga.tests.fixtures import recorded_libvirt
from nova_qga.tests.fixtures import simulated_host

PATIENCE = 60.0
#: Seconds; much shorter than any operator would have it.
INTERVAL = 0.3
BOOT_ID = pathlib.Path('/proc/sys/kernel/random/boot_id')


class PollerTest(fixtures.TestWithFixtures, unittest.TestCase):
    collectors = ('uptime', 'memory', 'cpu')

    def setUp(self):
        super().setUp()
        self.libvirt = self.useFixture(recorded_libvirt.RecordedLibvirt())
        self.agents = [self.useFixture(qemu_ga.QemuGa()) for _ in range(2)]
        self.silent = self.useFixture(hostile.HostileGuest(hostile.silent))
        self.guests = [
            simulated_host.Simulated(f'instance-{number}', path)
            for number, path in enumerate(
                [*(agent.socket for agent in self.agents), self.silent.path]
            )
        ]
        self.good = self.guests[:2]
        uri = self.useFixture(simulated_host.SimulatedHost(*self.guests)).uri
        self.host = host.Host(
            host.HostSettings(uri, simulated_host.DIRECT, sync_timeout=2.0)
        )
        self.host.start()
        self.addCleanup(self.host.stop)
        self.published = []
        self.taker = taker.Taker(
            self.host, plugins.load_collectors(self.collectors), INTERVAL
        )
        self.internals = internals.Internals(self.host)
        self.poller = poller.Poller(
            self.host,
            self.taker,
            monitored.Monitored(interval=INTERVAL),
            self.published.append,
            self.internals,
        )

    def start(self):
        self.poller.start()
        self.addCleanup(self.taker.close)
        self.addCleanup(self.poller.stop)

    def of(self, guest):
        """What a guest has told, round by round."""
        return [
            each
            for each in self.rounds(guest)
            if any(part.source == 'guest' for part in each.parts)
        ]

    def rounds(self, guest):
        """All that was published of a guest."""
        published = list(self.published)
        return [each for each in published if each.instance_uuid == guest.uuid]

    def wait_until(self, ready):
        self.assertTrue(process.wait_until(ready, PATIENCE))

    def wait_for_more(self, *guests, count=3):
        """Wait until each of them was sampled so many times again."""
        before = {guest.uuid: len(self.of(guest)) for guest in guests}
        self.wait_until(
            lambda: all(
                len(self.of(guest)) >= before[guest.uuid] + count
                for guest in guests
            )
        )

    def let_periods_pass(self):
        later = threading.Event()
        self.host.loop.call(
            self.host.loop.asyncio.call_later, 3 * INTERVAL, later.set
        )
        later.wait()

    def names(self, samples):
        return {
            each.metric.name
            for part in samples.parts
            if part.source == 'guest'
            for each in part.samples
        }

    def open_files(self, agent):
        """What the agent has open below /proc."""
        folder = pathlib.Path(f'/proc/{agent.pid}/fd')
        targets = []
        for entry in folder.iterdir():
            try:
                targets.append(os.readlink(entry))
            except FileNotFoundError:
                continue
        return sorted(each for each in targets if each.startswith('/proc/'))


class PeriodTest(PollerTest):
    def test_each_guest_is_sampled_again_and_again(self):
        self.start()
        self.wait_for_more(*self.good)
        for guest in self.good:
            last = self.of(guest)[-1]
            self.assertEqual(guest.owner.display_name, last.name)
            self.assertEqual(guest.owner.project_uuid, last.project_id)
            self.assertLessEqual(
                {'guest.uptime', 'guest.memory.total', 'guest.cpu.time'},
                self.names(last),
            )
            [boot] = [
                each
                for each in last.samples
                if each.metric.name == 'guest.boot.info'
            ]
            self.assertEqual(
                ('boot_id', BOOT_ID.read_text().strip()), boot.labels
            )
        # A guest with no agent costs the others nothing.
        self.assertEqual([], self.of(self.guests[2]))
        self.assertEqual([], self.silent.names())

    def test_where_no_agent_answers_that_is_told(self):
        self.start()
        silent = self.guests[2]
        self.wait_until(lambda: len(self.rounds(silent)) > 2)
        last = self.rounds(silent)[-1]
        self.assertEqual(
            [('guest.agent.up', 0)],
            [(each.metric.name, each.value) for each in last.samples],
        )
        self.assertEqual(set(self.collectors), set(last.missing))
        self.wait_for_more(*self.good)
        last = self.of(self.good[0])[-1]
        values = {each.metric.name: each.value for each in last.samples}
        self.assertEqual(1, values['guest.agent.up'])
        self.assertGreater(values['guest.sampling.duration'], 0.0)

    def test_files_stay_open_between_samples_and_no_longer(self):
        self.start()
        self.wait_for_more(*self.good, count=1)
        opened = self.open_files(self.agents[0])
        self.assertEqual(['/proc/meminfo', '/proc/uptime'], opened)
        self.wait_for_more(*self.good)
        self.assertEqual(opened, self.open_files(self.agents[0]))
        self.poller.stop()
        self.taker.close()
        for agent in self.agents:
            self.assertEqual([], self.open_files(agent))

    def test_nothing_is_sampled_after_the_end(self):
        self.start()
        self.wait_for_more(*self.good)
        self.poller.stop()
        count = len(self.published)
        self.let_periods_pass()
        self.assertEqual(count, len(self.published))

    def test_guests_that_come_are_sampled_and_those_that_go_are_not(self):
        self.start()
        first, second = self.good
        self.wait_for_more(first, second, count=1)
        # The test driver has guests of its own for each connection.
        connection = self.libvirt.connections[0]
        domain = connection.lookupByUUIDString(first.uuid)
        domain.destroy()
        domain.undefine()
        self.wait_until(lambda: not self.host.directory.knows(first.uuid))
        count = len(self.of(first))
        self.wait_for_more(second)
        self.assertEqual(count, len(self.of(first)))
        newcomer = simulated_host.Simulated('newcomer', first.socket)
        connection.defineXML(newcomer.xml()).create()
        self.wait_for_more(newcomer, second)


class FaultTest(PollerTest):
    def test_an_agent_that_hangs_costs_only_its_own_guest(self):
        self.start()
        self.wait_for_more(*self.good)
        self.agents[0].freeze()
        self.wait_for_more(self.good[1])
        self.agents[0].unfreeze()
        self.wait_for_more(*self.good)

    def test_an_agent_that_is_started_anew_is_sampled_on(self):
        self.start()
        self.wait_for_more(*self.good)
        self.agents[0].restart()
        self.wait_for_more(*self.good)
        self.assertEqual({}, dict(self.of(self.good[0])[-1].missing))
        self.assertEqual(
            ['/proc/meminfo', '/proc/uptime'],
            self.open_files(self.agents[0]),
        )

    def test_a_guest_whose_agent_appears_is_sampled_from_then_on(self):
        self.start()
        self.wait_for_more(*self.good, count=1)
        listed = [
            {'name': 'guest-get-load', 'enabled': True},
            {'name': 'guest-info', 'enabled': True},
        ]
        self.silent.replies['guest-info'] = {
            'version': '10.0',
            'supported_commands': listed,
        }
        self.silent.behave(hostile.good)
        self.wait_for_more(self.guests[2])


class ReconfigureTest(PollerTest):
    def test_other_collectors_are_used_with_no_restart(self):
        self.start()
        self.wait_for_more(*self.good)
        self.host.loop.call(
            self.taker.use, plugins.load_collectors(['memory']), INTERVAL
        )
        self.poller.reconfigure(monitored.Monitored(interval=INTERVAL / 2))
        self.wait_for_more(*self.good)
        for guest in self.good:
            names = self.names(self.of(guest)[-1])
            self.assertIn('guest.memory.total', names)
            self.assertEqual(
                {'guest.memory', 'guest.swap'},
                {name.rpartition('.')[0] for name in names},
            )
        self.assertEqual(['/proc/meminfo'], self.open_files(self.agents[0]))


class NowTest(PollerTest):
    def setUp(self):
        super().setUp()
        self.on_demand = on_demand.OnDemand(self.host, self.taker)

    def test_one_guest_is_sampled_at_once(self):
        taken = self.on_demand.sample_now(self.good[0].uuid, PATIENCE)
        self.assertEqual(self.good[0].uuid, taken.instance_uuid)
        self.assertIn('guest.uptime', self.names(taken))
        self.assertEqual([], self.published)

    def test_it_is_while_the_poller_runs_too(self):
        self.start()
        self.wait_for_more(*self.good, count=1)
        for guest in self.good:
            taken = self.on_demand.sample_now(guest.uuid, PATIENCE)
            self.assertEqual(guest.uuid, taken.instance_uuid)

    def test_who_is_not_there_is_not_found(self):
        with self.assertRaises(errors.GuestNotFound):
            self.on_demand.sample_now(
                'c1d2e3f4-0000-4000-8000-000000000002', PATIENCE
            )

    def test_who_does_not_answer_is_said_not_to(self):
        with self.assertRaises(errors.GuestUnavailable) as caught:
            self.on_demand.sample_now(self.guests[2].uuid, PATIENCE)
        self.assertEqual('no_agent', caught.exception.reason)


class ChoiceTest(PollerTest):
    def choose(self, **options):
        self.poller.reconfigure(monitored.Monitored(**options))

    def test_a_guest_that_is_left_out_is_sampled_no_more(self):
        self.start()
        first, second = self.good
        self.wait_for_more(first, second)
        self.choose(
            interval=INTERVAL,
            excluded_instances=frozenset([first.uuid.replace('-', '')]),
        )
        self.wait_for_more(second, count=1)
        count = len(self.rounds(first))
        self.wait_for_more(second)
        self.assertEqual(count, len(self.rounds(first)))

    def test_with_nothing_to_measure_nothing_is_published(self):
        self.useFixture(
            fixtures.MonkeyPatch('nova_qga.agent.poller.BURST', (0.05,) * 4)
        )
        self.host.loop.call(self.taker.use, {}, INTERVAL)
        self.start()
        self.host.loop.call(
            self.host.directory.restarted, self.good[0].uuid, True
        )
        self.let_periods_pass()
        self.host.loop.call(
            self.taker.use, plugins.load_collectors(['memory']), INTERVAL
        )
        self.assertEqual([], self.published)
        self.poller.reconfigure(monitored.Monitored(interval=INTERVAL))
        self.wait_for_more(*self.good, count=1)

    def test_a_project_has_a_period_of_its_own(self):
        self.choose(interval=3600.0)
        self.start()
        project = self.good[0].owner.project_uuid.replace('-', '')
        self.choose(interval=3600.0, project_intervals={project: INTERVAL})
        self.wait_for_more(*self.good)


class NewsTest(PollerTest):
    def setUp(self):
        super().setUp()
        self.useFixture(
            fixtures.MonkeyPatch('nova_qga.agent.poller.BURST', (0.05,) * 4)
        )
        # Longer than any test: what is sampled is sampled for another reason.
        self.poller.reconfigure(monitored.Monitored(interval=3600.0))
        self.start()

    def restart(self, guest, booted):
        directory = self.host.directory
        self.host.loop.call(directory.restarted, guest.uuid, booted)

    def wait_for_burst(self):
        """Wait for the end of the first guest's."""
        self.wait_until(lambda: self.internals.in_bursts == 4)
        self.wait_until(lambda: self.of(self.good[0]))

    def test_after_a_boot_it_is_sampled_some_times_at_once(self):
        self.restart(self.good[0], booted=True)
        self.wait_for_burst()
        self.assertEqual([], self.of(self.good[1]))

    def test_after_less_it_is_not(self):
        self.restart(self.good[1], booted=False)
        self.restart(self.good[0], booted=True)
        self.wait_for_burst()
        self.assertEqual([], self.of(self.good[1]))

    def test_guests_of_which_too_many_boot_wait_for_their_period(self):
        self.useFixture(
            fixtures.MonkeyPatch('nova_qga.agent.poller.MOST_BURSTS', 1)
        )
        for guest in self.good:
            self.restart(guest, booted=True)
        self.wait_for_burst()
        self.assertEqual([], self.of(self.good[1]))
        self.restart(self.good[1], booted=True)
        self.wait_until(lambda: self.of(self.good[1]))

    def test_a_storm_of_boots_makes_one_burst_at_a_time(self):
        for _ in range(50):
            self.restart(self.good[0], booted=True)
        self.wait_for_burst()
        self.assertEqual(4, self.internals.in_bursts)


class HeartbeatTest(PollerTest):
    def test_a_guest_that_is_sampled_seldom_gives_signs_of_life(self):
        self.poller.reconfigure(
            monitored.Monitored(interval=3600.0, heartbeat_interval=0.1)
        )
        self.start()
        self.wait_until(lambda: self.internals.beats[True] > 4)
        self.assertEqual([], self.published)

    def test_one_that_comes_back_is_sampled_at_once(self):
        self.start()
        self.wait_for_more(*self.good)
        silent = self.guests[2]
        self.wait_until(lambda: self.rounds(silent))
        self.poller.reconfigure(
            monitored.Monitored(interval=3600.0, heartbeat_interval=0.1)
        )
        self.silent.replies['guest-info'] = {
            'version': '10.0',
            'supported_commands': [{'name': 'guest-info', 'enabled': True}],
        }
        self.silent.behave(hostile.good)
        self.wait_until(lambda: self.of(silent))


class CrashTest(PollerTest):
    def setUp(self):
        super().setUp()
        folder = self.useFixture(process.ShortFolder()).path
        self.journal = database.Database(folder)
        self.addCleanup(self.journal.close)

    def run_once(self):
        """Sample the first guest as a run that then crashes."""
        files = open_files.OpenFiles(self.journal)
        made = taker.Taker(
            self.host, plugins.load_collectors(self.collectors), 0.0, files
        )
        taken = on_demand.OnDemand(self.host, made)
        samples = taken.sample_now(self.good[0].uuid, PATIENCE)
        self.assertIn('guest.memory.total', self.names(samples))
        self.assertTrue(files.flush(PATIENCE))
        files.stop(PATIENCE)
        return made

    def test_files_that_a_crash_left_open_are_used_on(self):
        for _ in range(3):
            self.run_once()
        opened = ['/proc/meminfo', '/proc/uptime']
        self.assertEqual(opened, self.open_files(self.agents[0]))

    def test_those_of_another_boot_are_not(self):
        self.run_once()
        files = open_files.OpenFiles(self.journal)
        [(uuid, channel)] = files.all()
        files.note(uuid, channel, 'another boot', {'/proc/meminfo': 999})
        files.stop(PATIENCE)
        self.run_once()
        self.assertEqual(4, len(self.open_files(self.agents[0])))

    def test_what_was_closed_is_remembered_no_more(self):
        made = self.run_once()
        files = open_files.OpenFiles(self.journal)
        made._samplers[self.good[0].uuid]._files = files
        made.close()
        files.stop(PATIENCE)
        self.assertEqual({}, open_files.OpenFiles(self.journal).all())
        self.assertEqual([], self.open_files(self.agents[0]))
