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

"""The old ``inject_files.json``: files that Nova wrote into guests. Pure.

Of each only its path, size and digest are kept: what they hold may be a
secret, and nothing of it is ever shown.

Source: the ``personality`` of Nova's API, ``path`` and ``contents``.
"""

import base64
import binascii
from collections.abc import Iterator
import hashlib
import posixpath
from typing import Any, NamedTuple

from nova_qga.cli import json_file

#: Bytes of the file itself, and files in it.
MAX_BYTES = 16 * 1024 * 1024
MAX_FILES = 100
#: Bytes of a file: one more is read of a guest's, in one request.
MAX_CONTENT = 1024 * 1024 - 1
#: Characters of a path, as in Nova.
MAX_PATH = 255


class InjectedFile(NamedTuple):
    """A file as it was put into guests.

    :ivar sha256: of its content, in hexadecimal digits
    """

    path: str
    size: int
    sha256: str

    @property
    def starts_others(self) -> bool:
        """Whether cron reads it, and so may run the others."""
        *folders, name = self.path.split('/')
        return name == 'crontab' or any(
            each.startswith('cron') for each in folders
        )

    def is_whole(self, data: bytes) -> bool:
        """Tell whether this is its content, all of it."""
        return hashlib.sha256(data).hexdigest() == self.sha256


def parse(name: str, found: Any) -> list[InjectedFile]:
    """Return the files, in their order.

    :param name: of the file, for what is said of it
    :param found: what it holds: a list of objects with ``path`` and
        ``contents`` in base64, or an object of these, path -> contents
    :raises Failure: the message says what is wrong, and where
    """
    entries = list(_entries(name, found))
    if not 0 < len(entries) <= MAX_FILES:
        raise json_file.refused(
            name, f'it has {len(entries)} files, and 1 to {MAX_FILES} are read'
        )
    files: list[InjectedFile] = []
    for where, path, contents in entries:
        _check_path(name, where, path)
        if any(path == each.path for each in files):
            raise json_file.refused(name, f'{where}: {path} stands twice')
        data = _decoded(name, f'{where}, {path}', contents)
        digest = hashlib.sha256(data).hexdigest()
        files.append(InjectedFile(path, len(data), digest))
    return files


def _entries(name: str, found: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield of each entry where it stands, its path and its contents."""
    if isinstance(found, dict):
        for number, (path, contents) in enumerate(found.items(), 1):
            yield f'file {number}', path, contents
        return
    if not isinstance(found, list):
        raise json_file.refused(
            name, 'it is neither a list of files nor an object of them'
        )
    for number, entry in enumerate(found, 1):
        where = f'file {number}'
        if not isinstance(entry, dict):
            raise json_file.refused(name, f'{where}: it is no object')
        for key in ('path', 'contents'):
            if key not in entry:
                raise json_file.refused(name, f'{where}: it has no "{key}"')
        yield where, entry['path'], entry['contents']


def _check_path(name: str, where: str, path: Any) -> None:
    if not isinstance(path, str):
        raise json_file.refused(name, f'{where}: its path is no text')
    shown = json_file.shown(path)
    if len(path) > MAX_PATH or not path.isprintable():
        raise json_file.refused(
            name,
            f'{where}: its path must have up to {MAX_PATH} characters, all '
            f'of them printable: {shown}',
        )
    # What is written in two ways would be two files here, and one there.
    if (
        not path.startswith('/')
        or path.startswith('//')
        or '..' in path.split('/')
        or posixpath.normpath(path) != path
        or path == '/'
    ):
        raise json_file.refused(
            name,
            f'{where}: its path must be absolute, with neither ".", ".." nor '
            f'an empty part: {shown}',
        )


def _decoded(name: str, where: str, contents: Any) -> bytes:
    if not isinstance(contents, str):
        raise json_file.refused(name, f'{where}: its contents are no text')
    try:
        # It was often made with a line break after each 76 characters.
        data = base64.b64decode(''.join(contents.split()), validate=True)
    except (binascii.Error, ValueError):
        raise json_file.refused(
            name, f'{where}: its contents are no base64'
        ) from None
    if len(data) > MAX_CONTENT:
        raise json_file.refused(
            name,
            f'{where}: it has {len(data)} bytes, and files of up to '
            f'{MAX_CONTENT} are read',
        )
    return data
