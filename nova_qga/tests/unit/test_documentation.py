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

"""What operators look up in the documentation is what the code does.

Tables are read from the sources of the pages, so that a code, a reason or a
method that is added, renamed or taken away cannot be forgotten there.
"""

import ast
from importlib import metadata
import inspect
import json
import pathlib
import re
import unittest

from nova_qga.agent import internals
from nova_qga.cli import outcome
from nova_qga import errors
from nova_qga.guest import looks
from nova_qga.journal import requests
from nova_qga.publishers import fan_out
from nova_qga.publishers import outcome as outcome_event
from nova_qga.rpc import coverage
from nova_qga.rpc import endpoint
from nova_qga.rpc import outcome as rpc_outcome
from nova_qga.rpc import validation
from nova_qga.tests.fixtures import architecture
from nova_qga.tests.fixtures import doc_pages
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.fixtures import scraped

#: Of each page of operations.
SECTIONS = [
    'What it does',
    'Command line',
    'RPC',
    'Notification',
    'What the guest must have',
    'Errors',
    'Policy',
]
#: Arguments of methods that are in no catalog.
OF_HOST = {
    'get_metrics': {'instance_uuid': 'required'},
    'get_operation': {'request_id': 'required'},
    'get_usage': {'sort': '"name"', 'limit': '5000', 'project_id': 'null'},
}


def error_classes(base=errors.QgaError):
    """All classes of errors that a caller can be told of."""
    yield base
    for each in base.__subclasses__():
        yield from error_classes(each)


def exit_code(code):
    """What ``nova-qga`` ends with where a request failed with this code."""
    try:
        outcome.check({'state': 'failed', 'error': {'code': code}})
    except outcome.Failure as failure:
        return int(failure.exit_code)
    raise AssertionError('a failed outcome was taken for a success')


def reasons_in_code():
    """Every reason that a GuestUnavailable is made with."""
    found = set(looks.STATES.values()) - {'running'}
    for module in architecture.modules():
        if module.path.startswith('tests/'):
            continue
        for node in ast.walk(ast.parse(module.text)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == 'GuestUnavailable'
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(node.args[0].value)
    return found


def reasons_of_coverage():
    """Every reason that a guest is called dark or limited with."""
    path = pathlib.Path(coverage.__file__)
    found = {*coverage.FAULTS.values(), coverage.HOST_SIDE}
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == 'Verdict'
            and len(node.args) > 1
            and isinstance(node.args[1], ast.Constant)
        ):
            found.add(node.args[1].value)
    return found


def commands_of_cli():
    """Every command of ours, as it is typed."""
    return [
        point.name.replace('_', ' ')
        for point in metadata.distribution('nova-qga').entry_points
        if point.group == 'nova_qga.cli'
    ]


def members_of_payload():
    """What the notification of an outcome has."""
    ended = rpc_outcome.Outcome('id', 'ping', None, 'host', 'succeeded')
    event = outcome_event.event(
        ended.to_dict(), requests.Owner(), requests.Requester('', '')
    )
    return set(event.payload)


def default(value):
    """What a page says of an argument's default."""
    if value is validation.REQUIRED:
        return 'required'
    return json.dumps(value.decode() if isinstance(value, bytes) else value)


class OperationsTest(unittest.TestCase):
    index = 'admin/operations/index.rst'
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.pages = doc_pages.pages()
        #: method -> the page that has it
        self.page_of = {
            method: page for page in self.pages for method in page.methods
        }

    def test_every_error_code_stands_there_with_its_exit_code(self):
        documented = {
            code: int(exit_code)
            for code, exit_code in re.findall(
                r'^``([a-z_]+)`` +(\d) +\S',
                doc_pages.section(self.index, 'Errors'),
                re.MULTILINE,
            )
        }
        self.assertEqual(
            {each.code: exit_code(each.code) for each in error_classes()},
            documented,
        )

    def test_every_method_is_on_one_page_with_its_arguments(self):
        documented = [
            (method, arguments)
            for page in self.pages
            for method, arguments in page.methods.items()
        ]
        exposed = {
            name: OF_HOST.get(name, {})
            for name, method in inspect.getmembers(endpoint.Endpoint)
            if getattr(method, 'exposed', False)
        }
        of_catalog = {
            name: {
                argument: default(value)
                for argument, (_, value) in operation.arguments.items()
            }
            for name, operation in known_host.OPERATIONS.items()
        }
        self.assertEqual(
            sorted((exposed | of_catalog).items()), sorted(documented)
        )

    def test_every_page_has_the_same_sections(self):
        for page in self.pages:
            with self.subTest(page=page.name):
                self.assertEqual(SECTIONS, list(page.sections))

    def test_the_list_of_methods_leads_to_their_pages(self):
        listed = {
            page.strip('`').removeprefix(':doc:`'): set(
                doc_pages.WORD.findall(methods)
            )
            for page, methods, _ in doc_pages.rows(self.index, 'Methods')
        }
        self.assertEqual(
            {page.name: set(page.methods) for page in self.pages}, listed
        )

    def test_every_operation_says_what_is_told_and_who_may(self):
        for name, operation in known_host.OPERATIONS.items():
            page = self.page_of[name]
            with self.subTest(operation=name):
                self.assertRegex(
                    page.sections['Notification'],
                    rf'``{name}``|``instance\.guest\.{name}\.end``',
                )
                policy = page.sections['Policy']
                self.assertIn(f'``qga:{name}``', policy)
                if operation.off_by_default:
                    self.assertIn('nobody', policy)
                else:
                    self.assertIn(f'``qga:{operation.access}``', policy)

    def test_every_operation_says_what_the_guest_must_have(self):
        for name, operation in known_host.OPERATIONS.items():
            text = self.page_of[name].sections['What the guest must have']
            for command in operation.needs:
                with self.subTest(operation=name, command=command):
                    self.assertIn(f'``{command}``', text)

    def test_every_payload_is_of_an_operation_of_its_page(self):
        for page in self.pages:
            text = page.sections['Notification']
            with self.subTest(page=page.name):
                if page.name in ('host', 'requests'):
                    self.assertIn('None is sent', text)
                    continue
                _, _, block = text.partition('.. code-block:: json\n')
                payload = json.loads(block)
                self.assertIn(payload['operation'], page.methods)
                self.assertEqual(members_of_payload(), set(payload))

    def test_every_command_is_shown_on_a_page(self):
        shown = '\n'.join(
            [
                *(page.sections['Command line'] for page in self.pages),
                doc_pages.section(
                    InjectedScriptsPageTest.page, 'Step by step'
                ),
            ]
        )
        listed = doc_pages.section('user/cli.rst', 'Commands')
        for command in commands_of_cli():
            with self.subTest(command=command):
                self.assertRegex(shown, rf'\$ nova-qga [^\n]*\b{command} ')
                self.assertIn(f'``{command}``', listed)

    def test_the_help_of_every_command_stands_in_the_user_guide(self):
        self.assertIn(
            '.. autoprogram-cliff:: nova_qga.cli\n',
            doc_pages.section('user/cli.rst', 'Options of each command'),
        )


class PrometheusPageTest(unittest.TestCase):
    page = 'admin/prometheus.rst'

    def test_every_metric_of_the_agent_stands_there(self):
        title = 'Of the agent itself'
        documented = {
            first.strip('`') for first, *_ in doc_pages.rows(self.page, title)
        }
        wanted = {
            scraped.name_of(metric)
            for metric in (*internals.METRICS, *fan_out.METRICS)
        }
        self.assertEqual(wanted, documented)


class SecurityPageTest(unittest.TestCase):
    def test_every_operation_stands_there_in_its_class(self):
        documented = {}
        for first, names, *_ in doc_pages.rows('admin/security.rst', 'Policy'):
            [access] = re.findall(r'``qga:(\w+)``', first) or ['none']
            documented[access] = sorted(doc_pages.WORD.findall(names))
        wanted = {}
        for name, operation in known_host.OPERATIONS.items():
            access = 'none' if operation.off_by_default else operation.access
            wanted.setdefault(str(access), []).append(name)
        wanted['audit'] += ['get_metrics', 'get_operation', 'get_usage']
        self.assertEqual(
            {access: sorted(names) for access, names in wanted.items()},
            documented,
        )


class InjectedScriptsPageTest(unittest.TestCase):
    page = 'admin/from-injected-scripts.rst'

    def test_what_shows_that_a_fault_is_gone_is_there(self):
        rows = doc_pages.rows(self.page, 'The old faults')
        self.assertGreater(len(rows), 6)
        for fault, _, shown in rows:
            tests = re.findall(r'``([a-z_/]+\.py)``', shown)
            self.assertTrue(tests, fault)
            for test in tests:
                with self.subTest(fault=fault, test=test):
                    path = architecture.ROOT / 'tests' / test
                    self.assertTrue(path.is_file())


class TroubleshootingPageTest(unittest.TestCase):
    page = 'admin/troubleshooting.rst'

    def test_every_reason_stands_there(self):
        title = 'Reasons why a guest cannot be reached'
        documented = {
            word
            for first, *_ in doc_pages.rows(self.page, title)
            for word in doc_pages.WORD.findall(first)
        }
        self.assertEqual(reasons_in_code(), documented)

    def test_every_reason_why_a_guest_is_dark_stands_there(self):
        above = 'Reasons why a guest cannot be reached'
        documented = {
            title: {
                word
                for first, *_ in doc_pages.rows(self.page, title)
                for word in doc_pages.WORD.findall(first)
            }
            for title in (above, 'Why a guest is dark')
        }
        here = documented['Why a guest is dark']
        self.assertLessEqual(here, reasons_of_coverage())
        self.assertLessEqual(reasons_of_coverage(), here | documented[above])

    def test_every_exit_code_stands_there_but_success(self):
        documented = {
            int(code)
            for first, *_ in doc_pages.rows(self.page, 'Exit codes')
            for code in first.split(', ')
        }
        known = set(map(int, outcome.ExitCode)) - {0}
        self.assertEqual(known | {130, 141}, documented)
