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

"""``freeze``, ``thaw`` and ``get_freeze``."""

from nova_qga.operations import freeze
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation


def _check(given: base.Arguments, _: base.Limits) -> None:
    freeze.check(given['mountpoints'])


def _freeze(context: base.Context, given: base.Arguments) -> base.Result:
    return context.freeze(given['mountpoints'], given['duration'])


def _thaw(context: base.Context, _: base.Arguments) -> base.Result:
    return context.thaw()


def _get(context: base.Context, _: base.Arguments) -> base.Result:
    return context.freeze_state()


FREEZE = base.Operation(
    'freeze',
    has_effect=True,
    arguments={
        'duration': (
            validation.integer(freeze.SHORTEST, freeze.LONGEST),
            freeze.DEFAULT,
        ),
        'mountpoints': (
            validation.optional(
                validation.texts(freeze.MOST, freeze.MAX_PATH)
            ),
            None,
        ),
    },
    run=_freeze,
    check=_check,
    access=base.Access.FILESYSTEM_MANAGEMENT,
    needs=(
        'guest-fsfreeze-freeze',
        'guest-fsfreeze-thaw',
        'guest-fsfreeze-status',
    ),
)
THAW = base.Operation(
    'thaw',
    has_effect=True,
    arguments={},
    run=_thaw,
    access=base.Access.FILESYSTEM_MANAGEMENT,
    needs=('guest-fsfreeze-thaw', 'guest-fsfreeze-status'),
    while_frozen=True,
)
GET_FREEZE = base.Operation(
    'get_freeze',
    has_effect=False,
    arguments={},
    run=_get,
    access=base.Access.AUDIT,
    needs=('guest-fsfreeze-status',),
)
