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

"""``password set``."""

import argparse
from typing import TYPE_CHECKING

from nova_qga.cli import command
from nova_qga.cli import outcome
from nova_qga.cli import secret

if TYPE_CHECKING:
    from nova_qga.cli import target as cli_target


class SetPassword(command.Command):
    """Set the password of an account in a guest.

    The password is asked for twice, or read from a file or standard input,
    less one line break at its end, or made here. It is hashed here, so that
    it does not travel; for a guest that runs Windows use --clear.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.allow_abbrev = False
        command.add_instance(parser)
        command.add_user(parser)
        source = parser.add_mutually_exclusive_group()
        source.add_argument(
            '--password-file',
            metavar='<file>',
            help='File that holds the password',
        )
        source.add_argument(
            '--stdin',
            action='store_true',
            help='Read the password from standard input',
        )
        source.add_argument(
            '--generate',
            action='store_true',
            help=(
                'Make a password, and print it once on standard output and '
                'nothing else, if it was set or may have been'
            ),
        )
        parser.add_argument(
            '--password',
            nargs='?',
            action=secret.NeverAnArgument,
            help=argparse.SUPPRESS,
        )
        parser.add_argument(
            '--clear',
            action='store_true',
            help=(
                'Send the password itself, not a hash of it: Windows guests '
                'take nothing else. It is sealed to the key of the compute '
                'host, and so hidden from who reads on the message broker.'
            ),
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        # Before anybody is asked for anything.
        target = self.app.target(parsed_args.instance)
        if parsed_args.generate:
            self._generate(target, parsed_args)
            return
        self._set(target, parsed_args, self._password(parsed_args))
        self.app.say(
            f'The password of {parsed_args.user} is set in {target.instance}.'
        )

    def _generate(
        self, target: 'cli_target.Target', parsed_args: argparse.Namespace
    ) -> None:
        made = secret.made()
        try:
            self._set(target, parsed_args, made)
        except (Exception, KeyboardInterrupt) as error:
            if _may_be_set(error):
                self._print(made)
                self.app.LOG.warning(
                    'It is not known whether this password was set.'
                )
            raise
        self._print(made)

    def _print(self, made: str) -> None:
        self.app.stdout.write(f'{made}\n')
        self.app.stdout.flush()

    def _set(
        self,
        target: 'cli_target.Target',
        parsed_args: argparse.Namespace,
        password: str,
    ) -> None:
        outcome.result(
            target.api.set_password(
                target.host,
                target.instance,
                parsed_args.user,
                password,
                crypt=not parsed_args.clear,
            )
        )

    def _password(self, parsed_args: argparse.Namespace) -> str:
        if parsed_args.password_file is not None:
            return secret.from_file(parsed_args.password_file)
        if parsed_args.stdin and not self.app.stdin.isatty():
            return secret.from_stream(self.app.stdin)
        return secret.asked_twice(parsed_args.user)


def _may_be_set(error: BaseException) -> bool:
    if isinstance(error, KeyboardInterrupt):
        # The request may be on its way.
        return True
    unknown = outcome.ExitCode.UNKNOWN
    return isinstance(error, Exception) and outcome.exit_code(error) == unknown
