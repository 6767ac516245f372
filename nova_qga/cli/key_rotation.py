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


"""``key rotate``."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import fleet
from nova_qga.cli import key
from nova_qga.cli import key_files
from nova_qga.cli import outcome


class RotateKeys(command.Lister):
    """Put new public keys in the place of those that nova-qga has added.

    In each guest the new ones are added and looked for, then the old ones
    removed; keys that others have added are left alone. It stops where too
    many guests fail; given again, it goes on where it stopped.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'instances',
            metavar='<server>',
            nargs='+',
            help='UUID or name of a server; - reads them from standard input',
        )
        command.add_user(parser)
        key.add_key_file(parser)
        fleet.add_at_once(parser)
        parser.add_argument(
            '--max-failures',
            metavar='<number>',
            type=fleet.count,
            default=1,
            help='Begin no other guest after so many failed (default: 1)',
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        if not parsed_args.key_file:
            raise outcome.Failure(
                'which keys? Give --key-file', outcome.ExitCode.USAGE
            )
        keys = key_files.read(parsed_args.key_file, self.app.stdin)
        targets = self.app.targets(
            _names(parsed_args.instances, self.app.stdin)
        )
        done = fleet.apply(
            targets,
            lambda target: outcome.result(
                target.api.rotate_ssh_keys(
                    target.host, target.instance, parsed_args.user, keys
                )
            ),
            at_once=parsed_args.at_once,
            max_failures=parsed_args.max_failures,
        )
        self.exit_code = _exit_code(done)
        rows = (
            (target.instance, target.host, *_row(each))
            for target, each in zip(targets, done, strict=True)
        )
        return (
            ('UUID', 'Host', 'Added', 'Present', 'Removed', 'Error'),
            [cells.row(row, parsed_args.formatter) for row in rows],
        )


def _names(given: Sequence[str], stdin: TextIO) -> Iterator[str]:
    for each in given:
        yield from stdin.read().split() if each == '-' else [each]


def _row(done: fleet.Done) -> tuple[Any, ...]:
    if done.result is not None:
        counts = (done.result[k] for k in ('added', 'present', 'removed'))
        return (*counts, None)
    why = 'not begun' if done.error is None else outcome.safe(str(done.error))
    return None, None, None, why


def _exit_code(done: Sequence[fleet.Done]) -> outcome.ExitCode:
    if all(each.result is not None for each in done):
        return outcome.ExitCode.OK
    if len(done) == 1 and done[0].error is not None:
        return outcome.exit_code(done[0].error)
    return outcome.ExitCode.PARTIAL
