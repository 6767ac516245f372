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

"""Seal a secret so that one host's agent alone can read it. Pure.

A message passes through the broker, where others may read and repeat it. The
box hides the secret from them. It would not keep them from sending the same
box once more, to a guest of their own, and so getting the secret: therefore
what the secret is for stands in the box with it. The agent opens a box only
for the guest, the account and the request that it was made for, and runs a
request once: not while it remembers it, and not when it has expired, for its
expiry stands there too.

It does not say who made a box. Whoever may write to the broker can make one
with a password of his own, as he can send any request; and one who changes
messages there can hand out a public key of his own.

Errors are constant: none holds anything of what is in a box.

Source: https://doc.libsodium.org/public-key_cryptography/sealed_boxes (X25519
and XSalsa20-Poly1305).
"""

import dataclasses
import datetime
import hashlib
import hmac

from nacl import bindings
from nacl import exceptions
from nacl import public

from nova_qga import errors

#: As get_public_key says it.
ALGORITHM = 'x25519-xsalsa20-poly1305-sealed'
#: Bytes of a public key, and of a private one.
KEY_SIZE = public.PublicKey.SIZE
#: Bytes of the longest secret: 512 characters of four bytes.
MAX_SECRET = 2048

#: Secrets are filled up to a multiple of it: their length is nobody's.
_BLOCK = 128
# One made for another use is never opened for this one.
_USE = b'nova-qga set_password 1'
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_DIGEST = hashlib.sha256
_BOUND = _DIGEST().digest_size
#: Bytes of the largest box.
MAX_SEALED = MAX_SECRET + _BLOCK + _BOUND + bindings.crypto_box_SEALBYTES


@dataclasses.dataclass(frozen=True, slots=True)
class Binding:
    """What a secret is for, and nothing else.

    :ivar expires_at: of the request; counts in whole milliseconds
    """

    instance_uuid: str
    username: str
    request_id: str
    expires_at: datetime.datetime

    def digest(self) -> bytes:
        """Return it in a form in which no two are alike."""
        made = _DIGEST()
        ahead = (self.expires_at - _EPOCH) // datetime.timedelta(
            milliseconds=1
        )
        for part in (
            self.instance_uuid,
            self.username,
            self.request_id,
            str(ahead),
        ):
            encoded = part.encode(errors='surrogatepass')
            made.update(len(encoded).to_bytes(8, 'big') + encoded)
        return _DIGEST(_USE + made.digest()).digest()


def seal(public_key: bytes, secret: str, binding: Binding) -> bytes:
    """Return a box that only the owner of the public key can open.

    :raises InvalidRequest: the secret can be none, or the key
    """
    try:
        encoded = secret.encode()
    except UnicodeEncodeError:
        # The error itself holds the secret.
        raise errors.InvalidRequest(
            'the secret is not valid Unicode text, and is not sealed'
        ) from None
    if len(encoded) > MAX_SECRET:
        raise errors.InvalidRequest(
            f'the secret has over {MAX_SECRET} bytes, and is not sealed'
        )
    padded = bindings.sodium_pad(encoded, _BLOCK)
    try:
        box = public.SealedBox(public.PublicKey(public_key))
        return bytes(box.encrypt(binding.digest() + padded))
    except (exceptions.CryptoError, ValueError, TypeError):
        raise errors.InvalidRequest(
            'this is no public key to seal a secret to'
        ) from None


def unseal(private_key: bytes, sealed: bytes, binding: Binding) -> str:
    """Return the secret in a box, if it is for this use.

    :raises InvalidRequest: it is damaged, for another key or another use
    """
    try:
        opened = public.SealedBox(public.PrivateKey(private_key)).decrypt(
            sealed
        )
    except (exceptions.CryptoError, ValueError, TypeError):
        # Whatever it says is of the box.
        raise errors.InvalidRequest(
            'the sealed secret cannot be opened: it was damaged, or sealed '
            'to another key than key_id names'
        ) from None
    if not hmac.compare_digest(opened[:_BOUND], binding.digest()):
        raise errors.InvalidRequest(
            'the sealed secret is for another guest, account or request: '
            'seal it anew for each request'
        )
    return _unpadded(opened[_BOUND:])


def _unpadded(padded: bytes) -> str:
    try:
        return bindings.sodium_unpad(padded, _BLOCK).decode()
    except (exceptions.CryptoError, ValueError, TypeError):
        # An error of decoding holds what it could not decode.
        raise errors.InvalidRequest(
            'the sealed secret is no padded text in UTF-8'
        ) from None
