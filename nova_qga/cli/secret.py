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

"""Get a password, or make one, without its ever being an argument.

Arguments are readable by every user of a host, and stay in shells' histories.
No message of this module holds any of the password.
"""

import argparse
from collections.abc import Sequence
import getpass
import os
import re
import secrets
import string
from typing import Any, BinaryIO, NoReturn, TextIO

from nova_qga.cli import outcome

#: Characters of a password; PAM takes no longer one.
MAX = 512
# As many bytes as these can have, and a line break.
_MAX_BYTES = 4 * MAX + 2
#: Characters of one that is made: 116 bits.
MADE = 20
# Those that look like another one are left out.
_KINDS = tuple(
    ''.join(sorted(set(kind) - set('0Oo1Il')))
    for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits)
)
_CONTROL = re.compile(r'[\x00-\x1f\x7f]')


class NeverAnArgument(argparse.Action):
    """Refuse an option, whatever its value, and do not repeat the value."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> NoReturn:
        parser.error(
            'a password is never an argument, for every user of this host '
            'can read those: leave it out to be asked, or use --stdin or '
            '--password-file. Change the password that was just shown.'
        )


def from_file(path: str) -> str:
    """Return the one line of a file."""
    try:
        with open(path, 'rb') as file:
            return _one_line(file, path)
    except OSError as error:
        raise _refused(f'cannot read {path}: {error.strerror}') from None


def from_stream(stream: TextIO) -> str:
    """Return the one line of standard input."""
    return _one_line(stream.buffer, 'standard input')


def asked_twice(user: str) -> str:
    """Ask for it at the terminal, twice."""
    if not has_terminal():
        raise _refused(
            'there is no terminal to ask for the password at: use --stdin or '
            '--password-file <file>'
        )
    try:
        first = getpass.getpass(f'New password of {outcome.safe(user)}: ')
        again = getpass.getpass('Again: ')
    except EOFError:
        raise _refused('no password was given') from None
    if first != again:
        raise _refused('the two are not the same: nothing was changed')
    return _checked(first, 'the terminal')


def made() -> str:
    """Make one: lower and upper case and digits, as Windows may insist on."""
    while True:
        found = ''.join(secrets.choice(''.join(_KINDS)) for _ in range(MADE))
        if all(set(found) & set(kind) for kind in _KINDS):
            return found


def has_terminal() -> bool:
    """Tell whether somebody can be asked."""
    try:
        os.close(os.open('/dev/tty', os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _one_line(stream: BinaryIO, where: str) -> str:
    data = stream.read(_MAX_BYTES + 1)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        # The error itself holds what was read.
        raise _refused(f'{where} is not text in UTF-8') from None
    return _checked(text.removesuffix('\n').removesuffix('\r'), where)


def _checked(text: str, where: str) -> str:
    if not text:
        raise _refused(f'{where} holds an empty password')
    if len(text) > MAX:
        raise _refused(f'{where} holds more than {MAX} characters')
    if '\n' in text:
        raise _refused(f'{where} holds more than one line')
    if _CONTROL.search(text):
        raise _refused(f'{where} holds a control character')
    return text


def _refused(message: str) -> outcome.Failure:
    return outcome.Failure(message, outcome.ExitCode.USAGE)
