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

"""Read what a guest's kernel writes below /proc.

A guest may serve anything under these names. A line that is not what the
kernel writes is skipped: regular expressions find the good ones, because a
Python statement a line would cost more, for each guest and sample.

Source: https://docs.kernel.org/filesystems/proc.html
"""

from collections.abc import Iterable
import re

from nova_qga.protocol import reading
from nova_qga import text

#: Bytes of a file that are looked at: 500 lines or more.
LIMIT = 64 * 1024
#: To build patterns: an unsigned number as bytes, before its range check.
UINT = rb'(\d{1,20})'


def body(content: bytes) -> bytes:
    r"""Return the file with a line end before each line, the first too.

    So a pattern can start with ``\n``, a literal, which the search jumps to.
    It should end behind what it takes, for the last line may be cut short.
    """
    return b'\n' + content[:LIMIT]


def uints(numbers: Iterable[bytes]) -> list[int] | None:
    """Return what ``UINT`` matched, or None if a number has over 64 bits."""
    values = list(map(int, numbers))
    return values if max(values) <= reading.UINT64_MAX else None


def devices(
    line: re.Pattern[bytes], content: bytes, most: int
) -> dict[str, list[int]]:
    """Return numbers by device's name, at most so many devices.

    Of devices with one name the first counts.

    :param line: its groups are the name, then the numbers
    """
    found: dict[str, list[int]] = {}
    for match in line.finditer(body(content)):
        if len(found) == most:
            break
        column, *numbers = match.groups()
        name = text.printable(column.decode('utf-8', 'replace'))
        if name not in found:
            values = uints(numbers)
            if values is not None:
                found[name] = values
    return found
