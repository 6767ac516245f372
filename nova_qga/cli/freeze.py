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

"""``freeze``, ``freeze show`` and ``thaw``."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, TYPE_CHECKING

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import freeze_group
from nova_qga.cli import outcome
from nova_qga import errors

if TYPE_CHECKING:
    from nova_qga.cli import target as cli_target

_SHORTEST = 1
_LONGEST = 3600


class Freeze(command.Lister):
    """Freeze the filesystems of guests, for a backup or a snapshot.

    Each guest is thawed when its time is over, whatever happens to who asked.
    Of several, which takes --group, all are frozen in their order, or none.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_instances(parser)
        parser.add_argument(
            '--for',
            metavar='<seconds>',
            dest='duration',
            type=_duration,
            default=60,
            help='Thaw it after so long (default: 60)',
        )
        parser.add_argument(
            '--mount-point',
            metavar='<path>',
            dest='mountpoints',
            action='append',
            help='Freeze this filesystem, may be repeated (default: all)',
        )
        parser.add_argument(
            '--group',
            action='store_true',
            help='Freeze all of several servers, or none',
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        self._check(parsed_args)
        # All of them first: a name that is wrong ends it before anything was
        # done.
        targets = self.app.targets(parsed_args.instances)
        frozen = freeze_group.freeze(
            targets,
            lambda target: _freeze(target, parsed_args),
            _thaw,
            parsed_args.duration,
        )
        rows = (
            (target.instance, target.host, each['frozen'], each.get('until'))
            for target, each in zip(targets, frozen, strict=True)
        )
        return (
            ('UUID', 'Host', 'Filesystems', 'Until'),
            [cells.row(row, parsed_args.formatter) for row in rows],
        )

    def _check(self, parsed_args: argparse.Namespace) -> None:
        if self.app.options.local:
            raise outcome.Failure(
                'with --local nothing would thaw the guest in time: leave it '
                'out, so that nova-qga-agent does',
                outcome.ExitCode.USAGE,
            )
        named = parsed_args.instances
        if len(named) > 1 and not parsed_args.group:
            raise outcome.Failure(
                'several servers are frozen together or not at all: give '
                '--group, or freeze one at a time',
                outcome.ExitCode.USAGE,
            )
        if len(set(named)) < len(named):
            raise outcome.Failure(
                'a server is named twice', outcome.ExitCode.USAGE
            )


class Thaw(command.Lister):
    """Thaw the filesystems of guests, whoever has frozen them.

    It fails where a guest was not frozen to the end, as after its time was
    over: what was copied of its disks meanwhile is not consistent then.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_instances(parser)
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        targets = self.app.targets(parsed_args.instances)
        rows: list[Sequence[Any]] = []
        for target in targets:
            try:
                thawed = _thaw(target)
            except (outcome.Failure, errors.QgaError) as error:
                if len(targets) == 1:
                    raise
                # The others must be thawed all the same.
                self.exit_code = self.exit_code or outcome.exit_code(error)
                message = outcome.safe(str(error))
                rows.append((target.instance, target.host, None, message))
            else:
                rows.append((target.instance, target.host, thawed, None))
        return (
            ('UUID', 'Host', 'Filesystems', 'Error'),
            [cells.row(row, parsed_args.formatter) for row in rows],
        )


class ShowFreeze(command.ServerShowOne):
    """Show whether a guest is frozen, and until when if it was by us."""

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        target = self.app.target(parsed_args.instance)
        result = outcome.result(
            target.api.ask(target.host, 'get_freeze', target.instance)
        )
        fields = {
            'uuid': target.instance,
            'frozen': result['frozen'],
            'until': result['until'],
            'request_id': result['request_id'],
        }
        for kind in ('standard', 'direct'):
            said = [
                each['status'] or f'unknown: {each["message"]}'
                for each in result['channels']
                if each['channel'] == kind
            ]
            fields[kind] = said[0] if said else 'closed'
        return list(fields), cells.row(
            list(fields.values()), parsed_args.formatter
        )


def _freeze(
    target: 'cli_target.Target', parsed_args: argparse.Namespace
) -> freeze_group.Result:
    return outcome.result(
        target.api.change(
            target.host,
            'freeze',
            target.instance,
            duration=parsed_args.duration,
            mountpoints=parsed_args.mountpoints,
        )
    )


def _thaw(target: 'cli_target.Target') -> int:
    result = outcome.result(
        target.api.change(target.host, 'thaw', target.instance)
    )
    return int(result['thawed'])


def _add_instances(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'instances',
        metavar='<server>',
        nargs='+',
        help='UUID or name of a server',
    )


def _duration(text: str) -> int:
    try:
        seconds = int(text)
    except ValueError:
        seconds = 0
    if not _SHORTEST <= seconds <= _LONGEST:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no number of seconds from {_SHORTEST} to {_LONGEST}'
        )
    return seconds
