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

"""SSH public keys: what we let into a guest, and what stands there already.

Agents take anything for a key, an empty line too, so it is checked here.
What a guest says stands in a file of its own may be anything else, a private
file behind a symlink for one: only what has the form of a key is kept.

Source: sshd(8), AUTHORIZED_KEYS FILE FORMAT; RFC 4253, 6.6.
"""

import base64
import binascii
import re
from typing import NamedTuple
import warnings

from cryptography import exceptions
from cryptography.hazmat.primitives import serialization

from nova_qga import errors

#: Characters of a line; a key of 16384 bits has under 3000.
MAX_LINE = 8192

_TYPE = re.compile(r'(ssh|ecdsa|sk-ssh|sk-ecdsa)-[A-Za-z0-9@.-]{1,64}')
# Options end at the first blank that no double quotes enclose.
_OPTIONS = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^\s"])+[ \t]+')


class PublicKey(NamedTuple):
    """A line of authorized_keys.

    :ivar type: such as ``ssh-ed25519``
    :ivar blob: the key itself in base64; with ``type`` it is its identity
    :ivar line: all of it, with options and comment
    """

    type: str
    blob: str
    line: str

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it this key, whatever its options and comment are."""
        return self.type, self.blob


def check(line: str) -> PublicKey:
    """Return the key of a line that may be written into a guest.

    :raises InvalidRequest: it is not one public key without options
    """
    line = _one_line(line)
    head, _, rest = line.partition(' ')
    if not _TYPE.fullmatch(head):
        raise errors.InvalidRequest(
            'a key does not start with its type, such as "ssh-ed25519"; '
            'options before it are not allowed'
        )
    if head == 'ssh-dss':
        raise errors.InvalidRequest('DSA keys are refused: they are broken')
    blob, _, comment = rest.strip().partition(' ')
    _load(f'{head} {blob}')
    comment = comment.strip()
    return PublicKey(head, blob, f'{head} {blob} {comment}'.rstrip())


def parse(line: str) -> PublicKey | None:
    """Return the key of a line from a guest, or None if it holds none."""
    key = _parse_key(line)
    if key is None and (options := _OPTIONS.match(line)):
        key = _parse_key(line[options.end() :])
    return key and key._replace(line=line)


def _one_line(line: str) -> str:
    # First: nobody should have to think of them from here on.
    if '\n' in line.strip() or '\r' in line.strip() or '\0' in line:
        raise errors.InvalidRequest(
            'a key holds a line break or a NUL: give each key by itself'
        )
    line = line.strip().replace('\t', ' ')
    if not line:
        raise errors.InvalidRequest('a key is empty')
    if len(line) > MAX_LINE:
        raise errors.InvalidRequest(f'a key is over {MAX_LINE} characters')
    if not line.isprintable():
        raise errors.InvalidRequest('a key holds characters that do not print')
    return line


def _load(key: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            serialization.load_ssh_public_key(key.encode())
    except (ValueError, exceptions.UnsupportedAlgorithm):
        # What it says may hold some of what was given.
        raise errors.InvalidRequest(
            'a key is not a valid SSH public key, or of a type that is not '
            'known here'
        ) from None


def _parse_key(line: str) -> PublicKey | None:
    words = line.split(None, 2)
    if len(words) < 2 or not _TYPE.fullmatch(words[0]):
        return None
    try:
        data = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    # The type stands in the key itself too, behind its length.
    name = words[0].encode()
    if not data.startswith(len(name).to_bytes(4, 'big') + name):
        return None
    return PublicKey(words[0], words[1], line)
