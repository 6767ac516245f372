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

"""``guest list``, ``guest show`` and ``guest ping``."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import details
from nova_qga.cli import outcome


class ListGuests(command.Lister):
    """List the guests of compute hosts.

    Of all that run nova-compute, unless --host or --local says otherwise;
    also those that are off, or have no guest agent. A line on standard error
    names the hosts that do not answer.
    """

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        answers = self.app.every_host(
            lambda api, host: outcome.result(api.list_guests(host))
        )
        self.exit_code = answers.exit_code
        columns = (
            'UUID',
            'Name',
            'State',
            'Host',
            'Project',
            'Channel',
            'Agent',
        )
        rows = (
            (
                guest['instance_uuid'],
                guest['name'],
                guest['state'],
                host,
                guest['project_id'],
                open_channels(guest['channels']),
                guest['agent_version'],
            )
            for host, result in answers.results.items()
            for guest in result['guests']
        )
        return columns, [cells.row(row, parsed_args.formatter) for row in rows]


class ShowGuest(command.ServerShowOne):
    """Show what a guest is, and what its agent tells of it.

    Everything but its identity is the guest's own word. A section that its
    agent cannot give is missing, and "unavailable" says why.
    """

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        target = self.app.target(parsed_args.instance)
        uuid = target.instance
        info = outcome.check(target.api.get_info(target.host, uuid))
        guests = outcome.result(target.api.list_guests(target.host))['guests']
        known = {guest['instance_uuid']: guest for guest in guests}
        structured = cells.keeps_structure(parsed_args.formatter)
        fields = {
            **details.identity(known.get(uuid, {'instance_uuid': uuid})),
            'channel': info.get('channel'),
            **details.fields(info['result'], structured),
        }
        values = cells.row(list(fields.values()), parsed_args.formatter)
        return list(fields), values


class PingGuest(command.ServerShowOne):
    """Ask a guest's agent whether it is there."""

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        target = self.app.target(parsed_args.instance)
        answer = outcome.check(target.api.ping(target.host, target.instance))
        return ('uuid', 'channel', 'seconds'), cells.row(
            (
                target.instance,
                answer.get('channel'),
                round(answer['result']['seconds'], 6),
            ),
            parsed_args.formatter,
        )


def open_channels(channels: Iterable[Mapping[str, Any]]) -> str | None:
    """Return which kinds of channels can be used, the preferred one first."""
    usable = {each['kind'] for each in channels if each['open'] is not False}
    if usable:
        return ','.join(k for k in ('direct', 'standard') if k in usable)
    return 'closed' if list(channels) else None
