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

"""The key pairs of this host that secrets are sealed to.

One file in the state folder, for its owner alone, and replaced as a whole. It
is looked at whenever a key is needed, so that a key which another process has
changed is known at once. Where it cannot be used, only what needs a key
fails; a broken file is never overwritten.

It seals and opens nothing: :mod:`nova_qga.rpc.sealing` does.
"""

import base64
from collections.abc import Callable, Iterator
import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import pathlib
import stat
import time
from typing import Any

from nacl import public

from nova_qga import errors

_FILE = 'key_pairs.json'


@dataclasses.dataclass(frozen=True, slots=True)
class KeyPair:
    """One key pair.

    :ivar accepted_until: seconds since the epoch; None for the current one
    """

    private_key: bytes = dataclasses.field(repr=False)
    accepted_until: float | None = None

    @property
    def public_key(self) -> bytes:
        """What secrets are sealed to."""
        return bytes(public.PrivateKey(self.private_key).public_key)

    @property
    def key_id(self) -> str:
        """Its name: the fingerprint of the public key."""
        return hashlib.sha256(self.public_key).hexdigest()[:32]


#: The current one first.
Pairs = tuple[KeyPair, ...]


class KeyPairs:
    """The key pairs of one host; may be used from any thread.

    :param folder: where the file is; None keeps them in memory, for a
        process that seals to itself
    """

    def __init__(self, folder: pathlib.Path | None) -> None:
        self._folder = folder
        self._kept: Pairs = () if folder is not None else (_made(),)

    def current(self) -> KeyPair:
        """Return the key pair to seal to; make one where there is none.

        :raises ServiceUnavailable: the file cannot be used
        """
        pairs = self._read() or self._change(lambda known: known or (_made(),))
        return pairs[0]

    def find(self, key_id: str) -> KeyPair:
        """Return a key pair that is still accepted.

        :raises UnknownKey: there is none of that name, or no more
        :raises ServiceUnavailable: the file cannot be used
        """
        pairs = self._read()
        if _accepted(pairs) != pairs:
            # Its time is over: who gets at the file now shall not have it.
            pairs = self._change(_accepted)
        for pair in pairs:
            if pair.key_id == key_id:
                return pair
        raise errors.UnknownKey(
            'the secret is sealed to a key that this host does not have, or '
            'no more: fetch its public key again, and seal the secret to that'
        )

    def rotate(self, lifetime: float) -> KeyPair:
        """Make a new key pair the current one, and return it.

        :param lifetime: seconds for which the one before is still accepted
        :raises ServiceUnavailable: the file cannot be used
        """
        until = time.time() + lifetime

        def change(known: Pairs) -> Pairs:
            old = (
                dataclasses.replace(pair, accepted_until=until)
                if pair.accepted_until is None
                else pair
                for pair in known
            )
            return (_made(), *_accepted(tuple(old)))

        return self._change(change)[0]

    def _read(self) -> Pairs:
        if self._folder is None:
            return self._kept
        try:
            return _parse(_load(self._folder / _FILE))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._unusable(error.strerror or 'it fails') from None
        except (KeyError, TypeError, ValueError):
            # What is wrong with it may hold a private key.
            raise self._unusable('it is broken') from None

    def _change(self, change: Callable[[Pairs], Pairs]) -> Pairs:
        """Replace what is known, while nobody else does."""
        if self._folder is None:
            self._kept = change(self._kept)
            return self._kept
        try:
            with _alone(self._folder) as owner:
                pairs = change(self._read())
                _replace(self._folder / _FILE, _dump(pairs), owner)
        except OSError as error:
            raise self._unusable(error.strerror or 'it fails') from None
        return pairs

    def _unusable(self, why: str) -> errors.ServiceUnavailable:
        return errors.ServiceUnavailable(
            f'nova-qga-agent cannot use its keys ({why}), and so opens no '
            f'sealed secret: look at {_FILE} in [qga_agent]state_path, '
            f'{self._folder}. Where it is broken, move it away: new keys are '
            'made'
        )


def _made() -> KeyPair:
    return KeyPair(bytes(public.PrivateKey.generate()))


def _accepted(pairs: Pairs) -> Pairs:
    now = time.time()
    return tuple(
        pair
        for pair in pairs
        if pair.accepted_until is None or pair.accepted_until > now
    )


def _load(path: pathlib.Path) -> bytes:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(file, 'rb') as opened:
        if stat.S_IMODE(os.fstat(file).st_mode) & 0o077:
            raise PermissionError(
                0,
                'others may read it: remove it, or give it the mode 0600 if '
                'you trust them all',
            )
        return opened.read()


def _parse(data: bytes) -> Pairs:
    pairs = tuple(_pair(each) for each in json.loads(data)['key_pairs'])
    if not pairs or [p for p in pairs if p.accepted_until is None] != [
        pairs[0]
    ]:
        raise ValueError('the first, and only that, is the current one')
    return pairs


def _pair(kept: Any) -> KeyPair:
    until = kept['accepted_until']
    pair = KeyPair(
        base64.b64decode(kept['private_key'], validate=True),
        None if until is None else float(until),
    )
    if len(pair.private_key) != public.PrivateKey.SIZE:
        raise ValueError('no private key has this size')
    return pair


def _dump(pairs: Pairs) -> bytes:
    kept = [
        {
            'key_id': pair.key_id,
            'private_key': base64.b64encode(pair.private_key).decode(),
            'accepted_until': pair.accepted_until,
        }
        for pair in pairs
    ]
    return json.dumps({'key_pairs': kept}, indent=1).encode() + b'\n'


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[os.stat_result]:
    """Keep other processes and threads out; give whose folder it is."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield os.fstat(file)
        os.fsync(file)
    finally:
        os.close(file)


def _replace(path: pathlib.Path, data: bytes, owner: os.stat_result) -> None:
    fresh = path.with_name(f'{path.name}.new')
    fresh.unlink(missing_ok=True)
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, 'wb') as opened:
        if os.geteuid() == 0:
            # Root may rotate the keys of an agent that is not root.
            os.fchown(file, owner.st_uid, owner.st_gid)
        opened.write(data)
        opened.flush()
        os.fsync(file)
    fresh.replace(path)
