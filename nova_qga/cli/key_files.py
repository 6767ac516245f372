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

"""Read public keys from files, in the form of authorized_keys.

A file may hold several keys, blank lines and comments. What is no public key
is refused with the file's name and the line's number, and is not repeated:
it may be a private key.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from nova_qga.cli import outcome
from nova_qga import errors

#: Characters of a file: far over what 256 keys need.
MAX_SIZE = 4 << 20


def read(paths: Sequence[str], stdin: TextIO) -> list[str]:
    """Return the keys of files, or of standard input where there are none.

    :param paths: names of files; ``-`` is standard input
    """
    found: list[str] = []
    for path in paths or ('-',):
        name = 'standard input' if path == '-' else path
        keys = list(_keys(_lines(path, name, stdin), name))
        if not keys:
            hint = '' if paths else ': name a file with --key-file'
            raise _refused(f'{name} holds no key{hint}')
        found += keys
    return found


def _lines(path: str, name: str, stdin: TextIO) -> list[str]:
    try:
        if path == '-':
            text = stdin.read(MAX_SIZE + 1)
        else:
            with open(path, encoding='utf-8') as file:
                text = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise _refused(f'cannot read {name}: {error.strerror}') from None
    except UnicodeDecodeError:
        raise _refused(f'{name} is not text in UTF-8') from None
    if len(text) > MAX_SIZE:
        raise _refused(f'{name} is too long to hold public keys alone')
    return text.split('\n')


def _keys(lines: Iterable[str], name: str) -> Iterator[str]:
    # It brings cryptography, which takes its time.
    from nova_qga.operations import public_keys

    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith('#'):
            continue
        if line.startswith('-----BEGIN') and 'PRIVATE KEY' in line:
            raise _refused(
                f'{name} is a private key: give the public one, which '
                'ssh-keygen puts beside it with .pub at the end of its name'
            )
        try:
            yield public_keys.check(line).line
        except errors.InvalidRequest as error:
            raise _refused(f'{name}, line {number}: {error}') from None


def _refused(message: str) -> outcome.Failure:
    return outcome.Failure(message, outcome.ExitCode.USAGE)
