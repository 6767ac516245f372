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

"""``get_memory_blocks`` and ``set_memory_blocks``."""

from nova_qga.operations import memory_blocks
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation


def _check(given: base.Arguments, _: base.Limits) -> None:
    memory_blocks.check(given['online'])


def _get(context: base.Context, _: base.Arguments) -> base.Result:
    return memory_blocks.get_memory_blocks(context.agent())


def _set(context: base.Context, given: base.Arguments) -> base.Result:
    return memory_blocks.set_memory_blocks(
        context.agent(), online=given['online']
    )


GET_MEMORY_BLOCKS = base.Operation(
    'get_memory_blocks',
    has_effect=False,
    arguments={},
    run=_get,
    access=base.Access.AUDIT,
    needs=('guest-get-memory-blocks', 'guest-get-memory-block-info'),
)
SET_MEMORY_BLOCKS = base.Operation(
    'set_memory_blocks',
    has_effect=True,
    arguments={
        'online': (
            validation.switches(memory_blocks.MOST),
            validation.REQUIRED,
        )
    },
    run=_set,
    check=_check,
    needs=('guest-set-memory-blocks',),
)
