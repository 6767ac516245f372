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

"""List, add and remove public keys of an account in a guest.

Other keys of the account are left alone. Those that we add are noted as ours
before they are sent, until they were removed. The agent follows symlinks: an
account whose owner is hostile can lead it to another account's file, so use
these for root and for the image's own administrator.

Source: qga/commands-posix-ssh.c of QEMU 10.0.
"""

from collections.abc import Iterable, Sequence, Set
from typing import Protocol

from nova_qga import errors
from nova_qga.operations import accounts
from nova_qga.operations import agent as operations_agent
from nova_qga.operations import public_keys
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga import text

#: Keys that one request may name.
MAX_KEYS = 256

_GET = 'guest-ssh-get-authorized-keys'
_ADD = 'guest-ssh-add-authorized-keys'
_REMOVE = 'guest-ssh-remove-authorized-keys'


class Owned(Protocol):
    """Which keys of the account are ours; a key is its type and blob."""

    def keys(self) -> Set[tuple[str, str]]:
        """Return those that we have added."""

    def add(self, keys: Iterable[tuple[str, str]]) -> None:
        """Note that we add keys."""

    def forget(self, keys: Iterable[tuple[str, str]]) -> None:
        """Note that keys are ours no more."""


def check_keys(keys: Sequence[str]) -> list[public_keys.PublicKey]:
    """Return the keys of a request, each once.

    :raises InvalidRequest: one is no public key; the message says which
    """
    if not keys:
        raise errors.InvalidRequest('no key is given')
    if len(keys) > MAX_KEYS:
        raise errors.InvalidRequest(f'over {MAX_KEYS} keys in one request')
    if sum(map(len, keys)) > commands.WRITE_CHUNK:
        raise errors.InvalidRequest(
            f'the keys have over {commands.WRITE_CHUNK} characters together'
        )
    checked: dict[tuple[str, str], public_keys.PublicKey] = {}
    for number, line in enumerate(keys, 1):
        try:
            key = public_keys.check(line)
        except errors.InvalidRequest as error:
            raise errors.InvalidRequest(f'key {number}: {error}') from None
        checked.setdefault(key.identity, key)
    return list(checked.values())


def list_ssh_keys(
    agent: operations_agent.Agent, username: str, owned: Owned
) -> dict[str, list[str]]:
    """Return an account's keys as they stand in its file, in any order.

    Lines that are no keys are left out, and what does not print is escaped.

    :returns: ``keys``, and those of them that are ``owned``: we added them
    :raises CommandUnsupported: the agent blocks or lacks the command
    :raises CommandError: the guest refused: there may be no such account
    """
    accounts.check_username(username)
    agent.require(_GET)
    ours = owned.keys()
    found: dict[str, list[str]] = {'keys': [], 'owned': []}
    for key in _present(agent, username):
        line = text.printable(key.line, public_keys.MAX_LINE)
        found['keys'].append(line)
        if key.identity in ours:
            found['owned'].append(line)
    return found


def add_ssh_keys(
    agent: operations_agent.Agent,
    username: str,
    keys: Sequence[str],
    owned: Owned,
    replace: bool = False,
) -> dict[str, int]:
    """Add keys to an account, or with ``replace`` leave it these alone.

    A key that stands there is not added again, whatever its options and
    comment are there, and does not become ours.

    :returns: how many were ``added``, and how many ``present`` before
    :raises InvalidRequest: a key is no public key; nothing was sent
    :raises CommandUnsupported: the agent blocks or lacks the commands
    :raises CommandError: the guest refused: there may be no such account
    :raises OutcomeUnknown: they may have been added, or may still be
    """
    accounts.check_username(username)
    wanted = check_keys(keys)
    agent.require(_GET, _ADD)
    present = {key.identity for key in _present(agent, username)}
    new = [key for key in wanted if key.identity not in present]
    written = wanted if replace else new
    if written:
        lines = [key.line for key in written]
        ours = {key.identity for key in new} - owned.keys()
        owned.add(ours)
        try:
            _execute(
                agent,
                commands.add_authorized_keys(username, lines, reset=replace),
                username,
            )
        except errors.OutcomeUnknown:
            raise
        except errors.QgaError:
            # They were not added, and so are nobody's.
            owned.forget(ours)
            raise
    if replace:
        owned.forget(owned.keys() - {key.identity for key in wanted})
    return {'added': len(new), 'present': len(wanted) - len(new)}


def remove_ssh_keys(
    agent: operations_agent.Agent,
    username: str,
    wanted: Set[tuple[str, str]],
    owned: Owned,
) -> dict[str, int]:
    """Remove keys from an account, whatever their options and comments are.

    :param wanted: types and blobs of the keys
    :returns: how many were ``removed``, and how many ``absent`` before
    :raises CommandUnsupported: the agent blocks or lacks the commands
    :raises CommandError: the guest refused: there may be no such account
    :raises OperationFailed: the agent says that it did, and a key is there
    :raises OutcomeUnknown: they may have been removed, or may still be
    """
    accounts.check_username(username)
    agent.require(_GET, _REMOVE)
    found = [k for k in _present(agent, username) if k.identity in wanted]
    removed = {key.identity for key in found}
    if found:
        # The agent compares whole lines.
        lines = [key.line for key in found]
        _execute(
            agent, commands.remove_authorized_keys(username, lines), username
        )
        _check_removed(agent, username, removed)
    owned.forget(wanted)
    return {'removed': len(removed), 'absent': len(wanted) - len(removed)}


def _check_removed(
    agent: operations_agent.Agent,
    username: str,
    removed: set[tuple[str, str]],
) -> None:
    """Look whether they are gone.

    The agent lists lines without the blanks around them, and so finds none
    that has some.
    """
    try:
        present = {key.identity for key in _present(agent, username)}
    except errors.QgaError as error:
        raise errors.OperationFailed(
            'the agent says that it removed the keys, and then could not '
            f'list what is left: {error}'
        ) from None
    left = len(removed & present)
    if left:
        raise errors.OperationFailed(
            f'{left} of {len(removed)} keys still stand in authorized_keys, '
            'for their lines have blanks around them: edit it in the guest',
            done=len(removed) - left,
        )


def _present(
    agent: operations_agent.Agent, username: str
) -> list[public_keys.PublicKey]:
    try:
        lines = _execute(
            agent, commands.get_authorized_keys(username), username
        )
    except errors.CommandUnsupported:
        raise
    except errors.CommandError as error:
        if _says_no_file(error):
            return []
        raise
    keys = [public_keys.parse(line) for line in lines]
    return [key for key in keys if key is not None]


def _says_no_file(error: errors.CommandError) -> bool:
    # An account that is not there fails at its look-up, in other words.
    words = error.description
    return words.startswith('failed to read') and 'No such file' in words


def _execute(
    agent: operations_agent.Agent,
    asked: command.Command[operations_agent.ReplyT],
    username: str,
) -> operations_agent.ReplyT:
    try:
        return agent.execute(asked)
    except errors.CommandError as error:
        if not isinstance(error, errors.CommandUnsupported):
            error.hint = accounts.hint(username)
        raise
