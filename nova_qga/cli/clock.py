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

"""``clock show`` and ``clock set``."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
import datetime
from typing import Any

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import outcome


class ShowClock(command.ServerShowOne):
    """Show a guest's clock, and how far it is ahead of its host's."""

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        target = self.app.target(parsed_args.instance)
        result = outcome.result(
            target.api.ask(target.host, 'get_time', target.instance)
        )
        return ('uuid', 'time', 'ahead'), cells.row(
            (target.instance, _time(result), result['ahead']),
            parsed_args.formatter,
        )


class SetClock(command.Command):
    """Set a guest's clock: to its host's time, unless --to is given.

    As after a resume, when it stands where it stood.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        command.add_instance(parser)
        parser.add_argument(
            '--to',
            metavar='<time>',
            type=_moment,
            help='ISO 8601; UTC where it names no zone',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        target = self.app.target(parsed_args.instance)
        result = outcome.result(
            target.api.change(
                target.host,
                'set_time',
                target.instance,
                seconds=parsed_args.to,
            )
        )
        ahead = result['ahead']
        self.app.say(
            f'The clock of {target.instance} says {_time(result)}, '
            f'{abs(ahead):g} s {"behind" if ahead < 0 else "ahead of"} its '
            'host.'
        )


def _time(result: Mapping[str, Any]) -> str:
    # A guest may say anything.
    try:
        moment = datetime.datetime.fromtimestamp(
            result['seconds'], datetime.UTC
        )
    except (OverflowError, ValueError, OSError):
        return f'{result["seconds"]} seconds since 1970'
    return moment.isoformat(timespec='milliseconds')


def _moment(text: str) -> float:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no time in ISO 8601, such as 2026-11-24T12:00:00Z'
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return moment.timestamp()
