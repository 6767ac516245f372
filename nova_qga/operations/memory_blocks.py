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

"""List a guest's memory blocks, and set them on- or offline."""

from collections.abc import Mapping
from typing import Any

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga.protocol import memory_blocks

#: Blocks in one request.
MOST = 4096


def check(online: Mapping[int, bool]) -> None:
    """Refuse a request that names no block.

    :raises InvalidRequest: it does
    """
    if not online:
        raise errors.InvalidRequest('name at least one memory block')


def get_memory_blocks(agent: operations_agent.Agent) -> dict[str, Any]:
    """Return the blocks.

    :returns: ``block_size`` in bytes; ``blocks``: ``phys_index``, ``online``,
        ``can_offline``
    """
    agent.require('guest-get-memory-blocks', 'guest-get-memory-block-info')
    size = agent.execute(memory_blocks.get_size())
    blocks = agent.execute(memory_blocks.get_memory_blocks())
    return {'block_size': size, 'blocks': [each._asdict() for each in blocks]}


def set_memory_blocks(
    agent: operations_agent.Agent, *, online: Mapping[int, bool]
) -> dict[str, Any]:
    """Set blocks on- or offline, each that can be.

    :param online: index -> whether
    :returns: ``set``, how many; ``failed``, index -> why
    :raises OperationFailed: none could be
    :raises OutcomeUnknown: some may have been
    """
    check(online)
    agent.require('guest-set-memory-blocks')
    responses = agent.execute(
        memory_blocks.set_memory_blocks(online), slow=True
    )
    done = sum(each.response == 'success' for each in responses)
    failed = {
        str(each.phys_index): _why(each)
        for each in responses
        if each.response != 'success'
    }
    if not done:
        why = '; '.join(f'{n}: {w}' for n, w in list(failed.items())[:3])
        raise errors.OperationFailed(f'no memory block was set; {why}')
    return {'set': done, 'failed': failed}


def _why(response: memory_blocks.Response) -> str:
    if response.error_code is None:
        return response.response
    return f'{response.response}, error {response.error_code}'
