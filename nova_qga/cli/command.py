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

"""What all commands of nova-qga share: the application and its arguments."""

import argparse
from collections.abc import Iterable, Sequence
import os
from typing import Any

from cliff import command
from cliff import lister
from cliff import show

from nova_qga.cli import outcome
from nova_qga.cli import shell

# cliff's epilog names the plugin that a command comes from, and reads the
# metadata of every installed distribution for it, at each start.
_NO_EPILOG = ''


class Command(command.Command):
    """A command that says what it did."""

    app: shell.Shell

    def get_epilog(self) -> str:
        return _NO_EPILOG


class Lister(lister.Lister):
    """A command that shows rows.

    :ivar exit_code: how it ends after they were shown
    """

    app: shell.Shell
    exit_code = outcome.ExitCode.OK

    def run(self, parsed_args: argparse.Namespace) -> int:
        return super().run(parsed_args) or self.exit_code

    def get_epilog(self) -> str:
        return _NO_EPILOG

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Iterable[Sequence[Any]],
    ) -> int:
        _check_columns(parsed_args.columns, column_names)
        return super().produce_output(parsed_args, column_names, data)


class ShowOne(show.ShowOne):
    """A command that shows the fields of one thing."""

    app: shell.Shell

    def get_epilog(self) -> str:
        return _NO_EPILOG

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],
        data: Sequence[Any],
    ) -> int:
        _check_columns(parsed_args.columns, column_names)
        return super().produce_output(parsed_args, column_names, data)


class ServerLister(Lister):
    """A command that shows rows of one server, and takes nothing else."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add_instance(parser)
        return parser


class ServerShowOne(ShowOne):
    """A command that shows fields of one server, and takes nothing else."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        add_instance(parser)
        return parser


def add_instance(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the guest."""
    parser.add_argument(
        'instance',
        metavar='<server>',
        help=(
            'UUID of the server, or without --host and --local its name '
            'in Nova'
        ),
    )


def add_user(parser: argparse.ArgumentParser) -> None:
    """Add the option that names an account in the guest."""
    parser.add_argument(
        '--user',
        metavar='<name>',
        default='root',
        help='Account in the guest (default: root)',
    )


def _check_columns(asked: Sequence[str], known: Sequence[str]) -> None:
    """Refuse columns that are not there; cliff leaves some of them out."""
    names = {_plain(name) for name in known}
    for name in asked:
        if _plain(name) not in names:
            raise outcome.Failure(
                f'there is no column "{name}"; there are {", ".join(known)}',
                outcome.ExitCode.USAGE,
            )


def _plain(name: str) -> str:
    """Return a column's name as cliff compares it."""
    return name.lower().strip().replace(' ', '_')


def is_watched(app: shell.Shell, parsed_args: argparse.Namespace) -> bool:
    """Tell whether a table of our own can be shown, on a terminal."""
    return (
        parsed_args.formatter == 'table'
        and not parsed_args.columns
        and is_terminal(app)
    )


def is_terminal(app: shell.Shell) -> bool:
    """Tell whether there is a terminal on which things can change."""
    return app.stdout.isatty() and os.environ.get('TERM', 'dumb') != 'dumb'
