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

"""Set the password of an account in a guest.

It makes no account and unlocks none, and it hashes nothing: a caller that
can, hashes the password itself, so that no clear text travels.

Source: qga/commands-posix.c of QEMU 10.0, qmp_guest_set_user_password();
chpasswd(8).
"""

import re

from nova_qga import errors
from nova_qga.operations import accounts
from nova_qga.operations import agent as operations_agent
from nova_qga.operations import guest_words
from nova_qga.protocol import commands

COMMAND = 'guest-set-user-password'
#: Characters of a password; PAM takes no longer one.
MAX_PASSWORD = 512

# As crypt(5) has them: a colon would reach the next field of /etc/shadow.
_HASH = re.compile(r'\$[0-9a-z]{1,16}\$[!-9;-~]{8,512}')
_CONTROL = re.compile(r'[\x00-\x1f\x7f]')


def set_password(
    agent: operations_agent.Agent,
    *,
    username: str,
    password: str,
    crypted: bool,
) -> None:
    """Set the password of an existing account.

    Repeating it is harmless.

    :param password: clear text, or where ``crypted`` a crypt(3) hash such as
        ``$6$...``, which Linux guests take
    :raises InvalidRequest: no such name or password can be; nothing was sent
    :raises CommandUnsupported: the agent blocks or lacks the command
    :raises CommandError: the guest refused: there may be no such account
    :raises OutcomeUnknown: it may have been set, or may still be
    """
    check_password(username, password, crypted)
    agent.require(COMMAND)
    asked = commands.set_user_password(username, password, crypted=crypted)
    try:
        agent.execute(asked)
    except errors.CommandUnsupported:
        raise
    except errors.CommandError as error:
        said = guest_words.checked(error, (password,))
        if said is not error:
            raise said from None
        error.hint = accounts.hint(username)
        raise


def check_password(username: str, password: str, crypted: bool) -> None:
    """Raise InvalidRequest for what no guest would take, or misunderstand.

    No message holds any of the password.
    """
    accounts.check_username(username)
    if crypted:
        check_hash(password)
        return
    if not password:
        raise errors.InvalidRequest('the password is empty')
    if len(password) > MAX_PASSWORD:
        raise errors.InvalidRequest(
            f'the password has over {MAX_PASSWORD} characters'
        )
    if _CONTROL.search(password):
        raise errors.InvalidRequest(
            'the password holds a line break or another control character'
        )


def check_hash(password: str) -> None:
    """Raise InvalidRequest for what is no crypt(3) hash.

    Anything else would lock the account, or spoil /etc/shadow.
    """
    if not _HASH.fullmatch(password):
        raise errors.InvalidRequest(
            'the password is not a crypt(3) hash such as "$6$salt$hash"'
        )
