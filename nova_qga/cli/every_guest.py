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

"""Do one thing to the guests that a command is for, some at a time.

They are those that it names, or all of its hosts. A guest that cannot be
asked does not end it: what came of each is told by who asks.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TYPE_CHECKING, TypeVar

from nova_qga.cli import fleet
from nova_qga.cli import outcome
from nova_qga.cli import shell

if TYPE_CHECKING:
    from nova_qga.cli import target as cli_target
    from nova_qga.rpc import api as rpc_api

ResultT = TypeVar('ResultT')


class Visit(NamedTuple, Generic[ResultT]):
    """What came of one guest.

    :ivar result: None where it was not begun
    """

    target: 'cli_target.Target'
    result: ResultT | None


class Visits(NamedTuple, Generic[ResultT]):
    """What came of all of them.

    :ivar hosts: whether all hosts said which guests they have
    """

    each: list[Visit[ResultT]]
    hosts: outcome.ExitCode

    def exit_code(
        self, codes: Callable[[ResultT], Sequence[outcome.ExitCode]]
    ) -> outcome.ExitCode:
        """Return how a command ends.

        :param codes: of what went wrong in a guest, by its result
        """
        wrong = [
            code
            for visit in self.each
            for code in (
                [outcome.ExitCode.PARTIAL]
                if visit.result is None
                else codes(visit.result)
            )
            if code is not outcome.ExitCode.OK
        ]
        if wrong and len(self.each) == 1:
            return wrong[0]
        return outcome.ExitCode.PARTIAL if wrong else self.hosts


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which guests, and how many at once."""
    parser.add_argument(
        'instances',
        metavar='<server>',
        nargs='*',
        help=(
            'UUID or name of a server (default: all guests of the hosts that '
            '--host or --local names, or of all that Nova has)'
        ),
    )
    fleet.add_at_once(parser)


def visit(
    app: shell.Shell,
    parsed_args: argparse.Namespace,
    work: 'Callable[[cli_target.Target], ResultT]',
) -> Visits[ResultT]:
    """Do it to each guest.

    :param work: raises nothing that can be foreseen of one guest
    :raises Failure, QgaError: a guest is not known, or no host answered
    """
    targets, hosts = _find(app, parsed_args.instances)
    done = fleet.apply(
        targets,
        lambda target: {'result': work(target)},
        at_once=parsed_args.at_once,
        max_failures=1,
    )
    ended = [
        Visit(target, each.result and each.result['result'])
        for target, each in zip(targets, done, strict=True)
    ]
    return Visits(ended, hosts)


def _find(
    app: shell.Shell, named: Sequence[str]
) -> 'tuple[list[cli_target.Target], outcome.ExitCode]':
    if named:
        return app.targets(named), outcome.ExitCode.OK
    # Not for a help text: it brings much with it.
    from nova_qga.cli import target as cli_target

    answers = app.every_host(_list)
    found = [
        cli_target.Target(result['api'], host, guest['instance_uuid'])
        for host, result in answers.results.items()
        for guest in result['guests']
    ]
    return found, answers.exit_code


def _list(api: 'rpc_api.Api', host: str) -> Mapping[str, Any]:
    return {**outcome.result(api.list_guests(host)), 'api': api}
