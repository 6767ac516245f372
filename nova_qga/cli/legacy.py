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

"""``legacy scan`` and ``legacy clean``: off the old inject_files.json."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from collections import Counter
from typing import Any

from nova_qga.cli import captured_report
from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import every_guest
from nova_qga.cli import inject_files
from nova_qga.cli import injected
from nova_qga.cli import json_file
from nova_qga.cli import monitor_settings
from nova_qga.cli import outcome
from nova_qga.cli import parity

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]
_FILES = ('UUID', 'Host', 'Path', 'State', 'Reason')
_NOT_BEGUN = 'not begun'


class _Legacy(command.Lister):
    """What both commands take, and show."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        every_guest.add_to(parser)
        parser.add_argument(
            '--inject-files',
            metavar='<file>',
            required=True,
            help='The old inject_files.json; - for standard input',
        )
        return parser

    def read_files(
        self, parsed_args: argparse.Namespace
    ) -> list[inject_files.InjectedFile]:
        name = parsed_args.inject_files
        found = json_file.read(name, self.app.stdin, inject_files.MAX_BYTES)
        return inject_files.parse(name, found)

    def show_files(
        self,
        parsed_args: argparse.Namespace,
        visits: every_guest.Visits[list[injected.Found]],
    ) -> Table:
        self.exit_code = visits.exit_code(
            lambda found: [each.exit_code for each in found]
        )
        return _FILES, [
            cells.row(
                (
                    visit.target.instance,
                    visit.target.host,
                    each.path,
                    each.state.value,
                    each.reason,
                ),
                parsed_args.formatter,
            )
            for visit in visits.each
            for each in _found(visit)
        ]


class Scan(_Legacy):
    """Show what guests still have of the files of an inject_files.json.

    Each is identical, changed or absent, or unknown where it cannot be asked
    for; what is in it is never shown. With --parity, show instead which
    figures of the old script are measured in each guest now, and with
    --report, compare figures that the script of one guest has sent.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        view = parser.add_mutually_exclusive_group()
        view.add_argument(
            '--parity',
            action='store_true',
            help=(
                'Show which kinds of figures are measured in each guest, by '
                'whom, and the period and push address of its script'
            ),
        )
        view.add_argument(
            '--report',
            metavar='<file>',
            help=(
                'Compare a report of the old script, a JSON object of names '
                'and numbers, with what is measured now in one guest'
            ),
        )
        parser.add_argument(
            '--names',
            metavar='<file>',
            help='JSON object of names in the report and of metrics for them',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        if parsed_args.names and not parsed_args.report:
            raise outcome.Failure(
                '--names says what figures of a report are called: give '
                '--report too',
                outcome.ExitCode.USAGE,
            )
        files = self.read_files(parsed_args)
        if parsed_args.report:
            return self._report(parsed_args)
        if parsed_args.parity:
            return self._parity(parsed_args, files)
        visits = every_guest.visit(
            self.app, parsed_args, lambda target: injected.scan(target, files)
        )
        return self.show_files(parsed_args, visits)

    def _parity(
        self,
        parsed_args: argparse.Namespace,
        files: list[inject_files.InjectedFile],
    ) -> Table:
        paths = [each.path for each in files]
        settings = next(
            (p for p in paths if p.endswith(f'/{monitor_settings.NAME}')),
            monitor_settings.PATH,
        )
        visits = every_guest.visit(
            self.app, parsed_args, lambda target: parity.look(target, settings)
        )
        self.exit_code = visits.exit_code(lambda found: [found.exit_code])
        columns = (
            'UUID',
            'Host',
            *(kind.title for kind in parity.KINDS),
            'Period',
            'Push Address',
            'Missing',
        )
        return columns, [
            cells.row(_parity_row(visit), parsed_args.formatter)
            for visit in visits.each
        ]

    def _report(self, parsed_args: argparse.Namespace) -> Table:
        if len(parsed_args.instances) != 1:
            raise outcome.Failure(
                'a report is of one guest: name its server',
                outcome.ExitCode.USAGE,
            )
        report = captured_report.parse_report(
            parsed_args.report, self._json(parsed_args.report)
        )
        names = {}
        if parsed_args.names:
            names = captured_report.parse_names(
                parsed_args.names, self._json(parsed_args.names)
            )
        measured = parity.measure(self.app.target(parsed_args.instances[0]))
        rows = captured_report.compare(report, names, measured['samples'])
        columns = [each.capitalize() for each in captured_report.Row._fields]
        return columns, [_report_row(r, parsed_args.formatter) for r in rows]

    def _json(self, name: str) -> Any:
        return json_file.read(name, self.app.stdin, captured_report.MAX_BYTES)


class Clean(_Legacy):
    """Remove the files of an inject_files.json from guests.

    Without --yes nothing is removed, and it is shown what would be. A file
    is removed only where it is, just before, what the inject file has. One
    that was changed, or made for its guest, is left; so is one whose path
    leads over a symbolic link, and whatever cron would still run.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--yes',
            action='store_true',
            help='Remove them',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        files = self.read_files(parsed_args)
        really = parsed_args.yes
        visits = every_guest.visit(
            self.app,
            parsed_args,
            lambda target: injected.clean(target, files, really=really),
        )
        counts = Counter(
            each.state for visit in visits.each for each in _found(visit)
        )
        told = ', '.join(f'{n} {state}' for state, n in sorted(counts.items()))
        if really:
            self.app.LOG.info('Files: %s.', told or 'none')
        else:
            self.app.LOG.info(
                'Nothing was removed; --yes removes what is removable. '
                'Files: %s.',
                told or 'none',
            )
        return self.show_files(parsed_args, visits)


def _found(
    visit: every_guest.Visit[list[injected.Found]],
) -> Iterator[injected.Found]:
    if visit.result is None:
        yield injected.Found('', injected.State.UNKNOWN, _NOT_BEGUN)
        return
    yield from visit.result


def _parity_row(visit: every_guest.Visit[parity.Parity]) -> list[Any]:
    found = visit.result
    row: list[Any] = [visit.target.instance, visit.target.host]
    if found is None:
        nothing = [None for _ in (*parity.KINDS, 'period', 'address')]
        return [*row, *nothing, {'metrics': _NOT_BEGUN}]
    return [
        *row,
        *(found.sources.get(kind.name) for kind in parity.KINDS),
        found.settings.period,
        found.settings.address,
        dict(found.missing),
    ]


def _report_row(row: captured_report.Row, formatter: str) -> list[Any]:
    # Names are of a file of the operator's, and may hold anything.
    safe = [outcome.safe(v) if isinstance(v, str) else v for v in row]
    return cells.row(safe, formatter)
