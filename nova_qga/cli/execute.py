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

"""``execute``."""

import argparse
import base64
from collections.abc import Mapping
from typing import Any, TextIO

from nova_qga.cli import command
from nova_qga.cli import local_file
from nova_qga.cli import outcome

_MAX_INPUT = 1024 * 1024


class Execute(command.Command):
    """Run a program in a guest, as the guest's agent, and wait for its end.

    What it writes is shown here. Its arguments stand in the guest's log: give
    it no secret there, but on its standard input. No shell is in between; for
    one, run "sh -c ...".
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        command.add_instance(parser)
        parser.add_argument(
            '--env',
            metavar='<name=value>',
            action='append',
            default=[],
            help=(
                'Variable of its environment, may be repeated; with one, it '
                "has none of the agent's own"
            ),
        )
        parser.add_argument(
            '--input',
            metavar='<file>',
            help='File for its standard input; - for our own',
        )
        parser.add_argument(
            'command',
            metavar='<command>',
            nargs='+',
            help='Path of the program and its arguments, behind "--"',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        data = b''
        if parsed_args.input is not None:
            data = _read(parsed_args.input, self.app.stdin)
        target = self.app.target(parsed_args.instance)
        ended = target.api.change(
            target.host,
            'execute',
            target.instance,
            command=parsed_args.command,
            env=parsed_args.env,
            input=base64.b64encode(data).decode(),
        )
        result = outcome.result(ended)
        _show(result, 'stdout', self.app.stdout)
        _show(result, 'stderr', self.app.stderr)
        cut = [n for n in ('stdout', 'stderr') if result[f'{n}_truncated']]
        if cut:
            raise outcome.Failure(
                f'the program wrote more to {" and ".join(cut)} than is '
                f'fetched; what is shown is its beginning. {_how(result)}',
                outcome.ExitCode.FAILED,
            )
        if result['exit_code'] != 0:
            raise outcome.Failure(_how(result), outcome.ExitCode.FAILED)


def _read(name: str, stdin: TextIO) -> bytes:
    with local_file.source(name, stdin) as source:
        data = source.stream.read(_MAX_INPUT + 1)
    if len(data) > _MAX_INPUT:
        raise outcome.Failure(
            f'{name} has more than {_MAX_INPUT} bytes: put it into the guest '
            'with "file put", and let the program read it there',
            outcome.ExitCode.USAGE,
        )
    return data


def _show(result: Mapping[str, Any], name: str, stream: TextIO) -> None:
    data = base64.b64decode(result[name])
    if stream.isatty():
        # Nothing of a guest's may move a cursor.
        for line in data.decode(errors='replace').splitlines():
            stream.write(f'{outcome.safe(line)}\n')
    else:
        stream.flush()
        stream.buffer.write(data)
        stream.flush()


def _how(result: Mapping[str, Any]) -> str:
    if result['exit_code'] is not None:
        return f'The program ended with exit code {result["exit_code"]}'
    return f'The program was ended by signal {result["signal"]}'
