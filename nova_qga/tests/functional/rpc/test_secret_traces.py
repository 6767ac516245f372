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

"""A password is found nowhere, whichever way it is set.

A real guest, libvirtd with its debug log, a real RabbitMQ with its firehose,
an agent that logs all it can: passwords are set in every way, and then looked
for in all that was left behind.
"""

import pathlib
import re
import resource
import secrets
import signal
import subprocess
import sys
import tempfile
import unittest

from passlib import hash as password_hash

from nova_qga.tests.fixtures import password_paths
from nova_qga.tests.fixtures import shared
from nova_qga.tests.fixtures import traces

MARKER = secrets.token_hex(8)

#: The sender of these put them on the bus himself.
SENT_IN_CLEAR = {
    'clear text as password',
    'clear text as crypted',
    'clear text as sealed',
}
ON_THE_BUS = {'requests on the bus', 'files of the broker'}

#: Leaves a core with the marker in it, where cores can be had at all.
DUMPS = f"""
import os
kept = {MARKER!r} * 3
os.abort()
"""


class SecretTracesTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(
            resource.setrlimit,
            resource.RLIMIT_CORE,
            resource.getrlimit(resource.RLIMIT_CORE),
        )
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
        cls.paths = paths = password_paths.PasswordPaths(
            shared.broker(), MARKER
        )
        cls.addClassCleanup(paths.cleanUp)
        paths.setUp()
        cls.outcomes = {}
        cls.in_memory = {}
        cls.set_by_api()
        cls.set_by_cli()
        cls.refused()
        cls.set_over_the_standard_channel()
        cls.cut_off()
        cls.never_answered()
        paths.collect()
        cls.traces = paths.traces

    @classmethod
    def note(cls, way, outcome):
        cls.outcomes[way] = outcome['state'], outcome['channel']

    @classmethod
    def set_by_api(cls):
        paths = cls.paths
        for way, crypt in (('crypted', True), ('sealed', False)):
            cls.note(way, paths.by_api(way, crypt=crypt))
        cls.entry = paths.vm.inspect(
            f'grep ^{password_paths.ACCOUNT}: /etc/shadow'
        )
        way = 'sealed to an old key'
        request = paths.sealed(way)
        paths.program.rotate_key()
        cls.note(way, paths.by_hand(**request))
        for way, crypt in (('no account', False), ('no account, hash', True)):
            user = f'u{MARKER}'
            cls.note(way, paths.by_api(way, crypt=crypt, user=user))

    @classmethod
    def set_by_cli(cls):
        paths = cls.paths
        user = ('--user', password_paths.ACCOUNT)
        cls.printed = {}
        for way, words in (
            ('generated', ()),
            ('generated, sealed', ('--clear',)),
        ):
            out = paths.by_cli(*user, '--generate', *words, '--debug')
            cls.printed[way] = out
            paths.cores[way] = out.strip()
        clear = paths.clear('on standard input').encode()
        paths.by_cli(*user, '--stdin', '--debug', stdin=clear)
        clear = paths.clear('on standard input, sealed').encode()
        paths.by_cli(*user, '--stdin', '--clear', stdin=clear)
        paths.by_cli('--user', f'u{MARKER}', '--generate')
        shown = paths.cli.out('host', 'key', 'list')
        paths.traces.add('stdout of the CLI', shown)

    @classmethod
    def refused(cls):
        paths = cls.paths
        for name in ('password', 'crypted', 'sealed'):
            way = f'clear text as {name}'
            clear = paths.clear(way)
            request = {'username': 'root', name: clear}
            if name == 'sealed':
                request['key_id'] = clear
            cls.note(way, paths.by_hand(**request))

    @classmethod
    def set_over_the_standard_channel(cls):
        paths = cls.paths
        paths.use_channel('standard')
        for way, crypt in (
            ('crypted, standard', True),
            ('sealed, standard', False),
        ):
            cls.note(way, paths.by_api(way, crypt=crypt))
        cls.note(
            'no account, standard',
            paths.by_api(
                'no account, standard', crypt=True, user=f'u{MARKER}'
            ),
        )
        paths.use_channel('direct')

    @classmethod
    def cut_off(cls):
        """End the agent while a guest has the password and does not answer."""
        paths = cls.paths
        paths.hang_agents()
        for way, number in (
            ('killed', signal.SIGKILL),
            ('aborted', signal.SIGABRT),
        ):
            request_id = paths.cast_and_wait(way)
            cls.in_memory[way] = paths.memory(paths.cores[way])
            paths.report()
            paths.collect_state()
            paths.program.signal(number)
            paths.program.wait()
            paths.traces.add_files('state', paths.program.state_path)
            paths.let_agents_go_on()
            paths.program.configure(paths.options(timeout=2))
            paths.program.start()
            ended = {'state': 'running'}

            def known(request_id=request_id, ended=ended):
                ended['state'] = paths.program.journal_state(request_id)
                return ended['state'] not in ('accepted', 'running')

            paths.until(known)
            cls.outcomes[way] = ended['state'], None

    @classmethod
    def never_answered(cls):
        cls.note('hanging', cls.paths.by_api('hanging', crypt=False))
        cls.paths.let_agents_go_on()

    def where(self, way):
        return {f.sink for f in self.traces.find(self.paths.cores[way])}

    def test_every_way_was_gone(self):
        direct, standard = ('succeeded', 'direct'), ('succeeded', 'standard')
        self.assertEqual(
            {
                'crypted': direct,
                'sealed': direct,
                'sealed to an old key': direct,
                'no account': ('failed', 'direct'),
                'no account, hash': ('failed', 'direct'),
                'clear text as password': ('failed', None),
                'clear text as crypted': ('failed', None),
                'clear text as sealed': ('failed', None),
                'crypted, standard': standard,
                'sealed, standard': standard,
                'no account, standard': ('failed', 'standard'),
                'killed': ('unknown', None),
                'aborted': ('unknown', None),
                'hanging': ('unknown', 'direct'),
            },
            self.outcomes,
        )
        core = self.paths.cores['sealed']
        self.assertTrue(
            password_hash.sha512_crypt.verify(
                f'Hü"\\☃ {core}:$%', self.entry.split(':')[1]
            )
        )

    def test_no_password_is_found_where_it_must_not_be(self):
        allowed = {
            'generated': {'stdout of the CLI'},
            'generated, sealed': {'stdout of the CLI'},
            # As the documentation says: it goes through libvirt.
            'sealed, standard': {'logs of libvirt'},
        }
        self.assertEqual(
            {way: allowed.get(way, set()) for way in self.paths.cores},
            {
                way: self.where(way)
                - (ON_THE_BUS if way in SENT_IN_CLEAR else set())
                for way in self.paths.cores
            },
        )

    def test_what_was_generated_is_printed_once_and_alone(self):
        for way, out in self.printed.items():
            self.assertEqual(f'{self.paths.cores[way]}\n', out)
            self.assertEqual(20, len(self.paths.cores[way]))

    def test_hashes_and_boxes_are_only_where_they_travel(self):
        found = {'crypted': 0, 'sealed': 0}
        for arguments in self.paths.sent():
            for name in found:
                text = arguments.get(name)
                runs = re.findall('[0-9A-Za-z]{16,}', text or '')
                if not runs:
                    continue
                found[name] += 1
                where = {f.sink for f in self.traces.find(max(runs, key=len))}
                self.assertIn('requests on the bus', where)
                more = {'logs of libvirt'} if name == 'crypted' else set()
                self.assertLessEqual(where, ON_THE_BUS | more)
        self.assertGreaterEqual(found['crypted'], 5)
        self.assertGreaterEqual(found['sealed'], 8)

    def test_no_core_is_left_though_the_password_was_in_memory(self):
        self.assertEqual({'killed': True, 'aborted': True}, self.in_memory)
        self.assertEqual([], list(self.paths.program.folder.rglob('core*')))

    def test_the_search_finds_a_marker_in_every_place(self):
        marked = traces.Traces()
        marked.sinks = dict(self.traces.sinks)
        with tempfile.TemporaryDirectory() as folder:
            died = subprocess.run([sys.executable, '-c', DUMPS], cwd=folder)
            marked.add_files('core', pathlib.Path(folder))
        self.assertEqual(-signal.SIGABRT, died.returncode)
        found = {each.sink for each in marked.find(MARKER)}
        with open('/proc/sys/kernel/core_pattern') as pattern:
            if pattern.read(1) in '|/':
                # Another program or folder gets cores on this machine.
                found.add('core')
        self.assertEqual(
            {
                'core',
                'files of the broker',
                'log',
                'logs of libvirt',
                'notifications',
                'other messages',
                'process of the CLI',
                'process of the agent',
                'reports',
                'requests on the bus',
                'state',
                'stderr of the CLI',
                'stdout of the CLI',
            },
            found,
        )
