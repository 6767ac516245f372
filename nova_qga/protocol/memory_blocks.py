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

"""Commands that list a guest's memory blocks, and set them on- or offline.

Source: qga/qapi-schema.json of QEMU 5.2 to 10.0.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from nova_qga.protocol import command
from nova_qga.protocol import reading

#: 64 GiB in blocks of 128 MiB are 512 of them, 4 TiB in blocks of 2 GiB too.
MAX_BLOCKS = 65536

_LARGE = 8 * 1024 * 1024
_SMALL = 64 * 1024


class Block(NamedTuple):
    """One memory block.

    :ivar can_offline: None where the guest does not say
    """

    phys_index: int
    online: bool
    can_offline: bool | None


class Response(NamedTuple):
    """What came of one block that was to be set.

    :ivar response: ``success``, ``not-found``, ``operation-not-supported`` or
        ``operation-failed``
    :ivar error_code: the guest's errno, where it tells
    """

    phys_index: int
    response: str
    error_code: int | None


def get_memory_blocks() -> command.Command[tuple[Block, ...]]:
    """Ask for the memory blocks (2.3, Linux)."""
    return command.Command(
        'guest-get-memory-blocks', read_blocks, {}, False, _LARGE
    )


def get_size() -> command.Command[int]:
    """Ask for the bytes of a block (2.3, Linux)."""
    return command.Command(
        'guest-get-memory-block-info', read_size, {}, False, _SMALL
    )


def set_memory_blocks(
    online: Mapping[int, bool],
) -> command.Command[tuple[Response, ...]]:
    """Set blocks on- or offline (2.3, Linux).

    :param online: index -> whether
    """
    blocks = [
        {'phys-index': index, 'online': wanted}
        for index, wanted in online.items()
    ]
    return command.Command(
        'guest-set-memory-blocks',
        read_responses,
        {'mem-blks': blocks},
        True,
        _LARGE,
    )


def read_blocks(value: Any) -> tuple[Block, ...]:
    """Read the reply to guest-get-memory-blocks."""
    blocks = reading.items(value, MAX_BLOCKS)
    return tuple(_block(reading.record(each)) for each in blocks)


def _block(fields: dict[str, Any]) -> Block:
    can_offline = None
    if 'can-offline' in fields:
        can_offline = reading.boolean(fields, 'can-offline')
    return Block(
        reading.uint(fields, 'phys-index'),
        reading.boolean(fields, 'online'),
        can_offline,
    )


def read_size(value: Any) -> int:
    """Read the reply to guest-get-memory-block-info."""
    return reading.uint(reading.record(value), 'size')


def read_responses(value: Any) -> tuple[Response, ...]:
    """Read the reply to guest-set-memory-blocks."""
    found = []
    for each in reading.items(value, MAX_BLOCKS):
        fields = reading.record(each)
        code = None
        if 'error-code' in fields:
            code = reading.uint(fields, 'error-code', (1 << 31) - 1)
        found.append(
            Response(
                reading.uint(fields, 'phys-index'),
                reading.string(fields, 'response'),
                code,
            )
        )
    return tuple(found)
