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

"""``add_ssh_keys``, ``remove_ssh_keys``, ``rotate_ssh_keys``, and to list."""

from nova_qga import errors
from nova_qga.operations import accounts
from nova_qga.operations import key_rotation
from nova_qga.operations import public_keys
from nova_qga.operations import ssh_keys
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation

_USERNAME = (validation.text(accounts.MAX_NAME), validation.REQUIRED)
_GET = 'guest-ssh-get-authorized-keys'
_ADD = 'guest-ssh-add-authorized-keys'
_REMOVE = 'guest-ssh-remove-authorized-keys'
_LINES = validation.texts(ssh_keys.MAX_KEYS, public_keys.MAX_LINE)
_KEYS = (_LINES, validation.REQUIRED)


def _check_keys(given: base.Arguments, _: base.Limits) -> None:
    accounts.check_username(given['username'])
    ssh_keys.check_keys(given['keys'])


def _check_removal(given: base.Arguments, limits: base.Limits) -> None:
    if not given['owned']:
        _check_keys(given, limits)
    elif given['keys']:
        raise errors.InvalidRequest(
            'name the keys, or have all that are owned removed; not both'
        )
    accounts.check_username(given['username'])


def _check_username(given: base.Arguments, _: base.Limits) -> None:
    accounts.check_username(given['username'])


def _add(context: base.Context, given: base.Arguments) -> base.Result:
    owned = context.owned_keys(given['username'])
    return {**ssh_keys.add_ssh_keys(context.agent(), owned=owned, **given)}


def _remove(context: base.Context, given: base.Arguments) -> base.Result:
    username = given['username']
    owned = context.owned_keys(username)
    wanted = {key.identity for key in map(public_keys.check, given['keys'])}
    return {
        **ssh_keys.remove_ssh_keys(
            context.agent(),
            username,
            owned.keys() if given['owned'] else wanted,
            owned,
        )
    }


def _rotate(context: base.Context, given: base.Arguments) -> base.Result:
    owned = context.owned_keys(given['username'])
    agent = context.agent()
    return {**key_rotation.rotate_ssh_keys(agent, owned=owned, **given)}


def _list(context: base.Context, given: base.Arguments) -> base.Result:
    owned = context.owned_keys(given['username'])
    return {**ssh_keys.list_ssh_keys(context.agent(), owned=owned, **given)}


ADD_SSH_KEYS = base.Operation(
    'add_ssh_keys',
    has_effect=True,
    arguments={
        'username': _USERNAME,
        'keys': _KEYS,
        'replace': (validation.flag, False),
    },
    run=_add,
    check=_check_keys,
    needs=(_GET, _ADD),
)
REMOVE_SSH_KEYS = base.Operation(
    'remove_ssh_keys',
    has_effect=True,
    arguments={
        'username': _USERNAME,
        'keys': (_LINES, []),
        'owned': (validation.flag, False),
    },
    run=_remove,
    check=_check_removal,
    needs=(_GET, _REMOVE),
)
ROTATE_SSH_KEYS = base.Operation(
    'rotate_ssh_keys',
    has_effect=True,
    arguments={'username': _USERNAME, 'keys': _KEYS},
    run=_rotate,
    check=_check_keys,
    needs=(_GET, _ADD, _REMOVE),
)
LIST_SSH_KEYS = base.Operation(
    'list_ssh_keys',
    has_effect=False,
    arguments={'username': _USERNAME},
    run=_list,
    check=_check_username,
    access=base.Access.AUDIT,
    needs=(_GET,),
)
