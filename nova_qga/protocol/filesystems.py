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

"""Commands that freeze, thaw and trim a guest's filesystems.

Source: qga/qapi-schema.json of QEMU 5.2 to 10.0.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from nova_qga.protocol import command
from nova_qga.protocol import reading

_SMALL = 64 * 1024
_MEDIUM = 1024 * 1024


class Trimmed(NamedTuple):
    """What came of one filesystem.

    :ivar trimmed: bytes; None where the guest does not say
    :ivar error: why it was not; None where it was
    """

    path: str
    trimmed: int | None
    error: str | None


def freeze(mountpoints: Sequence[str] | None = None) -> command.Command[int]:
    """Freeze filesystems; answers how many are.

    :param mountpoints: of these (2.2); None for all
    """
    if mountpoints is None:
        return command.Command(
            'guest-fsfreeze-freeze', read_count, {}, True, _SMALL
        )
    return command.Command(
        'guest-fsfreeze-freeze-list',
        read_count,
        {'mountpoints': list(mountpoints)},
        True,
        _SMALL,
    )


def thaw() -> command.Command[int]:
    """Thaw all filesystems; answers how many were frozen."""
    return command.Command('guest-fsfreeze-thaw', read_count, {}, True, _SMALL)


def trim(minimum: int) -> command.Command[tuple[Trimmed, ...]]:
    """Discard unused blocks (1.2).

    :param minimum: bytes; smaller free ranges are left alone
    """
    return command.Command(
        'guest-fstrim', read_trimmed, {'minimum': minimum}, True, _MEDIUM
    )


def read_count(value: Any) -> int:
    """Read how many filesystems it was."""
    return reading.uint({'count': value}, 'count', reading.MAX_ITEMS)


def read_trimmed(value: Any) -> tuple[Trimmed, ...]:
    """Read the reply to guest-fstrim."""
    fields = reading.record(value)
    found = []
    for each in reading.items(fields.get('paths')):
        path = reading.record(each)
        trimmed = reading.uint(path, 'trimmed') if 'trimmed' in path else None
        found.append(
            Trimmed(
                reading.string(path, 'path'),
                trimmed,
                reading.optional_string(path, 'error'),
            )
        )
    return tuple(found)
