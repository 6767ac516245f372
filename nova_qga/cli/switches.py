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

"""Things of a guest that are set on- or offline by their numbers."""

import argparse
from collections.abc import Mapping
from typing import Any

from nova_qga.cli import command
from nova_qga.cli import outcome
from nova_qga.cli import shell


def add_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the guest, and the numbers to set."""
    command.add_instance(parser)
    for name in ('online', 'offline'):
        parser.add_argument(
            f'--{name}',
            metavar='<number>',
            action='append',
            type=_number,
            default=[],
            help=f'{what} to set {name}, may be repeated',
        )


def apply(
    app: shell.Shell,
    parsed_args: argparse.Namespace,
    operation: str,
    what: str,
) -> None:
    """Set what the options name, and say how many were.

    :param what: a word for one of them
    :raises Failure: nothing was named, or some could not be set
    """
    wanted = _read(parsed_args, what)
    target = app.target(parsed_args.instance)
    result = outcome.result(
        target.api.change(
            target.host, operation, target.instance, online=wanted
        )
    )
    app.say(f'{_check(result, what)} in {target.instance}.')


def _read(parsed_args: argparse.Namespace, what: str) -> Mapping[str, bool]:
    """Return what the options ask for.

    :raises Failure: nothing, or both of one
    """
    wanted = {
        **dict.fromkeys(parsed_args.online, True),
        **dict.fromkeys(parsed_args.offline, False),
    }
    both = set(parsed_args.online) & set(parsed_args.offline)
    if both or not wanted:
        raise outcome.Failure(
            f'{what} {min(both)} cannot be set both online and offline'
            if both
            else f'which {what}? Give --online <number> or --offline <number>',
            outcome.ExitCode.USAGE,
        )
    return {str(number): online for number, online in wanted.items()}


def _check(result: Mapping[str, Any], what: str) -> str:
    """Return what was done, in words.

    :raises Failure: some could not be set
    """
    done = f'{result["set"]} {what}{"" if result["set"] == 1 else "s"} set'
    if result['failed']:
        why = '; '.join(f'{n}: {w}' for n, w in result['failed'].items())
        raise outcome.Failure(
            f'{done}, but not {why}', outcome.ExitCode.FAILED
        )
    return done


def _number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number < 10**18:
        raise argparse.ArgumentTypeError(f'{text!r} is no number')
    return number
