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

"""top: rows for scripts, and a table that changes for people."""

import csv
import json
import os
import signal
import sys
import textwrap
import unittest

import fixtures

from nova_qga.cli import compute_api
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import fake_nova
from nova_qga.tests.fixtures import run_cli
from nova_qga.tests.fixtures import terminal

UUID = fake_api.UUID
OTHER = '00000000-0000-4000-8000-000000000002'

PROGRAM = textwrap.dedent("""
    import itertools, sys, threading
    from nova_qga.cli import shell, target
    from nova_qga import errors
    from nova_qga.tests.fixtures import fake_api

    class Api(fake_api.FakeApi):
        turns = itertools.count()

        def get_usage(self, host, **arguments):
            if host == 'hanging':
                threading.Event().wait()
            if host == 'away':
                raise errors.ServiceUnavailable('start it')
            turn = next(self.turns)
            self.usage = [
                fake_api.used(name=f'turn-{turn}', cpu=0.5),
                fake_api.used(name=f'by-{arguments["sort"]}', cpu=0.4),
                fake_api.used(name='[red]markup[/]', cpu=0.3),
                fake_api.unknown('0' * 36, name='dark', agent='down'),
            ]
            return super().get_usage(host, **arguments)

    program = shell.Shell(lambda options: target.Link(Api(), ''), None)
    sys.exit(program.run(sys.argv[1:]))
""")


class ScriptTest(unittest.TestCase):
    def setUp(self):
        self.api = fake_api.FakeApi()
        self.api.usage = [
            fake_api.used(),
            fake_api.unknown(OTHER, name='db', state='shutoff', agent=None),
        ]

    def run_top(self, *argv, **more):
        return run_cli.run('top', *argv, api=self.api, **more)

    def test_json_has_numbers_and_nulls(self):
        web, db = json.loads(self.run_top('-f', 'json').out)
        self.assertEqual(
            {
                'Name': 'web',
                'UUID': UUID,
                'Host': fake_api.HOST,
                'Project': 'p1',
                'State': 'running',
                'Agent': 'up',
                'Source': 'guest',
                'Age': 12.3,
                'vCPUs': 2,
                'CPU %': 25.3,
                'Load': 0.71,
                'Memory %': 25.0,
                'Memory Used': 1 << 30,
                'Memory Total': 4 << 30,
                'Filesystem %': 90.0,
                'Mount Point': '/var',
                'Disk Read': 1048576.0,
                'Disk Write': 2097152.5,
                'Network Receive': 10000.0,
                'Network Transmit': 0.0,
            },
            web,
        )
        for title in ('Agent', 'Source', 'Age', 'CPU %', 'Disk Read'):
            self.assertIsNone(db[title], title)

    def test_a_table_has_sizes_for_people_and_dashes(self):
        out = self.run_top('-c', 'Memory Used', '-c', 'Disk Write').out
        self.assertIn('| 1.00G       | 2.00M      |', out)
        self.assertIn('| -           | -          |', out)

    def test_it_is_shown_as_often_as_wanted(self):
        ended = self.run_top(*'-n 3 --interval 0.5 -f csv -c Name'.split())
        rows = list(csv.reader(ended.out.splitlines()))
        self.assertEqual([['Name'], ['web'], ['db']] * 3, rows)
        self.assertEqual(3, self.api.calls.count('get_usage'))

    def test_host_order_and_project_reach_the_host(self):
        self.run_top('--sort', 'disk', '--project', 'p1', '--once')
        self.assertEqual(
            [('get_usage', {'sort': 'disk', 'project_id': 'p1'})],
            self.api.asked,
        )

    def test_a_host_that_is_not_asked_is_said_and_the_code_is_7(self):
        nova = fake_nova.FakeNova(
            compute_api.ComputeHost(fake_api.HOST, None),
            compute_api.ComputeHost('compute-2', 'it is down'),
        )
        ended = self.run_top('-f', 'json', nova=nova, host=())
        self.assertEqual(7, ended.code)
        self.assertEqual(2, len(json.loads(ended.out)))
        self.assertIn('No answer of compute-2: it is down', ended.err)

    def test_wrong_numbers_are_refused(self):
        for argv in (
            ('-n', '0'),
            ('-n', 'x'),
            ('--interval', '0'),
            ('--sort', 'weight'),
            ('-n', '2', '--once'),
        ):
            with self.subTest(argv=argv):
                self.assertEqual(2, self.run_top(*argv).code)
        self.assertEqual([], self.api.calls)


class TerminalTest(fixtures.TestWithFixtures):
    def start(self, *argv, hosts=('c1',), columns=100, **more):
        where = [f'--host={host}' for host in hosts]
        return self.useFixture(
            terminal.Terminal(
                [sys.executable, '-W', 'ignore', '-c', PROGRAM]
                + [*where, 'top', '--interval', '0.5', *argv],
                columns=columns,
                **more,
            )
        )

    def test_it_changes_until_q(self):
        screen = self.start()
        screen.expect('turn-0')
        screen.expect('turn-2')
        screen.expect('q quit')
        screen.type('q')
        self.assertEqual(0, screen.wait(), screen.text)
        # It ends on the screen where it was begun, and stays there.
        _, left, after = screen.screen.partition('\x1b[?1049l')
        self.assertTrue(left)
        self.assertIn('[red]markup[/]', after)
        self.assertNotIn('q quit', after)

    def test_ctrl_c_ends_it_well(self):
        screen = self.start()
        screen.expect('turn-1')
        screen.type('\x03')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertNotIn('Traceback', screen.text)

    def test_sigterm_leaves_the_terminal_as_it_was(self):
        screen = self.start()
        screen.expect('turn-1')
        os.kill(screen.pid, signal.SIGTERM)
        self.assertEqual(143, screen.wait(), screen.text)
        self.assertIn('\x1b[?1049l', screen.screen)
        self.assertNotIn('Traceback', screen.text)

    def test_keys_sort(self):
        screen = self.start('--sort', 'load')
        screen.expect('by-load')
        for key, sort in (
            ('c', 'cpu'),
            ('m', 'memory'),
            ('d', 'disk'),
            ('n', 'network'),
            ('l', 'load'),
            ('a', 'name'),
        ):
            screen.type(key)
            screen.expect(f'by {sort}')
            screen.expect(f'by-{sort}')
        screen.type('\x1b[A\x1b[6~\x1b[5~zq')
        self.assertEqual(0, screen.wait(), screen.text)

    def test_hosts_that_do_not_answer_hold_up_none(self):
        screen = self.start(hosts=('c1', 'hanging', 'away'))
        screen.expect('No answer of away: start it')
        screen.expect('turn-3')
        screen.expect('1 of 3 hosts')
        screen.expect('No answer of hanging for ')
        screen.type('q')
        self.assertEqual(0, screen.wait(), screen.text)

    def test_once_writes_a_table_that_fits_and_no_more(self):
        screen = self.start('--once', hosts=('c1', 'away'), columns=80)
        self.assertEqual(7, screen.wait(), screen.text)
        self.assertNotIn('\x1b[?1049h', screen.screen)
        self.assertIn('turn-0', screen.text)
        self.assertIn('No answer of away', screen.text)
        self.assertLessEqual(max(map(len, screen.text.splitlines())), 80)

    def test_it_ends_after_so_many_looks(self):
        screen = self.start('-n', '2')
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertIn('turn-1', screen.text)
        self.assertNotIn('turn-2', screen.text)

    def test_where_no_host_answers_the_code_is_4(self):
        screen = self.start('-n', '1', hosts=('away',))
        self.assertEqual(4, screen.wait(), screen.text)
        self.assertIn('start it', screen.text)

    def test_a_dumb_terminal_gets_the_table_of_scripts(self):
        screen = self.start(env={'TERM': 'dumb'})
        self.assertEqual(0, screen.wait(), screen.text)
        self.assertIn('| turn-0 ', screen.text)
