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

"""What one guest still has of the injected files, and taking it away.

A file counts as ours where its digest is that of the inject file, and only
such a file is removed: by ``rm``, with its path and no shell. What was read
just before is what is removed, and then it is looked whether it is gone. A
path that leads over a symbolic link is left alone. A file that cannot be
asked for is unknown, never absent.
"""

import base64
from collections.abc import Iterable
import enum
import re
from typing import NamedTuple, TYPE_CHECKING

from nova_qga.cli import inject_files
from nova_qga.cli import outcome
from nova_qga import errors

if TYPE_CHECKING:
    from nova_qga.cli import target as cli_target

#: The words of agents on Linux, and on a Windows that speaks English.
_NO_FILE = re.compile(
    r'(No such file or directory|Not a directory|'
    r"cannot find the (file|path) specified)\.?'?$"
)
#: Where the next file of the same guest would fare no better.
AWAY = (outcome.ExitCode.NO_GUEST, outcome.ExitCode.NO_SERVICE)
#: Where a program may have been run, however it ended.
_MAY_HAVE_RUN = (outcome.ExitCode.FAILED, outcome.ExitCode.UNKNOWN)
#: Characters of a guest's words.
_WORDS = 200


class State(enum.StrEnum):
    """How a guest's file stands to the one of the inject file."""

    IDENTICAL = enum.auto()
    CHANGED = enum.auto()
    ABSENT = enum.auto()
    UNKNOWN = enum.auto()
    #: After ``clean``; the first where it would be removed.
    REMOVABLE = enum.auto()
    REMOVED = enum.auto()
    LEFT = enum.auto()


class Found(NamedTuple):
    """A file of one guest.

    :ivar reason: why it is so, where the state does not say it
    :ivar exit_code: what it stands for where something went wrong
    """

    path: str
    state: State
    reason: str | None = None
    exit_code: outcome.ExitCode = outcome.ExitCode.OK


def scan(
    target: 'cli_target.Target', files: Iterable[inject_files.InjectedFile]
) -> list[Found]:
    """Look for each of the files in a guest."""
    found: list[Found] = []
    for file in files:
        found.append(_unless_away(found, file) or look(target, file))
    return found


def clean(
    target: 'cli_target.Target',
    files: Iterable[inject_files.InjectedFile],
    *,
    really: bool,
) -> list[Found]:
    """Remove the files from a guest, those first that cron reads.

    While one of these is there the others stay, else it would run what is
    there in part.

    :param really: else nothing but reading is done
    """
    found: list[Found] = []
    starts: str | None = None
    for file in sorted(files, key=lambda each: not each.starts_others):
        each = _unless_away(found, file)
        if each is None and starts is not None and not file.starts_others:
            each = _kept(look(target, file), starts)
        if each is None:
            each = _remove(target, file) if really else _would(target, file)
        found.append(each)
        if file.starts_others and each.state in (State.LEFT, State.UNKNOWN):
            starts = file.path
    return found


def look(
    target: 'cli_target.Target', file: inject_files.InjectedFile
) -> Found:
    """Compare a guest's file, of which no more is read than that takes."""
    try:
        data = read(target, file.path, file.size + 1)
    except (outcome.Failure, errors.QgaError, OSError) as error:
        return _unknown(file, error)
    if data is None:
        return Found(file.path, State.ABSENT)
    state = State.IDENTICAL if file.is_whole(data) else State.CHANGED
    return Found(file.path, state)


def read(target: 'cli_target.Target', path: str, length: int) -> bytes | None:
    """Return the beginning of a guest's file; None where there is none.

    :param length: bytes of it, at most
    :raises Failure, QgaError: it cannot be told
    """
    answer = target.api.read_file(
        target.host, target.instance, path, length=length
    )
    error = answer.get('error') or {}
    if error.get('code') == errors.CommandError.code and _NO_FILE.search(
        str(error.get('message'))
    ):
        return None
    return base64.b64decode(outcome.result(answer)['content'])


def _unless_away(
    found: list[Found], file: inject_files.InjectedFile
) -> Found | None:
    """Return the fate of a file of a guest that could not be asked."""
    for each in found:
        if each.state is State.UNKNOWN and each.exit_code in AWAY:
            return each._replace(path=file.path)
    return None


def _unknown(file: inject_files.InjectedFile, error: Exception) -> Found:
    reason = outcome.safe(str(error))
    return Found(file.path, State.UNKNOWN, reason, outcome.exit_code(error))


def _left(
    file: inject_files.InjectedFile,
    reason: str,
    code: outcome.ExitCode = outcome.ExitCode.FAILED,
) -> Found:
    return Found(file.path, State.LEFT, outcome.safe(reason), code)


def _kept(found: Found, starts: str) -> Found:
    if found.state is not State.IDENTICAL:
        return _judged(found)
    return Found(
        found.path,
        State.LEFT,
        f'{starts} is still there, and would run what is left',
        outcome.ExitCode.FAILED,
    )


def _judged(found: Found) -> Found:
    """Return what is said of a file that is not to be removed."""
    if found.state is not State.CHANGED:
        return found
    # Nothing went wrong: many a file was made for its guest.
    return Found(
        found.path,
        State.LEFT,
        'it is not what the inject file has: read it, and remove it yourself',
    )


def _would(
    target: 'cli_target.Target', file: inject_files.InjectedFile
) -> Found:
    found = look(target, file)
    if found.state is State.IDENTICAL:
        return found._replace(state=State.REMOVABLE)
    return _judged(found)


def _remove(
    target: 'cli_target.Target', file: inject_files.InjectedFile
) -> Found:
    found = look(target, file)
    if found.state is not State.IDENTICAL:
        return _judged(found)
    try:
        real = _run(target, 'readlink', '-f', '--', file.path)
        if real.removesuffix('\n') != file.path:
            return _left(
                file,
                f'its path leads over a symbolic link to {real[:_WORDS]!r}',
            )
    except (outcome.Failure, errors.QgaError, OSError) as error:
        code = outcome.exit_code(error)
        if code is outcome.ExitCode.UNKNOWN:
            # However it ends, it changes nothing.
            code = outcome.ExitCode.FAILED
        return _left(file, str(error), code)
    # Somebody may have changed it meanwhile.
    found = look(target, file)
    if found.state is not State.IDENTICAL:
        return _judged(found)
    try:
        _run(target, 'rm', '--', file.path)
    except (outcome.Failure, errors.QgaError, OSError) as error:
        return _after(target, file, error)
    return _after(target, file, None)


def _after(
    target: 'cli_target.Target',
    file: inject_files.InjectedFile,
    error: Exception | None,
) -> Found:
    """Return what became of a file, whatever was said of it.

    :param error: of its removal
    """
    code = outcome.ExitCode.OK if error is None else outcome.exit_code(error)
    if error is not None and code not in _MAY_HAVE_RUN:
        return _left(file, str(error), code)
    after = look(target, file)
    if after.state is State.ABSENT:
        return Found(file.path, State.REMOVED)
    if after.state is State.UNKNOWN:
        if error is None:
            return after
        return _unknown(file, error)
    if error is None:
        return _left(file, 'rm says that it removed it, and it is still there')
    if code is outcome.ExitCode.UNKNOWN:
        return _unknown(file, error)
    return _left(file, str(error), code)


def _run(target: 'cli_target.Target', *command: str) -> str:
    """Run a program in a guest, and return what it wrote.

    :raises Failure, QgaError: it was not run, or failed
    """
    result = outcome.result(
        target.api.change(
            target.host, 'execute', target.instance, command=list(command)
        )
    )
    if result['exit_code'] != 0:
        said = _text(result['stderr']).strip()[:_WORDS]
        raise outcome.Failure(
            f'{command[0]} failed in the guest: {said or "it said nothing"}',
            outcome.ExitCode.FAILED,
        )
    return _text(result['stdout'])


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode(errors='replace')
