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

"""``file put`` and ``file get``."""

import argparse
import base64
from collections.abc import Mapping
import pathlib
from typing import Any

from nova_qga.cli import command
from nova_qga.cli import local_file
from nova_qga.cli import outcome
from nova_qga.cli import progress
from nova_qga.cli import transfer


class PutFile(command.Command):
    """Write a file into a guest.

    It is made, or emptied first. It belongs to root there, and every account
    of the guest may be able to read it, unless --mode is given. With --mode
    or --owner it is made anew, and has both before anything is in it; where
    they cannot be set, nothing is written. Where writing stops in the middle,
    the error says how much of it is in the guest.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        command.add_instance(parser)
        parser.add_argument(
            'local',
            metavar='<local>',
            help='File on this host; - for standard input',
        )
        _add_remote(parser)
        parser.add_argument(
            '--verify',
            action='store_true',
            help='Read it back, and compare its SHA-256',
        )
        _add_attributes(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        attributes = _attributes(parsed_args)
        not_set = []
        with local_file.source(parsed_args.local, self.app.stdin) as source:
            target = self.app.target(parsed_args.instance)

            def send(part: bytes, offset: int) -> None:
                result = outcome.result(
                    target.api.write_file(
                        target.host,
                        target.instance,
                        parsed_args.remote,
                        part,
                        offset=offset,
                        size=source.size,
                        verify=parsed_args.verify,
                        **({} if offset else attributes),
                    )
                )
                not_set.extend(_not_set(result))

            name = pathlib.Path(parsed_args.local).name
            with progress.Progress(
                self.app.stderr, name, source.size
            ) as shown:
                try:
                    done = transfer.put(source.stream, send, shown.advance)
                except transfer.Interrupted as interrupted:
                    self.app.LOG.warning('%s.', interrupted)
                    raise
        verified = ', read back and compared' if parsed_args.verify else ''
        self.app.say(
            f'{done} bytes written to {parsed_args.remote} in '
            f'{target.instance}{verified}.'
        )
        for each in not_set:
            self.app.LOG.warning('%s', each)
        return outcome.ExitCode.PARTIAL if not_set else outcome.ExitCode.OK


class GetFile(command.Command):
    """Read a file from a guest.

    It stands under its local name only when it is whole, and its owner alone
    can read it; with --force it gets the mode of the file it replaces. On a
    terminal, what does not print is escaped.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        command.add_instance(parser)
        _add_remote(parser)
        parser.add_argument(
            'local',
            metavar='<local>',
            help='File on this host; - for standard output',
        )
        parser.add_argument(
            '--force',
            action='store_true',
            help='Replace a local file that exists',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        local = parsed_args.local
        with local_file.sink(
            local, self.app.stdout, parsed_args.force
        ) as sink:
            target = self.app.target(parsed_args.instance)

            def receive(offset: int, length: int) -> tuple[bytes, bool]:
                part = outcome.result(
                    target.api.read_file(
                        target.host,
                        target.instance,
                        parsed_args.remote,
                        offset=offset,
                        length=length,
                    )
                )
                return base64.b64decode(part['content']), part['eof']

            name = parsed_args.remote.replace('\\', '/').rpartition('/')[2]
            with progress.Progress(self.app.stderr, name, None) as shown:
                done = transfer.get(sink, receive, shown.advance)
        if local != local_file.STANDARD:
            self.app.say(f'{done} bytes read into {local}.')


def _add_attributes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--mode',
        metavar='<mode>',
        help='Octal mode of the file, such as 0600',
    )
    parser.add_argument(
        '--owner',
        metavar='<owner>[:<group>]',
        help='Account and group of the file, names or numbers',
    )
    parser.add_argument(
        '--best-effort',
        action='store_true',
        help=(
            'Write it though its mode or owner cannot be set; the exit code '
            'is 7 then'
        ),
    )


def _attributes(parsed_args: argparse.Namespace) -> dict[str, Any]:
    owner, _, group = (parsed_args.owner or '').partition(':')
    wanted = {
        'mode': parsed_args.mode,
        'owner': owner or None,
        'group': group or None,
    }
    if not any(wanted.values()):
        return {}
    return {**wanted, 'best_effort': parsed_args.best_effort}


def _not_set(result: Mapping[str, Any]) -> list[str]:
    """Return what is to be said of what could not be set, if anything."""
    names = {'mode_set': 'mode', 'owner_set': 'owner'}
    lacking = [n for key, n in names.items() if result.get(key) is False]
    if not lacking:
        return []
    why = f': {result["not_set"]}' if result.get('not_set') else ''
    return [f'The {" and ".join(lacking)} of the file could not be set{why}']


def _add_remote(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'remote',
        metavar='<remote>',
        help='Absolute path in the guest',
    )
