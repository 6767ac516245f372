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


"""Put new public keys in the place of those that we added before.

The new ones are added and seen to be there before an old one is removed. Keys
that others have added are left alone.
"""

from collections.abc import Sequence

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga.operations import public_keys
from nova_qga.operations import ssh_keys


def rotate_ssh_keys(
    agent: operations_agent.Agent,
    username: str,
    keys: Sequence[str],
    owned: ssh_keys.Owned,
) -> dict[str, int]:
    """Add keys to an account, then remove those of ours that are not among.

    :returns: how many were ``added``, ``present`` before, ``removed``, and
        how many of the old ones ``absent``
    :raises InvalidRequest: a key is no public key, or no key is ours
    :raises CommandUnsupported, CommandError: the new ones were not added
    :raises OperationFailed: the new ones are there, and so are old ones
    :raises OutcomeUnknown: an answer never came
    """
    wanted = {key.identity for key in ssh_keys.check_keys(keys)}
    old = owned.keys() - wanted
    if not old and not owned.keys() & wanted:
        raise errors.InvalidRequest(
            'this host has added no key to this account of the guest, so '
            'there is none to rotate: add the new one with "key add". What '
            'was added while the guest was on another host is known there '
            'alone'
        )
    added = ssh_keys.add_ssh_keys(agent, username, keys, owned)
    try:
        _check_present(agent, username, wanted, owned)
        removed = ssh_keys.remove_ssh_keys(agent, username, old, owned)
    except errors.OutcomeUnknown:
        raise
    except errors.QgaError as error:
        raise errors.OperationFailed(
            f'the new keys were added, and the old ones are still there: '
            f'{error}',
            done=added['added'],
        ) from None
    return {**added, **removed}


def _check_present(
    agent: operations_agent.Agent,
    username: str,
    wanted: set[tuple[str, str]],
    owned: ssh_keys.Owned,
) -> None:
    """Raise OperationFailed unless the account has all of the keys."""
    lines = ssh_keys.list_ssh_keys(agent, username, owned)['keys']
    found = {key.identity for key in map(public_keys.parse, lines) if key}
    if not wanted <= found:
        raise errors.OperationFailed(
            'the guest says that it added the keys, and does not list them'
        )
