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

"""``vcpu list`` and ``vcpu set``."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import outcome
from nova_qga.cli import switches


class ListVcpus(command.ServerLister):
    """List the processors of a guest, as it sees them itself."""

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        target = self.app.target(parsed_args.instance)
        result = outcome.result(
            target.api.ask(target.host, 'get_vcpus', target.instance)
        )
        rows = (
            (each['logical_id'], each['online'], each['can_offline'])
            for each in result['vcpus']
        )
        return (
            ('ID', 'Online', 'Can Go Offline'),
            (cells.row(row, parsed_args.formatter) for row in rows),
        )


class SetVcpus(command.Command):
    """Set processors of a guest on- or offline, in the guest.

    One that cannot be set costs no other.

    Processor 0 stays online.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        switches.add_options(parser, 'Processor')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        switches.apply(self.app, parsed_args, 'set_vcpus', 'processor')
