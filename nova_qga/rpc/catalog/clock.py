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

"""``get_time`` and ``set_time``."""

from nova_qga.operations import clock
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation


def _get(context: base.Context, _: base.Arguments) -> base.Result:
    return clock.get_time(context.agent())


def _set(context: base.Context, given: base.Arguments) -> base.Result:
    return clock.set_time(context.agent(), seconds=given['seconds'])


GET_TIME = base.Operation(
    'get_time',
    has_effect=False,
    arguments={},
    run=_get,
    access=base.Access.AUDIT,
    needs=('guest-get-time',),
)
SET_TIME = base.Operation(
    'set_time',
    has_effect=True,
    arguments={
        'seconds': (
            validation.optional(validation.number(0, clock.MAX_TIME)),
            None,
        )
    },
    run=_set,
    needs=('guest-set-time', 'guest-get-time'),
)
