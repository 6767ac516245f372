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

"""Write a file into a guest, and read one, in chunks.

Files that are made get mode 0666 and belong to the agent's account, root,
unless attributes are given: write no secret, or authorized_keys, without.
Opening a named pipe that nobody serves hangs the agent. Directories are
neither made nor listed.

Source: qga/commands-posix.c of QEMU 10.0, qmp_guest_file_*().
"""

from collections.abc import Iterator
import contextlib
import hashlib
import re
from typing import Any, NamedTuple

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga.operations import file_attributes
from nova_qga.protocol import commands
from nova_qga.protocol import replies
from nova_qga import text

MAX_PATH = 4096
MAX_OFFSET = (1 << 63) - 1

_ABSOLUTE = re.compile(r'/|[A-Za-z]:[/\\]')
_NO_ATTRIBUTES = file_attributes.Attributes()
_HANDLES = ('guest-file-open', 'guest-file-close')


class FilePart(NamedTuple):
    """A piece of a file.

    :ivar eof: it reaches to the end of the file, as far as the agent knows:
        a piece that ends just there may say so only at the next reading
    """

    data: bytes
    eof: bool


def write_file(
    agent: operations_agent.Agent,
    *,
    path: str,
    data: bytes,
    offset: int = 0,
    verify: bool = False,
    attributes: file_attributes.Attributes = _NO_ATTRIBUTES,
    best_effort: bool = False,
    timeout: float = 60.0,
) -> dict[str, Any]:
    """Write ``data`` into a file.

    :param offset: where, in bytes; 0 makes the file or empties it first,
        anything else leaves what stands before it and behind
    :param verify: read it back and compare
    :param attributes: that it is to have before anything is in it
    :param best_effort: write it though it cannot have them
    :param timeout: seconds for setting them
    :returns: ``bytes_written`` and ``sha256`` of what was written; with
        attributes, also what :func:`file_attributes.prepare` returns
    :raises InvalidRequest: the path or the offset cannot be; nothing was sent
    :raises CommandUnsupported: the agent blocks or lacks a command
    :raises CommandError: the guest did not open the file; it is as before
    :raises OperationFailed: part of it was written; ``done`` says how much
    :raises OutcomeUnknown: the answer to a step never came
    """
    check_range(path, offset, len(data))
    file_attributes.check(attributes, offset)
    agent.require(*_needed(offset, verify))
    told: dict[str, Any] = {}
    if any(attributes):
        told = file_attributes.prepare(
            agent,
            path=path,
            wanted=attributes,
            best_effort=best_effort,
            timeout=timeout,
        )
    done = 0
    handle = agent.execute(commands.open_file(path, 'r+' if offset else 'w'))
    try:
        with _closing(agent, handle):
            if offset:
                _seek(agent, handle, offset)
            while done < len(data):
                piece = data[done : done + commands.WRITE_CHUNK]
                done += _write(agent, handle, piece)
    except errors.QgaError as error:
        gone = not offset and not done
        raise _interrupted(path, done, len(data), error, gone) from None
    digest = hashlib.sha256(data).hexdigest()
    if verify:
        _verify(agent, path, offset, len(data), digest)
    return {'bytes_written': len(data), 'sha256': digest, **told}


def read_file(
    agent: operations_agent.Agent, *, path: str, length: int, offset: int = 0
) -> FilePart:
    """Read up to ``length`` bytes of a file, from ``offset`` on.

    :raises InvalidRequest: the path or the range cannot be; nothing was sent
    :raises CommandUnsupported: the agent blocks or lacks a command
    :raises CommandError: the guest did not open it, or it is a directory
    :raises ChannelTimeout: the agent did not answer
    """
    check_range(path, offset, length)
    agent.require(*_reading(offset))
    data = bytearray()
    eof = False
    try:
        for chunk in _chunks(agent, path, offset, length):
            data += chunk.data
            eof = chunk.eof
    except errors.OutcomeUnknown as error:
        # Whatever became of it, nothing but a handle of ours is changed.
        raise errors.ChannelTimeout(str(error)) from None
    return FilePart(bytes(data), eof)


def check_range(path: str, offset: int, length: int) -> None:
    """Raise InvalidRequest unless the bytes of a file may be asked for.

    A relative path would depend on the agent's working directory.
    """
    if not _ABSOLUTE.match(path):
        raise errors.InvalidRequest(
            'the path is not absolute: it starts with "/", or with a drive '
            'as in "C:\\"'
        )
    if len(path) > MAX_PATH:
        raise errors.InvalidRequest(f'the path is over {MAX_PATH} characters')
    if '\0' in path:
        raise errors.InvalidRequest('the path holds a NUL')
    if offset < 0 or length < 0 or offset + length > MAX_OFFSET:
        raise errors.InvalidRequest(
            'offset and length are from 0 on, and 63 bits hold their sum'
        )


def _needed(offset: int, verify: bool) -> list[str]:
    names = [*_HANDLES, 'guest-file-write', 'guest-file-flush']
    if offset:
        names.append('guest-file-seek')
    if verify:
        names.append('guest-file-read')
    return names


def _reading(offset: int) -> list[str]:
    names = [*_HANDLES, 'guest-file-read']
    return [*names, 'guest-file-seek'] if offset else names


def _write(agent: operations_agent.Agent, handle: int, piece: bytes) -> int:
    """Write some of ``piece``; return how much the guest's kernel has."""
    count = agent.execute(commands.write_file(handle, piece))
    if not 0 < count <= len(piece):
        raise errors.OperationFailed(
            f'the agent says that it wrote {count} of {len(piece)} bytes'
        )
    # Else the last bytes that were counted may be in the agent's buffer only
    # when the disk turns out to be full.
    agent.execute(commands.flush_file(handle))
    return count


def _seek(agent: operations_agent.Agent, handle: int, offset: int) -> None:
    position = agent.execute(commands.seek_file(handle, offset))
    if position != offset:
        raise errors.OperationFailed(
            f'the agent went to byte {position} instead of {offset}'
        )


def _chunks(
    agent: operations_agent.Agent, path: str, offset: int, length: int
) -> Iterator[replies.FileChunk]:
    """Read a range by a handle of its own, to its end or the file's."""
    handle = agent.execute(commands.open_file(path, 'r'))
    try:
        if offset:
            _seek(agent, handle, offset)
        while length:
            asked = commands.read_file(handle, min(length, commands.CHUNK))
            chunk = agent.execute(asked)
            if not chunk.data and not chunk.eof:
                raise errors.OperationFailed(
                    f'{text.printable(path)}: the agent returned nothing, '
                    'and no end of the file'
                )
            length -= len(chunk.data)
            yield chunk
            if chunk.eof:
                return
    finally:
        _close_quietly(agent, handle)


@contextlib.contextmanager
def _closing(agent: operations_agent.Agent, handle: int) -> Iterator[None]:
    """Close what was written; a failure may only show here."""
    try:
        yield
    except BaseException:
        _close_quietly(agent, handle)
        raise
    agent.execute(commands.close_file(handle), cleanup=True)


def _close_quietly(agent: operations_agent.Agent, handle: int) -> None:
    # What happened before says more than that this fails too.
    with contextlib.suppress(errors.QgaError):
        agent.execute(commands.close_file(handle), cleanup=True)


def _verify(
    agent: operations_agent.Agent,
    path: str,
    offset: int,
    size: int,
    digest: str,
) -> None:
    found = hashlib.sha256()
    shown = text.printable(path)
    try:
        for chunk in _chunks(agent, path, offset, size):
            found.update(chunk.data)
    except errors.QgaError as error:
        raise errors.OperationFailed(
            f'{shown}: all {size} bytes were written, but could not be read '
            f'back: {error}',
            done=size,
        ) from None
    if found.hexdigest() != digest:
        raise errors.OperationFailed(
            f'{shown}: {size} bytes were written, but others are read back: '
            'something else writes there, or it is no plain file',
            done=size,
        )


def _interrupted(
    path: str, done: int, size: int, error: errors.QgaError, gone: bool
) -> errors.QgaError:
    message = (
        f'{text.printable(path)}: at least {done} of {size} bytes were '
        f'written, then: {error}'
    )
    if gone:
        message += '. The file was emptied: what it held before is gone'
    if isinstance(error, errors.OutcomeUnknown):
        return errors.OutcomeUnknown(message)
    return errors.OperationFailed(message, done=done)
