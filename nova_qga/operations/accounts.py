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

"""Check the name of an account in a guest before anything is sent."""

from nova_qga import errors
from nova_qga import text

MAX_NAME = 256


def check_username(username: str) -> None:
    """Raise InvalidRequest unless ``username`` may name an account.

    A colon or a line break would reach another field, or another account,
    of chpasswd's input. A backslash is allowed: Windows has ``DOMAIN\\name``.
    The message has none of it: behind a colon there may be a password.
    """
    if not username:
        raise errors.InvalidRequest('the user name is empty')
    if len(username) > MAX_NAME:
        raise errors.InvalidRequest(
            f'the user name has over {MAX_NAME} characters'
        )
    if ':' in username or not username.isprintable():
        raise errors.InvalidRequest(
            'the user name holds a colon or characters that do not print'
        )


def hint(username: str) -> str:
    """Return what to look at where the guest refuses an account."""
    return f'is there an account "{text.printable(username)}" in the guest?'
