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

"""Commands that list a guest's processors, and set them on- or offline.

Source: qga/qapi-schema.json of QEMU 5.2 to 10.0.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from nova_qga.protocol import command
from nova_qga.protocol import reading

_MEDIUM = 1024 * 1024
_SMALL = 64 * 1024
_MAX_ID = (1 << 31) - 1


class Processor(NamedTuple):
    """One processor of a guest.

    :ivar can_offline: None where the guest does not say
    """

    logical_id: int
    online: bool
    can_offline: bool | None


def get_vcpus() -> command.Command[tuple[Processor, ...]]:
    """Ask for the processors (1.5)."""
    return command.Command(
        'guest-get-vcpus', read_processors, {}, False, _MEDIUM
    )


def set_vcpus(online: Mapping[int, bool]) -> command.Command[int]:
    """Set processors on- or offline (1.5, Linux), in this order.

    Answers how many were done; it stops at the first that cannot be.

    :param online: logical id -> whether
    """
    vcpus = [
        {'logical-id': number, 'online': wanted}
        for number, wanted in online.items()
    ]
    return command.Command(
        'guest-set-vcpus', read_count, {'vcpus': vcpus}, True, _SMALL
    )


def read_processors(value: Any) -> tuple[Processor, ...]:
    """Read the reply to guest-get-vcpus."""
    return tuple(_processor(reading.record(v)) for v in reading.items(value))


def _processor(fields: dict[str, Any]) -> Processor:
    can_offline = None
    if 'can-offline' in fields:
        can_offline = reading.boolean(fields, 'can-offline')
    return Processor(
        reading.uint(fields, 'logical-id', _MAX_ID),
        reading.boolean(fields, 'online'),
        can_offline,
    )


def read_count(value: Any) -> int:
    """Read how many were done."""
    return reading.uint({'count': value}, 'count', reading.MAX_ITEMS)
