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

"""``set_password``."""

from nova_qga import errors
from nova_qga.operations import accounts
from nova_qga.operations import password
from nova_qga.rpc.catalog import base
from nova_qga.rpc import sealing
from nova_qga.rpc import validation


def _check(given: base.Arguments, _: base.Limits) -> None:
    if (given['crypted'] is None) == (given['sealed'] is None):
        raise errors.InvalidRequest(
            'give the password as crypted, a crypt(3) hash, or as sealed to '
            "this host's public key: one of them"
        )
    if (given['key_id'] is None) != (given['sealed'] is None):
        raise errors.InvalidRequest(
            'key_id belongs to sealed: it names the key that this is sealed to'
        )
    accounts.check_username(given['username'])
    if given['crypted'] is not None:
        password.check_hash(given['crypted'])


def _set(context: base.Context, given: base.Arguments) -> base.Result:
    username = given['username']
    if given['sealed'] is None:
        password.set_password(
            context.agent(),
            username=username,
            password=given['crypted'],
            crypted=True,
        )
        return {}
    # libvirtd's log may have what goes over the other channel.
    agent = context.agent(direct_first=True)
    agent.require(password.COMMAND)
    password.set_password(
        agent,
        username=username,
        password=context.unseal(given['sealed'], given['key_id'], username),
        crypted=False,
    )
    return {}


SET_PASSWORD = base.Operation(
    'set_password',
    has_effect=True,
    arguments={
        'username': (
            validation.text(accounts.MAX_NAME),
            validation.REQUIRED,
        ),
        # As much as a hash may have.
        'crypted': (validation.optional(validation.text(1024)), None),
        'sealed': (
            validation.optional(validation.content(sealing.MAX_SEALED)),
            None,
        ),
        'key_id': (validation.optional(validation.text(64)), None),
    },
    run=_set,
    check=_check,
    needs=('guest-set-user-password',),
)
