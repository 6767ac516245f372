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
import inspect
import pathlib
import re
import unittest

from nova_qga.cli import outcome
from nova_qga import errors
from nova_qga.guest import looks
from nova_qga.rpc import coverage
from nova_qga.rpc import endpoint
from nova_qga.tests.fixtures import architecture
from nova_qga.tests.fixtures import known_host

DOC = pathlib.Path(__file__).resolve().parents[3] / 'doc/source'
#: A word of ours in a table or a list.
WORD = re.compile(r'``([a-z_]+)``')


def section(page, title):
    """The text below a title, to the next title of any rank."""
    text = (DOC / page).read_text()
    _, found, rest = text.partition(f'\n{title}\n')
    assert found, f'{page} has no section "{title}"'
    return re.split(r'\n[^\n]+\n(?:-{4,}|~{4,})\n', rest)[0]


def rows(page, title):
    """The rows of a section's list-table, each a list of its cells."""
    table = section(page, title).split('   * - ')[2:]
    return [re.split(r'\n     - ?', row) for row in table]


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


class OperationsPageTest(unittest.TestCase):
    page = 'admin/operations.rst'

    def test_every_error_code_stands_there_with_its_exit_code(self):
        documented = {
            code: int(exit_code)
            for code, exit_code in re.findall(
                r'^``([a-z_]+)`` +(\d) +\S',
                section(self.page, 'Errors'),
                re.MULTILINE,
            )
        }
        self.assertEqual(
            {each.code: exit_code(each.code) for each in error_classes()},
            documented,
        )

    def test_every_method_stands_there_with_its_arguments(self):
        documented = {}
        for first, *_ in rows(self.page, 'Methods'):
            method, *arguments = WORD.findall(first)
            documented[method] = set(arguments) - {'instance_uuid'}
        exposed = {
            name: set()
            for name, method in inspect.getmembers(endpoint.Endpoint)
            if getattr(method, 'exposed', False)
        }
        of_catalog = {
            name: set(operation.arguments)
            for name, operation in known_host.OPERATIONS.items()
        }
        self.assertEqual(exposed | of_catalog, documented)


class TroubleshootingPageTest(unittest.TestCase):
    page = 'admin/troubleshooting.rst'

    def test_every_reason_stands_there(self):
        title = 'Reasons why a guest cannot be reached'
        documented = {
            word
            for first, *_ in rows(self.page, title)
            for word in WORD.findall(first)
        }
        self.assertEqual(reasons_in_code(), documented)

    def test_every_reason_why_a_guest_is_dark_stands_there(self):
        above = 'Reasons why a guest cannot be reached'
        documented = {
            title: {
                word
                for first, *_ in rows(self.page, title)
                for word in WORD.findall(first)
            }
            for title in (above, 'Why a guest is dark')
        }
        here = documented['Why a guest is dark']
        self.assertLessEqual(here, reasons_of_coverage())
        self.assertLessEqual(reasons_of_coverage(), here | documented[above])

    def test_every_exit_code_stands_there_but_success(self):
        documented = {
            int(code)
            for first, *_ in rows(self.page, 'Exit codes')
            for code in first.split(', ')
        }
        known = set(map(int, outcome.ExitCode)) - {0}
        self.assertEqual(known | {130, 141}, documented)
