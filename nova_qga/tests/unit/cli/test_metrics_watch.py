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

"""metrics show --watch and metrics plot, at a terminal and elsewhere."""

import csv
import os
import re
import signal
import subprocess
import sys
import textwrap
import unittest

import fixtures

from nova_qga import errors
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import run_cli
from nova_qga.tests.fixtures import terminal
from nova_qga.tests.fixtures import told_samples

UUID = fake_api.UUID
READ = 'guest.disk.read.bytes'

PROGRAM = textwrap.dedent("""
    import itertools, sys
    from nova_qga.cli import shell, target
    from nova_qga import errors
    from nova_qga.tests.fixtures import fake_api, told_samples

    class Api(fake_api.FakeApi):
        turns = itertools.count(1)

        def get_metrics(self, host, instance_uuid):
            turn = next(self.turns)
            if turn == 5:
                raise errors.ServiceUnavailable('it is away')
            self.metrics = told_samples.busy_disks(turn)
            self.metrics['samples'] += [
                told_samples.gauge(f'guest.more.{number}', number, turn)
                for number in range(60)
            ]
            return super().get_metrics(host, instance_uuid)

    api = Api()
    program = shell.Shell(lambda options: target.Link(api, ''), None)
    sys.exit(program.run(['--host=c1', *sys.argv[1:]]))
""")


def argv(*words):
    return [sys.executable, '-W', 'ignore', '-c', PROGRAM, *words]


class WatchTest(fixtures.TestWithFixtures):
    def start(self, *words, columns=80, **more):
        return self.useFixture(
            terminal.Terminal(argv(*words), columns=columns, **more)
        )

    def test_values_and_rates_change_in_place(self):
        screen = self.start('metrics', 'show', UUID, '--watch', '0.5')
        screen.expect('1-34 of 64 samples')
        screen.expect('guest.disk.read.bytes device=vda')
        screen.expect(' 500 B ')
        screen.expect('tells nothing of network: the agent lacks it')
        screen.expect('No answer: it is away')
        screen.type(' ')
        screen.expect('guest.more.59')
        screen.type('bq')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertNotIn('Traceback', screen.text)

    def test_a_pipe_gets_the_rows_again_and_again(self):
        with subprocess.Popen(
            argv('metrics', 'show', UUID)
            + ['--watch=0.5', '-f', 'csv', '-c', 'Name', '-c', 'Rate'],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            rows = csv.reader(program.stdout)
            found = [next(rows) for _ in range(3 + 64)]
            program.stdout.close()
            said = program.stderr.read()
        self.assertEqual(['Name', 'Rate'], found[0])
        self.assertEqual([READ, ''], found[1])
        self.assertEqual([READ, '500.0'], found[66])
        self.assertNotIn('Traceback', said)

    def test_without_it_there_is_no_rate(self):
        ended = run_cli.run('metrics', 'show', UUID, '-c', 'Rate')
        self.assertEqual(2, ended.code)

    def test_ctrl_c_ends_it_well(self):
        screen = self.start('metrics', 'show', UUID, '--watch', '0.5')
        screen.expect(' 500 B ')
        screen.type('\x03')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertIn('guest.more.5', screen.text)


class PlotTest(fixtures.TestWithFixtures, unittest.TestCase):
    def plot(self, *words, api=None):
        return run_cli.run('metrics', 'plot', UUID, *words, api=api)

    def start(self, *words, columns=80, **more):
        return self.useFixture(
            terminal.Terminal(
                argv('metrics', 'plot', UUID, *words, '--interval', '0.5'),
                columns=columns,
                **more,
            )
        )

    def test_it_is_drawn_while_it_is_measured_and_left_there(self):
        screen = self.start(READ)
        screen.expect('One more look is needed')
        screen.expect('-- device=vda  last 500  min 500')
        screen.expect('-- device=vdb  last 0')
        screen.expect('No answer: it is away')
        screen.type('\x03')
        self.assertEqual(0, screen.wait(), screen.text)
        _, left, after = screen.screen.partition('\x1b[?1049l')
        self.assertTrue(left)
        self.assertIn('12:00:0', after)
        self.assertIn('(B/s)', after)
        self.assertNotIn('q quit', after)
        for line in re.sub(r'\x1b\[[0-9;]*m', '', after).splitlines():
            self.assertLessEqual(len(line), 80)

    def test_it_ends_after_so_many_points(self):
        screen = self.start('guest.load.1m', '--points', '3')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertIn('last 1.50', screen.text)
        self.assertNotIn('last 2.00', screen.text)

    def test_elsewhere_it_is_drawn_once_with_letters(self):
        done = subprocess.run(
            argv('metrics', 'plot', UUID, READ)
            + ['--interval', '0.5', '--duration', '1.5'],
            capture_output=True,
            timeout=60,
            env={**os.environ, 'LC_ALL': 'C.UTF-8'},
        )
        self.assertIn(b'Measuring 4 times', done.stderr)
        out = done.stdout.decode()
        self.assertEqual(1, out.count('(UTC)'))
        self.assertNotIn('\x1b', out)
        self.assertIn('a device=vda  last 500', out)
        self.assertIn('b device=vdb', out)
        for line in out.splitlines():
            self.assertLessEqual(len(line), 80)

    def test_ctrl_c_draws_what_there_is(self):
        with subprocess.Popen(
            argv('metrics', 'plot', UUID, 'guest.load.1m', '--interval', '60'),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, 'LC_ALL': 'C.UTF-8'},
            preexec_fn=lambda: signal.signal(
                signal.SIGINT, signal.default_int_handler
            ),
        ) as program:
            program.stderr.readline()
            program.send_signal(signal.SIGINT)
            out, said = program.communicate(timeout=60)
        self.assertEqual(0, program.returncode, said)
        self.assertIn('last 0.50', out)

    def test_what_cannot_be_drawn_is_said_at_once(self):
        for words, said in (
            (('guest.cpu.tim',), 'near ones are guest.cpu.time'),
            (('guest.cpu.time', '--label', 'mode=x'), 'cpu=0,mode=user'),
            (('guest.cpu.time', '--label', 'mode'), 'is no label'),
            (('guest.cpu.time', '--points', '0'), 'no number from 1'),
        ):
            with self.subTest(words=words):
                ended = self.plot(*words)
                self.assertEqual((2, ''), (ended.code, ended.out))
                self.assertIn(said, ended.err)
        api = fake_api.FakeApi()
        api.failures['get_metrics'] = [
            errors.GuestUnavailable('shutoff', 'it is off')
        ]
        self.assertEqual(3, self.plot('guest.cpu.time', api=api).code)

    def test_one_point_of_what_is_counted_is_no_rate(self):
        ended = self.plot('guest.cpu.time', '--points', '1')
        self.assertEqual(0, ended.code)
        self.assertIn('One more look is needed', ended.out)

    def test_an_output_without_the_characters_is_refused(self):
        done = subprocess.run(
            argv('metrics', 'plot', UUID, READ, '--points', '1'),
            capture_output=True,
            text=True,
            env={**os.environ, 'PYTHONIOENCODING': 'latin1'},
        )
        self.assertEqual(2, done.returncode)
        self.assertIn('set LC_ALL=C.UTF-8', done.stderr)

    def test_of_many_curves_the_heaviest_are_drawn(self):
        api = fake_api.FakeApi()
        api.metrics = told_samples.result(
            *(
                told_samples.gauge('guest.x', number, 1, device=f'vd{number}')
                for number in range(9)
            )
        )
        out = self.plot('guest.x', '--points', '1', api=api).out
        self.assertNotIn('device=vd2 ', out)
        self.assertIn('a device=vd3 ', out)
        self.assertIn('f device=vd8 ', out)
        self.assertIn('and 3 more', out)
