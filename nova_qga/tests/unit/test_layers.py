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

"""The architecture and the rules of HACKING.rst, held by a test.

The rules are in :mod:`nova_qga.tests.fixtures.architecture`. Here they meet
every module, and each meets a few lines that break it: a rule that cannot
fail would be worth nothing.
"""

import subprocess
import sys
import textwrap
import unittest

from oslo_config import cfg

from nova_qga import conf
from nova_qga.tests.fixtures import architecture

#: Path and text of modules that break a rule, each by one line.
BREACHES = {
    'imports_point_down': [
        ('protocol/x.py', 'from nova_qga.transport import unix_socket'),
        ('protocol/x.py', 'from nova_qga import transport'),
        ('nova_extension/x.py', 'from nova_qga.agent import service'),
        ('newcomer/x.py', ''),
        ('newcomer.py', ''),
    ],
    'ours_is_imported_by_from': [
        ('cli/x.py', 'import nova_qga.errors'),
        ('cli/x.py', 'import nova_qga'),
        ('cli/x.py', 'from . import shell'),
        ('cli/x.py', 'from .shell import main'),
    ],
    'modules_are_imported_not_names': [
        ('cli/x.py', 'from nova_qga.errors import QgaError'),
        ('cli/x.py', 'from nova_qga import nothing_there'),
    ],
    'pure_layers_touch_nothing': [
        ('protocol/x.py', 'import socket'),
        ('protocol/x.py', 'from time import monotonic'),
        ('collectors/x.py', 'import asyncio.events'),
    ],
    'nothing_is_mocked': [
        ('tests/unit/x.py', 'from unittest import mock'),
        ('tests/unit/x.py', 'from unittest.mock import Mock'),
        ('tests/unit/x.py', 'import unittest.mock'),
        ('tests/unit/x.py', 'import mock'),
    ],
    'eventlet_stays_out': [
        ('agent/x.py', 'import eventlet'),
        ('tests/unit/x.py', 'from eventlet import green'),
    ],
    'global_conf_is_for_entry_points': [
        ('agent/x.py', 'from oslo_config import cfg\nCONF = cfg.CONF'),
        ('cli/x.py', 'from oslo_config.cfg import CONF'),
    ],
    'modules_are_short': [('agent/x.py', '\n' * 301)],
    'functions_are_short': [
        ('agent/x.py', 'def long():\n' + '    pass\n' * 45),
        ('agent/x.py', 'async def long():\n' + '    pass\n' * 45),
    ],
    'licence_and_docstring_come_first': [
        ('agent/x.py', '"""It has no licence."""\n'),
        ('agent/x.py', architecture.LICENCE + '\n'),
    ],
}


class ArchitectureTest(unittest.TestCase):
    def test_every_module_keeps_every_rule(self):
        complaints = [
            f'{module.path}: {complaint} ({rule.__name__})'
            for module in architecture.modules()
            for rule in architecture.RULES
            for complaint in rule(module)
        ]
        self.assertEqual('', '\n'.join(complaints))

    def test_every_rule_complains_when_it_is_broken(self):
        self.assertEqual(
            {rule.__name__ for rule in architecture.RULES}, set(BREACHES)
        )
        for rule in architecture.RULES:
            for path, text in BREACHES[rule.__name__]:
                with self.subTest(rule=rule.__name__, text=text[:60]):
                    module = architecture.Module(path, text)
                    self.assertTrue(list(rule(module)))

    def test_the_modules_of_the_package_are_found(self):
        found = {module.path for module in architecture.modules()}
        self.assertIn('errors.py', found)
        self.assertIn('tests/unit/test_layers.py', found)

    def test_a_layer_imports_only_what_is_below_it(self):
        """Else two layers could each be allowed to import the other."""
        below = architecture.MAY_IMPORT
        for layer, allowed in below.items():
            reached = set()
            waiting = list(allowed)
            while waiting:
                if (name := waiting.pop()) not in reached:
                    reached.add(name)
                    waiting += below[name]
            with self.subTest(layer=layer):
                self.assertNotIn(layer, reached)

    def test_a_long_docstring_does_not_make_a_function_long(self):
        text = 'def f():\n    """x\n' + '\n' * 60 + '    """\n'
        module = architecture.Module('agent/x.py', text)
        self.assertEqual([], list(architecture.functions_are_short(module)))


class ImportTest(unittest.TestCase):
    """What a program must not load, seen in a new interpreter."""

    def modules_loaded_by(self, name):
        script = textwrap.dedent(f"""
            import importlib, sys
            importlib.import_module({name!r})
            print(*sys.modules)
        """)
        done = subprocess.run(
            [sys.executable, '-c', script], capture_output=True, text=True
        )
        self.assertEqual(0, done.returncode, done.stderr)
        return set(done.stdout.split())

    def test_a_controller_needs_neither_libvirt_nor_a_transport(self):
        loaded = self.modules_loaded_by('nova_qga.rpc.api')
        self.assertEqual(
            set(),
            loaded & {'libvirt', 'nova_qga.transport', 'nova_qga.conf'},
        )

    def test_nova_compute_loads_nothing_of_the_agent(self):
        loaded = self.modules_loaded_by('nova_qga.nova_extension.plugin')
        # os_vif itself loads a lot, eventlet with it in some releases.
        loaded -= self.modules_loaded_by('os_vif.objects.host_info')
        heads = {
            '.'.join(name.split('.')[:2])
            for name in loaded
            if name.startswith('nova_qga.')
        }
        self.assertLessEqual(
            heads,
            {
                'nova_qga.conf',
                'nova_qga.errors',
                'nova_qga.nova_extension',
                'nova_qga.text',
            },
        )
        self.assertEqual(set(), loaded & {'eventlet', 'nova', 'libvirt'})


class OptionHelpTest(unittest.TestCase):
    def test_every_option_says_what_it_is_for(self):
        groups = conf.list_opts()
        self.assertTrue(groups)
        self.assertEqual([], list(architecture.helps_have_substance(groups)))

    def test_a_help_that_says_too_little_is_found(self):
        for text in (
            None,
            'The timeout.',
            'one two three four five six seven eight nine ten eleven 12 13',
            'One two three four five six seven eight nine ten eleven twelve.',
        ):
            with self.subTest(help=text):
                opt = cfg.FloatOpt('timeout', help=text)
                found = architecture.helps_have_substance([('qga', [opt])])
                self.assertEqual(1, len(list(found)))
