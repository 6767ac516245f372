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

from nova_qga.operations import accounts
from nova_qga.operations import password
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation


def _check(given: base.Arguments, _: base.Limits) -> None:
    password.check_password(
        given['username'], given['password'], given['crypted']
    )


def _set(context: base.Context, given: base.Arguments) -> base.Result:
    password.set_password(context.agent(), **given)
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
        'password': (validation.text(1024), validation.REQUIRED),
        'crypted': (validation.flag, validation.REQUIRED),
    },
    run=_set,
    check=_check,
    needs=('guest-set-user-password',),
)
