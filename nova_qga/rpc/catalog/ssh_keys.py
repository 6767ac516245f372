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

"""``add_ssh_keys``, ``remove_ssh_keys`` and ``list_ssh_keys``."""

from nova_qga.operations import accounts
from nova_qga.operations import public_keys
from nova_qga.operations import ssh_keys
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation

_USERNAME = (validation.text(accounts.MAX_NAME), validation.REQUIRED)
_GET = 'guest-ssh-get-authorized-keys'
_KEYS = (
    validation.texts(ssh_keys.MAX_KEYS, public_keys.MAX_LINE),
    validation.REQUIRED,
)


def _check_keys(given: base.Arguments, _: base.Limits) -> None:
    accounts.check_username(given['username'])
    ssh_keys.check_keys(given['keys'])


def _check_username(given: base.Arguments, _: base.Limits) -> None:
    accounts.check_username(given['username'])


def _add(context: base.Context, given: base.Arguments) -> base.Result:
    return {**ssh_keys.add_ssh_keys(context.agent(), **given)}


def _remove(context: base.Context, given: base.Arguments) -> base.Result:
    return {**ssh_keys.remove_ssh_keys(context.agent(), **given)}


def _list(context: base.Context, given: base.Arguments) -> base.Result:
    return {'keys': ssh_keys.list_ssh_keys(context.agent(), **given)}


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
    needs=(_GET, 'guest-ssh-add-authorized-keys'),
)
REMOVE_SSH_KEYS = base.Operation(
    'remove_ssh_keys',
    has_effect=True,
    arguments={'username': _USERNAME, 'keys': _KEYS},
    run=_remove,
    check=_check_keys,
    needs=(_GET, 'guest-ssh-remove-authorized-keys'),
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
