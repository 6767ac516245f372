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

"""``key add``, ``key remove`` and ``key list``."""

import argparse
import base64
from collections.abc import Iterable, Sequence
import hashlib
from typing import Any

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import key_files
from nova_qga.cli import outcome
from nova_qga.cli import shell


class AddKeys(command.Command):
    """Add SSH public keys to an account in a guest.

    Its other keys are left alone, unless --replace is given. A key that is
    there already is not added again. The guest needs qemu-ga 5.2 or newer.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        _add_arguments(parser)
        parser.add_argument(
            '--replace',
            action='store_true',
            help='Remove all other keys of the account',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        keys = _read(self.app, parsed_args.key_file)
        target = self.app.target(parsed_args.instance)
        result = outcome.result(
            target.api.add_ssh_keys(
                target.host,
                target.instance,
                parsed_args.user,
                keys,
                replace=parsed_args.replace,
            )
        )
        others = ', all others removed' if parsed_args.replace else ''
        self.app.say(
            f'{_count(result["added"])} added to {parsed_args.user} in '
            f'{target.instance}, {result["present"]} already '
            f'there{others}.'
        )


class RemoveKeys(command.Command):
    """Remove SSH public keys from an account in a guest.

    A key is found by its type and data, whatever its comment. The guest
    needs qemu-ga 5.2 or newer.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        which = _add_arguments(parser)
        which.add_argument(
            '--owned',
            action='store_true',
            help='Remove all keys that nova-qga has added there',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        owned = parsed_args.owned
        keys = [] if owned else _read(self.app, parsed_args.key_file)
        target = self.app.target(parsed_args.instance)
        result = outcome.result(
            target.api.remove_ssh_keys(
                target.host,
                target.instance,
                parsed_args.user,
                keys,
                owned=owned,
            )
        )
        self.app.say(
            f'{_count(result["removed"])} removed from {parsed_args.user} in '
            f'{target.instance}, {result["absent"]} not there.'
        )


class ListKeys(command.Lister):
    """List the SSH public keys of an account in a guest."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        command.add_instance(parser)
        command.add_user(parser)
        parser.add_argument(
            '--long',
            action='store_true',
            help='Show the keys themselves too',
        )
        parser.add_argument(
            '--owned',
            action='store_true',
            help='Show only keys that nova-qga has added',
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        target = self.app.target(parsed_args.instance)
        result = outcome.result(
            target.api.list_ssh_keys(
                target.host, target.instance, parsed_args.user
            )
        )
        columns = ['Type', 'Fingerprint', 'Comment', 'Owned']
        columns += ['Key'] if parsed_args.long else []
        owned = result['owned']
        rows = [
            (*words, line in owned, line)[: len(columns)]
            for *words, line in map(describe, result['keys'])
            if line in owned or not parsed_args.owned
        ]
        return columns, [cells.row(r, parsed_args.formatter) for r in rows]


def describe(line: str) -> tuple[str | None, str | None, str | None, str]:
    """Return type, fingerprint and comment of a key, and the line itself.

    The fingerprint is that of ``ssh-keygen -l``.
    """
    from nova_qga.operations import public_keys

    key = public_keys.parse(line)
    if key is None:
        return None, None, None, line
    digest = hashlib.sha256(base64.b64decode(key.blob)).digest()
    fingerprint = base64.b64encode(digest).decode().rstrip('=')
    comment = line.partition(key.blob)[2].strip()
    return key.type, f'SHA256:{fingerprint}', comment or None, line


def _add_arguments(
    parser: argparse.ArgumentParser,
) -> argparse._MutuallyExclusiveGroup:
    command.add_instance(parser)
    command.add_user(parser)
    which = parser.add_mutually_exclusive_group()
    add_key_file(which)
    return which


def add_key_file(parser: argparse._ActionsContainer) -> None:
    """Add the option that names files of public keys."""
    parser.add_argument(
        '--key-file',
        metavar='<file>',
        action='append',
        default=[],
        help=(
            'File of public keys, one a line, may be repeated (default: '
            'standard input)'
        ),
    )


def _read(app: shell.Shell, paths: Sequence[str]) -> list[str]:
    if app.stdin.isatty() and not paths:
        app.LOG.info('Public keys, one a line; Ctrl-D ends them:')
    return key_files.read(paths, app.stdin)


def _count(keys: int) -> str:
    return '1 key' if keys == 1 else f'{keys} keys'
