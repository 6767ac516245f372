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

"""The local end of a transfer: a file, standard input or standard output.

A file that is received stands under its name only when it is whole. Its owner
alone can read it; in place of another file it gets the mode of that one.
"""

import codecs
from collections.abc import Iterator
import contextlib
import os
import pathlib
import secrets
import stat
from typing import BinaryIO, NamedTuple, Protocol, TextIO

from nova_qga.cli import outcome

STANDARD = '-'


class Sink(Protocol):
    """What is received is written into it."""

    def write(self, data: bytes, /) -> int: ...


class Source(NamedTuple):
    """What is sent.

    :ivar size: in bytes; None where only its end will tell
    """

    stream: BinaryIO
    size: int | None


@contextlib.contextmanager
def source(path: str, stdin: TextIO) -> Iterator[Source]:
    """Open a file to send.

    :raises Failure: it cannot be read
    """
    if path == STANDARD:
        yield Source(stdin.buffer, None)
        return
    try:
        file = open(path, 'rb')
    except OSError as error:
        raise _refused(f'cannot read {path}: {error.strerror}') from None
    with file:
        status = os.fstat(file.fileno())
        regular = stat.S_ISREG(status.st_mode)
        yield Source(file, status.st_size if regular else None)


@contextlib.contextmanager
def sink(path: str, stdout: TextIO, force: bool) -> Iterator[Sink]:
    """Open a file to receive; it is put in its place at the end.

    :param force: replace a file that exists
    :raises Failure: it cannot be written, or exists
    """
    if path == STANDARD:
        yield _Screen(stdout) if stdout.isatty() else stdout.buffer
        stdout.flush()
        return
    target = pathlib.Path(path)
    _check(target, force)
    # Beside it, for a rename is whole only within one file system.
    part = target.with_name(f'.nova-qga.{secrets.token_hex(6)}.part')
    try:
        # What a guest holds may be a secret.
        file = open(part, 'xb', opener=_private)
    except OSError as error:
        raise _refused(f'cannot write {path}: {error.strerror}') from None
    try:
        with file:
            yield file
        _place(part, target, force)
    finally:
        part.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _check(target: pathlib.Path, force: bool) -> None:
    if target.is_dir():
        raise _refused(f'{target} is a folder: name a file in it')
    if not os.path.lexists(target):
        return
    # A rename would replace the device or the link itself.
    if target.is_symlink() or not target.is_file():
        raise _refused(
            f'{target} is not a regular file: name another, or - for '
            'standard output'
        )
    if not force:
        raise _exists(target)


def _place(part: pathlib.Path, target: pathlib.Path, force: bool) -> None:
    if force:
        with contextlib.suppress(FileNotFoundError):
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
        return
    try:
        # Unlike a rename it never replaces what came up meanwhile.
        target.hardlink_to(part)
    except FileExistsError:
        raise _exists(target) from None
    except OSError:
        # Some file systems have no links.
        _check(target, force)
        part.replace(target)


def _exists(target: pathlib.Path) -> outcome.Failure:
    return _refused(f'{target} exists: --force replaces it')


def _refused(message: str) -> outcome.Failure:
    return outcome.Failure(message, outcome.ExitCode.USAGE)


class _Screen:
    """A terminal: what a guest wrote must not give it commands."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout
        decoder = codecs.getincrementaldecoder('utf-8')
        self._decoder = decoder(errors='backslashreplace')

    def write(self, data: bytes) -> int:
        text = self._decoder.decode(data)
        for line in text.splitlines(keepends=True):
            end = '\n' if line.endswith('\n') else ''
            body = line.removesuffix('\n')
            words = (outcome.safe(word) for word in body.split('\t'))
            self._stdout.write('\t'.join(words) + end)
        return len(data)
