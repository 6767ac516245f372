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

"""``filesystem trim``."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import outcome


class TrimFilesystems(command.Lister):
    """Discard the blocks that a guest's filesystems do not use."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        command.add_instance(parser)
        parser.add_argument(
            '--minimum',
            metavar='<bytes>',
            type=int,
            default=0,
            help='Leave smaller free ranges alone (default: 0)',
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        target = self.app.target(parsed_args.instance)
        result = outcome.result(
            target.api.change(
                target.host,
                'trim',
                target.instance,
                minimum=parsed_args.minimum,
            )
        )
        rows = (
            (each['path'], each['trimmed'], each['error'])
            for each in result['filesystems']
        )
        return (
            ('Mount Point', 'Trimmed', 'Error'),
            (cells.row(row, parsed_args.formatter) for row in rows),
        )
