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

"""legacy scan and legacy clean: what is seen, removed, left, and said."""

import json
import pathlib
import unittest

import fixtures

from nova_qga.cli import compute_api
from nova_qga import errors
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import fake_nova
from nova_qga.tests.fixtures import injected_guest
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID
INFO = injected_guest.INFO
SCRIPT = injected_guest.SCRIPT
SETTINGS = injected_guest.SETTINGS
CRON = injected_guest.CRON
OTHER = '5a30e6de-ad6a-4f40-91a4-000000000001'
SECRET = 'hunter2'
OFF = {
    'code': 'guest_unavailable',
    'reason': 'shutoff',
    'message': 'it is off',
}
BLOCKED = fake_api.error('command_unsupported', 'the agent blocks guest-exec')


class LegacyTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.api = injected_guest.InjectedGuest()
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.file = folder / 'inject_files.json'
        self.file.write_text(injected_guest.encoded())
        self.folder = folder

    def run_it(self, verb, *argv, **more):
        ended = run_cli.run(
            'legacy', verb, '--inject-files', str(self.file), '-f', 'json',
            *argv, api=self.api, **more,
        )  # fmt: skip
        for text in (ended.out, ended.err):
            self.assertNotIn(SECRET, text)
            self.assertNotIn('Traceback', text)
        return ended

    def states(self, verb, *argv, code=0, **more):
        """Path -> its state; the rows and what was said are kept."""
        ended = self.run_it(verb, *argv, **more)
        self.assertEqual(code, ended.code, ended.err)
        self.said = ended.err
        self.rows = json.loads(ended.out)
        self.reasons = {row['Path']: row['Reason'] for row in self.rows}
        return {row['Path']: row['State'] for row in self.rows}


class ScanTest(LegacyTest):
    def test_each_file_has_its_state(self):
        self.api.files[INFO] += b'x'
        self.api.files[SETTINGS] = b''
        del self.api.files[CRON]
        self.assertEqual(
            {
                INFO: 'changed',
                SCRIPT: 'identical',
                SETTINGS: 'changed',
                CRON: 'absent',
            },
            self.states('scan', UUID),
        )
        self.assertEqual(
            (UUID, fake_api.HOST),
            (self.rows[0]['UUID'], self.rows[0]['Host']),
        )
        self.assertEqual([], self.api.ran)

    def test_no_more_is_read_than_the_comparison_takes(self):
        self.api.files[INFO] = bytes(1 << 20)
        lengths = []
        read = self.api.read_file

        def note(*given, length, **more):
            lengths.append(length)
            return read(*given, length=length, **more)

        self.api.read_file = note
        self.assertEqual('changed', self.states('scan', UUID)[INFO])
        self.assertEqual(
            [len(each) + 1 for each in injected_guest.CONTENTS.values()],
            lengths,
        )

    def test_one_that_cannot_be_read_is_unknown_with_its_reason(self):
        self.api.failures['read_file'] = [
            fake_api.error('command_failed', 'Permission denied\x1b[2J'),
        ]
        states = self.states('scan', UUID, code=1)
        self.assertEqual('unknown', states[INFO])
        self.assertEqual('identical', states[SCRIPT])
        self.assertEqual('Permission denied\\x1b[2J', self.reasons[INFO])

    def test_an_agent_on_windows_has_none_of_them(self):
        self.api.failures['read_file'] = [
            fake_api.error(
                'command_failed',
                f"the guest agent says: failed to open file '{INFO}' (mode: "
                f"'r'): The system cannot find the {what} specified.",
            )
            for what in ('path', 'file', 'path', 'path')
        ]
        self.assertEqual({'absent'}, set(self.states('scan', UUID).values()))

    def test_words_like_those_of_an_absent_file_elsewhere_are_no_proof(self):
        self.api.failures['read_file'] = [
            fake_api.error('operation_failed', 'No such file or directory'),
            fake_api.error(
                'command_failed', 'No such file or directory: denied'
            ),
        ]
        states = self.states('scan', UUID, code=1)
        self.assertEqual(
            ['unknown', 'unknown'], [states[INFO], states[SCRIPT]]
        )

    def test_a_guest_that_is_off_is_asked_once(self):
        self.api.failures['read_file'] = [OFF] * 9
        states = self.states('scan', UUID, code=3)
        self.assertEqual({'unknown'}, set(states.values()))
        self.assertEqual({'it is off'}, set(self.reasons.values()))
        self.assertEqual(1, self.api.calls.count('read_file'))

    def test_all_guests_of_the_hosts_are_looked_at(self):
        self.api.guests = [
            {**self.api.guests[0], 'instance_uuid': each}
            for each in (UUID, OTHER)
        ]
        self.states('scan')
        self.assertEqual({UUID, OTHER}, {row['UUID'] for row in self.rows})
        self.assertEqual(8, len(self.rows))

    def test_one_bad_guest_of_several_is_partial(self):
        self.api.failures['read_file'] = [OFF]
        self.states('scan', UUID, OTHER, '--at-once', '1', code=7)
        self.assertEqual(
            ['unknown'] * 4 + ['identical'] * 4,
            [row['State'] for row in self.rows],
        )

    def test_a_host_that_is_down_is_partial(self):
        nova = fake_nova.FakeNova(
            compute_api.ComputeHost(fake_api.HOST, None),
            compute_api.ComputeHost('compute-2', 'it is down'),
        )
        self.states('scan', nova=nova, host=(), code=7)
        self.assertIn('compute-2', self.said)
        self.assertEqual(4, len(self.rows))

    def test_an_inject_file_that_is_wrong_is_2_and_nothing_is_asked(self):
        self.file.write_text('[{"path": "etc/x", "contents": "aHVudGVyMg=="}]')
        for verb in ('scan', 'clean'):
            ended = self.run_it(verb, UUID)
            self.assertEqual(2, ended.code)
            self.assertIn('file 1: its path must be absolute', ended.err)
        self.assertEqual([], self.api.calls)

    def test_it_may_come_from_standard_input(self):
        ended = run_cli.run(
            'legacy', 'scan', UUID, '--inject-files', '-', api=self.api,
            stdin=injected_guest.encoded(as_list=False),
        )  # fmt: skip
        self.assertEqual(0, ended.code, ended.err)
        self.assertEqual(4, ended.out.count('identical'))


class ParityTest(LegacyTest):
    def parity(self, code=0):
        ended = self.run_it('scan', '--parity', UUID)
        self.assertEqual(code, ended.code, ended.err)
        [row] = json.loads(ended.out)
        return row

    def test_each_kind_has_its_source_or_the_reason_why_not(self):
        self.api.metrics['samples'].append(
            {
                **self.api.metrics['samples'][0],
                'name': 'guest.cpu.time',
                'source': 'hypervisor',
            }
        )
        row = self.parity()
        self.assertEqual('guest+hypervisor', row['CPU'])
        self.assertEqual('guest', row['Memory'])
        self.assertIsNone(row['Disk'])
        self.assertEqual(
            'the agent lacks guest-get-diskstats', row['Missing']['disk']
        )
        self.assertEqual('it is not measured', row['Missing']['load'])
        self.assertNotIn('memory', row['Missing'])

    def test_period_and_address_are_those_of_the_guest(self):
        row = self.parity()
        self.assertEqual('60', row['Period'])
        self.assertEqual('http://***@10.0.0.9:8080/push', row['Push Address'])

    def test_settings_that_are_absent_or_hostile_are_none(self):
        self.api.files[SETTINGS] = b'<m>\x1b[2J'
        row = self.parity()
        self.assertEqual(
            (None, 'it is no XML'), (row['Period'], row['Missing']['settings'])
        )
        del self.api.files[SETTINGS]
        row = self.parity()
        self.assertIsNone(row['Period'])
        self.assertNotIn('settings', row['Missing'])

    def test_a_guest_that_blocks_files_is_measured_all_the_same(self):
        self.api.failures['read_file'] = [BLOCKED]
        row = self.parity(code=1)
        self.assertEqual('guest', row['CPU'])
        self.assertIn('guest-exec', row['Missing']['settings'])

    def test_a_guest_that_cannot_be_asked_is_told(self):
        self.api.failures['get_metrics'] = [OFF]
        row = self.parity(code=3)
        self.assertEqual(
            (None, 'it is off'), (row['CPU'], row['Missing']['metrics'])
        )
        self.assertNotIn('read_file', self.api.calls)


class ReportTest(LegacyTest):
    def compare(self, report, names=None, code=0):
        argv = []
        for option, content in (('--report', report), ('--names', names)):
            if content is not None:
                file = self.folder / f'{option[2:]}.json'
                file.write_text(json.dumps(content))
                argv += [option, str(file)]
        self.ended = self.run_it('scan', UUID, *argv)
        self.assertEqual(code, self.ended.code, self.ended.err)
        if code:
            return None
        return {row['Figure']: row for row in json.loads(self.ended.out)}

    def test_figures_are_compared_by_the_names_that_are_given(self):
        found = self.compare(
            {
                'mem_total_kb': 98304,
                'user': 10,
                'idle': 3,
                'host': SECRET,
                'guest.memory.total': 201326592,
                'x': 1,
            },
            {
                'mem_total_kb': {
                    'metric': 'guest.memory.total',
                    'factor': 1024,
                },
                'user': {
                    'metric': 'guest.cpu.time',
                    'labels': {'mode': 'user'},
                },
                'idle': {
                    'metric': 'guest.cpu.time',
                    'labels': {'mode': 'idle'},
                },
                'unused': 'guest.load.1m',
            },
        )
        memory = found['mem_total_kb']
        self.assertEqual(
            (100663296.0, 201326592, 'B', 'gauge', 'guest', 100.0),
            tuple(
                memory[key]
                for key in (
                    'Reported',
                    'Measured',
                    'Unit',
                    'Kind',
                    'Source',
                    'Difference',
                )
            ),
        )
        self.assertEqual(25.0, found['user']['Difference'])
        self.assertEqual('it is not measured here', found['idle']['Note'])
        self.assertEqual('it is no number', found['host']['Note'])
        self.assertEqual(0.0, found['guest.memory.total']['Difference'])
        self.assertIn('no name of ours', found['x']['Note'])
        self.assertNotIn('unused', found)

    def test_samples_with_the_same_labels_are_added_up(self):
        sample = self.api.metrics['samples'][0]
        self.api.metrics['samples'].append({**sample, 'labels': {'cpu': '1'}})
        found = self.compare({'c': 0}, {'c': 'guest.cpu.time'})
        self.assertEqual(25.0, found['c']['Measured'])
        self.assertIsNone(found['c']['Difference'])

    def test_huge_numbers_end_in_no_number(self):
        self.file.with_name('report.json').write_text(
            f'{{"a": 1e999, "b": {"9" * 400}, "c": 1e300, "d": 1e-320}}'
        )
        names = self.folder / 'names.json'
        names.write_text(
            json.dumps(
                {
                    'c': {'metric': 'guest.cpu.time', 'factor': 1e300},
                    'd': 'guest.cpu.time',
                }
            )
        )
        ended = self.run_it(
            *('scan', UUID, '--report', str(self.folder / 'report.json')),
            *('--names', str(names)),
        )
        self.assertEqual(0, ended.code, ended.err)
        self.assertNotIn('Infinity', ended.out)
        self.assertNotIn('NaN', ended.out)
        notes = [row['Note'] for row in json.loads(ended.out)]
        self.assertEqual(
            ['it is no number'] * 2 + ['it is too large a number', None], notes
        )

    def test_files_that_are_wrong_are_2(self):
        for report, names, words in (
            ([], None, 'a report is one object'),
            ({}, None, 'a report is one object'),
            ({'a': 1}, [], 'it is no object'),
            ({'a': 1}, {'a': 7}, '"a": it is neither'),
            ({'a': 1}, {'a': {}}, '"a": it is neither'),
            ({'a': 1}, {'a': {'metric': 'm', 'f': 1}}, '"f" is neither'),
            ({'a': 1}, {'a': {'metric': 'm', 'labels': []}}, 'its labels'),
            ({'a': 1}, {'a': {'metric': 'm', 'labels': {'b': 1}}}, 'labels'),
            ({'a': 1}, {'a': {'metric': 'm', 'factor': 0}}, 'its factor'),
            (None, {}, 'give --report too'),
        ):
            with self.subTest(report=report, names=names):
                self.compare(report, names, code=2)
                self.assertIn(words, self.ended.err)

    def test_a_report_is_of_one_guest(self):
        for argv in ((), (UUID, OTHER)):
            ended = self.run_it('scan', *argv, '--report', str(self.file))
            self.assertEqual(2, ended.code)
            self.assertIn('of one guest', ended.err)


class DryCleanTest(LegacyTest):
    def test_it_says_what_would_be_removed_and_removes_nothing(self):
        self.api.files[INFO] += b'x'
        self.assertEqual(
            {
                CRON: 'removable',
                INFO: 'left',
                SCRIPT: 'removable',
                SETTINGS: 'removable',
            },
            self.states('clean', UUID),
        )
        self.assertIn('Nothing was removed', self.said)
        self.assertIn('1 left, 3 removable', self.said)
        self.assertEqual([], self.api.ran)
        self.assertEqual({'read_file'}, set(self.api.calls))

    def test_it_says_that_what_cron_would_run_stays(self):
        self.api.files[CRON] += b'x'
        states = self.states('clean', UUID, code=1)
        self.assertEqual({'left'}, set(states.values()))
        self.assertIn(CRON, self.reasons[SCRIPT])
        self.assertIn('not what the inject file has', self.reasons[CRON])


class CleanTest(LegacyTest):
    def clean(self, code=0, uuids=(UUID,)):
        return self.states('clean', '--yes', *uuids, code=code)

    def test_identical_files_go_and_cron_goes_first(self):
        self.api.files[INFO] += b'x'
        self.api.files['/etc/passwd'] = b'root'
        self.assertEqual(
            {
                CRON: 'removed',
                INFO: 'left',
                SCRIPT: 'removed',
                SETTINGS: 'removed',
            },
            self.clean(),
        )
        self.assertEqual({INFO, '/etc/passwd'}, set(self.api.files))
        self.assertEqual(
            [
                [*program, '--', path]
                for path in (CRON, SCRIPT, SETTINGS)
                for program in (['readlink', '-f'], ['rm'])
            ],
            self.api.ran,
        )
        self.assertIn('1 left, 3 removed', self.said)

    def test_a_second_run_finds_nothing_to_do(self):
        self.clean()
        self.assertEqual({'absent'}, set(self.clean().values()))

    def test_a_path_over_a_symbolic_link_is_left(self):
        self.api.links = {SCRIPT: '/srv/\x1b[2J', SETTINGS: f'{SETTINGS}2'}
        states = self.clean(code=1)
        self.assertEqual(
            ['left', 'left', 'removed'],
            [states[SCRIPT], states[SETTINGS], states[INFO]],
        )
        self.assertIn('symbolic link', self.reasons[SCRIPT])
        self.assertTrue(self.reasons[SCRIPT].isprintable())
        self.assertIn(SCRIPT, self.api.files)

    def test_what_was_changed_meanwhile_is_left(self):
        def change():
            self.api.files[CRON] += b'x'

        self.api.after_readlink = change
        states = self.clean(code=1)
        self.assertEqual({'left'}, set(states.values()))
        self.assertEqual(4, len(self.api.files))
        self.assertNotIn('rm', [command[0] for command in self.api.ran])

    def test_while_cron_has_its_file_the_others_stay(self):
        self.api.fails['rm'] = 'rm: cannot remove: \x1b[2JRead-only'
        states = self.clean(code=1)
        self.assertEqual({'left'}, set(states.values()))
        self.assertIn('Read-only', self.reasons[CRON])
        self.assertTrue(self.reasons[CRON].isprintable())
        self.assertIn('still there', self.reasons[SCRIPT])
        self.assertEqual(2, len(self.api.ran))

    def test_a_program_that_may_not_be_run_leaves_all_with_the_reason(self):
        denied = fake_api.error('denied', 'the policy forbids execute')
        for failure, state, code, words in (
            (BLOCKED, 'failed', 1, 'blocks guest-exec'),
            (denied, 'denied', 6, 'policy forbids'),
        ):
            with self.subTest(state=state):
                self.api.state = state
                self.api.failures['execute'] = [failure] * 9
                states = self.clean(code=code)
                self.assertEqual({'left'}, set(states.values()))
                self.assertIn(words, self.reasons[CRON])
                self.assertEqual(4, len(self.api.files))

    def test_a_guest_with_no_readlink_is_left_alone(self):
        self.api.fails['readlink'] = ''
        self.assertEqual({'left'}, set(self.clean(code=1).values()))
        self.assertIn('it said nothing', self.reasons[CRON])

    def test_rm_that_does_not_is_found_out(self):
        self.api.removes = False
        self.assertEqual('left', self.clean(code=1)[CRON])
        self.assertIn('still there', self.reasons[CRON])

    def test_an_outcome_that_is_unknown_is_looked_after(self):
        lost = errors.OutcomeUnknown('the answer never came')
        self.api.failures['execute'] = [None, lost]
        states = self.clean(code=5)
        self.assertEqual('unknown', states[CRON])
        self.assertEqual('left', states[SCRIPT])
        self.assertIn('never came', self.reasons[CRON])

    def test_an_unknown_outcome_of_a_file_that_is_gone_is_a_success(self):
        change = self.api.change

        def lose(*given, **more):
            answer = change(*given, **more)
            if more['command'][0] == 'rm':
                raise errors.OutcomeUnknown('the answer never came')
            return answer

        self.api.change = lose
        self.assertEqual({'removed'}, set(self.clean().values()))

    def test_one_that_cannot_be_looked_after_is_unknown(self):
        self.api.failures['read_file'] = [None, None, OFF]
        states = self.clean(code=3)
        self.assertEqual({'unknown'}, set(states.values()))

    def test_a_guest_that_fails_stops_no_other(self):
        self.api.guests.append({**self.api.guests[0], 'instance_uuid': OTHER})
        self.api.failures['read_file'] = [OFF]
        self.states('clean', '--yes', '--at-once', '1', code=7)
        self.assertEqual(
            ['unknown'] * 4 + ['removed'] * 4,
            [row['State'] for row in self.rows],
        )
