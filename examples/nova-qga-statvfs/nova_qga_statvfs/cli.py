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

"""``filesystem stat``."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import details
from nova_qga.cli import outcome

_BYTES = ('size', 'used', 'free', 'available')
_INODES = ('inodes', 'inodes_free', 'inodes_available')


class StatFilesystem(command.ShowOne):
    """Show how full the filesystem is that a file of a guest is on.

    In bytes, which a table rounds, and in inodes. The guest's agent needs a
    command that QEMU's own has not: guest-get-statvfs.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        command.add_instance(parser)
        parser.add_argument(
            'path', metavar='<path>', help='Absolute path in the guest'
        )
        return parser

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        target = self.app.target(parsed_args.instance)
        result = outcome.result(
            target.api.ask(
                target.host,
                'get_statvfs',
                target.instance,
                path=parsed_args.path,
            )
        )
        sizes = [result[name] for name in _BYTES]
        if parsed_args.formatter == 'table':
            sizes = [None if n is None else details.size(n) for n in sizes]
        inodes = [result[name] for name in _INODES]
        return ('uuid', 'path', *_BYTES, *_INODES), cells.row(
            (target.instance, parsed_args.path, *sizes, *inodes),
            parsed_args.formatter,
        )
