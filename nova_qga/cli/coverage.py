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

"""``guest coverage``: which guests' agents can be used, and why not."""

import argparse
import collections
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import every_host
from nova_qga.cli import outcome

Guest = Mapping[str, Any]

_COLUMNS = (
    'UUID',
    'Name',
    'Host',
    'Channel',
    'Agent',
    'Version',
    'Blocked',
    'Reason',
    'Message',
)
_LONG = (
    'Project',
    'State',
    'Status',
    'Since',
    'Blocked Commands',
    'Lost Operations',
)
_COUNTS = (
    'Guests',
    'Channel',
    'Direct',
    'Agent',
    'Limited',
    'Dark',
    'Reasons',
)


class Coverage(command.Lister):
    """Show which guests' agents can be used, and why the others cannot.

    Of all hosts that run nova-compute, unless --host or --local says
    otherwise. Each agent is asked now, but for those that failed a moment
    ago: no host takes more than 20 seconds.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--dark',
            action='store_true',
            help='Only guests of which nothing can be asked',
        )
        shown = parser.add_mutually_exclusive_group()
        shown.add_argument(
            '--long', action='store_true', help='Show more of each guest'
        )
        shown.add_argument(
            '--totals',
            choices=('host', 'project'),
            help='Count guests by host or by project',
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        if parsed_args.dark and parsed_args.totals:
            raise outcome.Failure(
                '--totals counts all guests, the dark ones too: leave --dark '
                'out',
                outcome.ExitCode.USAGE,
            )
        answers = self.app.every_host(
            lambda api, host: outcome.result(api.get_coverage(host))
        )
        self.exit_code = answers.exit_code
        guests = [
            {**guest, 'host': host}
            for host, result in answers.results.items()
            for guest in result['guests']
            if guest['status'] == 'dark' or not parsed_args.dark
        ]
        if parsed_args.totals == 'host':
            columns, rows = _by_host(guests, answers)
        elif parsed_args.totals == 'project':
            columns, rows = _by_project(guests)
        else:
            columns = _COLUMNS + (_LONG if parsed_args.long else ())
            rows = [_row(guest)[: len(columns)] for guest in guests]
        return columns, [cells.row(row, parsed_args.formatter) for row in rows]


def _row(guest: Guest) -> Sequence[Any]:
    return (
        guest['instance_uuid'],
        guest['name'],
        guest['host'],
        ','.join(guest['channels']) or 'none',
        guest['channel'] is not None,
        guest['agent_version'],
        len(guest['blocked']),
        guest['reason'],
        guest['message'],
        guest['project_id'],
        guest['state'],
        guest['status'],
        guest['since'],
        guest['blocked'],
        list(guest['lacking']),
    )


def _by_host(
    guests: Sequence[Guest], answers: every_host.Answers
) -> tuple[Sequence[str], list[Sequence[Any]]]:
    """Count by host; one that did not answer has its reason, no numbers."""
    groups = _groups(guests, 'host', answers.results)
    rows = {host: (host, *_counts(of), None) for host, of in groups.items()}
    for host, reason in answers.missing.items():
        rows[host] = (host, *(None for _ in _COUNTS), reason)
    columns = ('Host', *_COUNTS, 'Error')
    return columns, [rows[host] for host in sorted(rows)]


def _by_project(
    guests: Sequence[Guest],
) -> tuple[Sequence[str], list[Sequence[Any]]]:
    groups = _groups(guests, 'project_id')
    rows: list[Sequence[Any]] = [
        (project, *_counts(groups[project])) for project in sorted(groups)
    ]
    return ('Project', *_COUNTS), rows


def _groups(
    guests: Iterable[Guest], key: str, known: Iterable[str] = ()
) -> Mapping[str, list[Guest]]:
    groups: dict[str, list[Guest]] = {name: [] for name in known}
    for guest in guests:
        groups.setdefault(guest[key], []).append(guest)
    return groups


def _counts(guests: Sequence[Guest]) -> Sequence[Any]:
    """Return what stands under _COUNTS."""
    reasons = collections.Counter(g['reason'] for g in guests if g['reason'])
    return (
        len(guests),
        sum(bool(g['channels']) for g in guests),
        sum('direct' in g['channels'] for g in guests),
        sum(g['channel'] is not None for g in guests),
        sum(g['status'] == 'limited' for g in guests),
        sum(g['status'] == 'dark' for g in guests),
        dict(reasons.most_common()),
    )
