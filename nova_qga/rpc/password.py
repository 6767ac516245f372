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

"""What becomes of a password before it leaves the process that asks.

It is hashed, or sealed to the agent of one host: no clear text is ever sent.
"""

import base64
from collections.abc import Mapping
import datetime
from typing import Any

from passlib import hash as password_hash

from nova_qga.rpc import sealing

#: Of sha512-crypt. libxcrypt's own default, 5,000, is of 2007; this takes a
#: guest a tenth of a second at each login.
ROUNDS = 100_000


def hashed(password: str) -> str:
    """Return the sha512-crypt hash of a password, with a new salt."""
    made: str = password_hash.sha512_crypt.using(rounds=ROUNDS).hash(password)
    return made


def sealed(
    key: Mapping[str, Any],
    request: Mapping[str, Any],
    username: str,
    password: str,
) -> dict[str, Any]:
    """Return the arguments of a request that has the password sealed.

    :param key: the result of get_public_key
    :param request: that the box is for alone; with ``instance_uuid``,
        ``request_id`` and ``expires_at``, in UTC
    :raises InvalidRequest: the key is none, or the password is too long
    """
    box = sealing.seal(
        _decoded(key['public_key']),
        password,
        sealing.Binding(
            request['instance_uuid'],
            username,
            request['request_id'],
            datetime.datetime.fromisoformat(request['expires_at']),
        ),
    )
    return {
        'username': username,
        'sealed': base64.b64encode(box).decode(),
        'key_id': key['key_id'],
    }


def _decoded(public_key: str) -> bytes:
    try:
        return base64.b64decode(public_key, validate=True)
    except ValueError:
        # It is none then, which the sealing says.
        return b''
