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

"""``guest shutdown`` and ``guest suspend``."""

import argparse
from typing import Any

from nova_qga.cli import command
from nova_qga.cli import outcome
from nova_qga.cli import shell


class ShutDownGuest(command.Command):
    """Shut a guest down from inside, and wait until it is off.

    Nova is not asked, and calls the server stopped once it notices.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        command.add_instance(parser)
        mode = parser.add_mutually_exclusive_group()
        mode.add_argument(
            '--reboot',
            dest='mode',
            action='store_const',
            const='reboot',
            default='powerdown',
            help='Have it boot again',
        )
        mode.add_argument(
            '--halt',
            dest='mode',
            action='store_const',
            const='halt',
            help=(
                'Stop its system and leave the power on, where the system '
                'can; that it has done so cannot be seen'
            ),
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        done = 'is off'
        if parsed_args.mode == 'reboot':
            done = 'boots again'
        _change(self.app, parsed_args, 'shutdown', done)


class SuspendGuest(command.Command):
    """Suspend a guest from inside, and wait until it is.

    Nova stops a server that is suspended so: what is in its memory alone is
    lost then. "virsh dompmwakeup" on its host wakes it before.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        command.add_instance(parser)
        parser.add_argument(
            '--to',
            dest='mode',
            choices=('ram', 'disk', 'hybrid'),
            default='ram',
            help='Where its memory goes (default: ram)',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        _change(self.app, parsed_args, 'suspend', 'is suspended')


def _change(
    app: shell.Shell, parsed_args: argparse.Namespace, method: str, done: str
) -> None:
    target = app.target(parsed_args.instance)
    arguments: dict[str, Any] = {'mode': parsed_args.mode}
    outcome.result(
        target.api.change(target.host, method, target.instance, **arguments)
    )
    app.say(f'{target.instance} {done}.')
