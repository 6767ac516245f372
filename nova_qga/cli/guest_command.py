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

"""``run-command``."""

import argparse
import json
from typing import Any, TextIO

from nova_qga.cli import command
from nova_qga.cli import local_file
from nova_qga.cli import outcome

_MAX_ARGUMENTS = 1024 * 1024


class RunCommand(command.Command):
    """Run a command of the guest's agent, and show its answer as JSON.

    One that the operator allows. Nothing is known of what it does.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        command.add_instance(parser)
        parser.add_argument(
            'command',
            metavar='<command>',
            help='Its name, such as guest-network-get-route',
        )
        arguments = parser.add_mutually_exclusive_group()
        arguments.add_argument(
            '--arguments',
            metavar='<json>',
            default='{}',
            help='Its arguments, a JSON object; every account here sees them',
        )
        arguments.add_argument(
            '--arguments-file',
            metavar='<file>',
            help='File that holds them; - for standard input',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        given = parsed_args.arguments
        if parsed_args.arguments_file is not None:
            given = _read(parsed_args.arguments_file, self.app.stdin)
        arguments = _parse(given)
        target = self.app.target(parsed_args.instance)
        result = outcome.result(
            target.api.change(
                target.host,
                'run_command',
                target.instance,
                command=parsed_args.command,
                arguments=arguments,
            )
        )
        shown = json.dumps(result['reply'], indent=2, ensure_ascii=False)
        self.app.stdout.write(f'{shown}\n')


def _read(name: str, stdin: TextIO) -> bytes:
    with local_file.source(name, stdin) as source:
        return source.stream.read(_MAX_ARGUMENTS)


def _parse(given: str | bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(given)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        # What they hold may be a secret.
        raise outcome.Failure(
            'the arguments are no JSON object, such as {"path": "/"}',
            outcome.ExitCode.USAGE,
        )
    return parsed
