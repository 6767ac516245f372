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


"""``operation show``."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TYPE_CHECKING

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import outcome
from nova_qga import errors

if TYPE_CHECKING:
    from nova_qga.rpc import api as rpc_api


class ShowOperation(command.ShowOne):
    """Show how a request stands, or how it ended.

    A host remembers a request for seven days after its end. Without --host
    and --local, all hosts are asked.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'request',
            metavar='<request-id>',
            help='Id of the request, as errors and notifications have it',
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        asked = parsed_args.request
        answers = self.app.every_host(lambda api, host: _ask(api, host, asked))
        for host, found in answers.results.items():
            if found:
                fields = {'request_id': asked, 'host': host, **_flat(found)}
                values = list(fields.values())
                return list(fields), cells.row(values, parsed_args.formatter)
        raise outcome.Failure(
            f'no host that answered knows a request {asked}: it never came '
            'there, or ended long ago',
            outcome.ExitCode.FAILED,
        )


def _ask(api: 'rpc_api.Api', host: str, asked: str) -> Mapping[str, Any]:
    """Return what a host knows of a request; nothing where it has not seen it.

    :raises Failure: it refused to tell
    """
    answer = api.get_operation(host, asked)
    error = answer.get('error') or {}
    if error.get('code') == errors.RequestNotFound.code:
        return {}
    return outcome.result(answer)


def _flat(found: Mapping[str, Any]) -> dict[str, Any]:
    error = found.get('error') or {}
    by = found.get('requested_by') or {}
    return {
        'operation': found.get('operation'),
        'server': found.get('instance_uuid'),
        'state': found.get('state'),
        'channel': found.get('channel'),
        'error_code': error.get('code'),
        'error_reason': error.get('reason'),
        'error_message': error.get('message'),
        **({'pid': error['pid']} if 'pid' in error else {}),
        **dict(found.get('counts') or {}),
        'requested_by_user': by.get('user_id'),
        'requested_by_project': by.get('project_id'),
        'began': found.get('began'),
        'ended': found.get('ended'),
    }
