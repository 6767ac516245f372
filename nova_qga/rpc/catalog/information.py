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

"""``get_info`` and ``ping``."""

from nova_qga.operations import information
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation


def _get_info(context: base.Context, given: base.Arguments) -> base.Result:
    return information.get_info(context.agent(), sections=given['sections'])


def _ping(context: base.Context, _: base.Arguments) -> base.Result:
    return {**information.ping(context.agent())}


GET_INFO = base.Operation(
    'get_info',
    has_effect=False,
    arguments={
        'sections': (
            validation.optional(validation.some_of(*information.SECTIONS)),
            None,
        )
    },
    run=_get_info,
    access=base.Access.AUDIT,
)
PING = base.Operation(
    'ping',
    has_effect=False,
    arguments={},
    run=_ping,
    access=base.Access.AUDIT,
)
