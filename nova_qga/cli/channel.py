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

"""``channel attach``."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TYPE_CHECKING

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import outcome
from nova_qga import errors

if TYPE_CHECKING:
    from nova_qga.rpc import api as rpc_api

_COLUMNS = ('UUID', 'Host', 'Result', 'Message')


class AttachChannel(command.Lister):
    """Give running guests their direct channel, without a reboot.

    For guests that were built before the extension was active. Only what runs
    is changed; the next hard reboot makes it permanent. An agent has to listen
    on the channel in the guest.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'instances',
            metavar='<server>',
            nargs='*',
            help='UUID or name of a server',
        )
        parser.add_argument(
            '--all-missing',
            action='store_true',
            help=(
                'All guests that run and lack it, of the hosts that --host '
                'names or of all'
            ),
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        if bool(parsed_args.instances) == parsed_args.all_missing:
            raise outcome.Failure(
                'which guests? Name servers, or give --all-missing',
                outcome.ExitCode.USAGE,
            )
        if parsed_args.all_missing:
            rows = self._all_missing()
        else:
            # All of them first: a name that is wrong ends it before anything
            # was done.
            targets = [self.app.target(i) for i in parsed_args.instances]
            rows = [_attach(t.api, t.host, t.instance) for t in targets]
        if any(row[2] in ('failed', 'unknown') for row in rows):
            self.exit_code = outcome.ExitCode.FAILED
        return _COLUMNS, [
            cells.row(row, parsed_args.formatter) for row in rows
        ]

    def _all_missing(self) -> list[Sequence[Any]]:
        answers = self.app.every_host(_attach_missing)
        self.exit_code = answers.exit_code
        return [
            row
            for result in answers.results.values()
            for row in result['rows']
        ]


def _attach_missing(api: 'rpc_api.Api', host: str) -> Mapping[str, Any]:
    guests = outcome.result(api.list_guests(host))['guests']
    return {
        'rows': [
            _attach(api, host, guest['instance_uuid'])
            for guest in guests
            if guest['state'] == 'running'
            and all(each['kind'] != 'direct' for each in guest['channels'])
        ]
    }


def _attach(api: 'rpc_api.Api', host: str, uuid: str) -> Sequence[Any]:
    """Return the row of one guest; one that fails is no end to the others."""
    try:
        ended = api.change(host, 'attach_channel', uuid)
    except errors.OutcomeUnknown as error:
        return uuid, host, 'unknown', outcome.safe(str(error))
    except errors.QgaError as error:
        return uuid, host, 'failed', outcome.safe(str(error))
    if ended['state'] != 'succeeded':
        fault = ended.get('error') or {}
        state = 'unknown' if ended['state'] == 'unknown' else 'failed'
        if fault.get('reason') == 'declined':
            # Nobody wants it there, so that is as it should be.
            state = 'declined'
        return uuid, host, state, outcome.safe(str(fault.get('message')))
    result = ended['result'] or {}
    if not result.get('attached'):
        return uuid, host, 'there', None
    controller = 'with a controller' if result.get('controller') else None
    return uuid, host, 'attached', controller
