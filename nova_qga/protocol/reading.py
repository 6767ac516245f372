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

"""Check single values of a guest's reply: type, range, length, count.

A guest may send anything in any place. ``True`` is no integer, ``5.0`` is
no integer, a list has an end, and a string is cut before it is shown.
"""

import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from nova_qga import errors
from nova_qga import text

UINT64_MAX = (1 << 64) - 1
_INTEGERS = {int}
_INTEGERS_OR_NONE = {int, type(None)}
INT63_MAX = (1 << 63) - 1
#: Most items in one list of a reply: CPUs, disks, interfaces, users ...
MAX_ITEMS = 4096


def record(value: Any) -> dict[str, Any]:
    """Return ``value`` if it is an object."""
    if type(value) is not dict:
        raise errors.InvalidReply('not an object')
    return value


def items(value: Any, limit: int = MAX_ITEMS) -> list[Any]:
    """Return ``value`` if it is a list of at most ``limit`` items."""
    if type(value) is not list:
        raise errors.InvalidReply('not a list')
    if len(value) > limit:
        raise errors.InvalidReply(f'{len(value)} items, {limit} allowed')
    return value


def uint(fields: Mapping[str, Any], key: str, limit: int = UINT64_MAX) -> int:
    """Return the integer at ``key``, from 0 to ``limit``."""
    value = fields.get(key)
    if type(value) is not int or not 0 <= value <= limit:
        raise errors.InvalidReply(f'{key} is not an unsigned integer')
    return value


def uints(fields: Mapping[str, Any], keys: Sequence[str]) -> list[int | None]:
    """Return several integers in one go; None where there is none.

    The decoder lets no integer past 64 bits through, so the sign is all
    that is left to check.
    """
    values: list[Any] = list(map(fields.get, keys))
    kinds = set(map(type, values))
    if kinds == _INTEGERS:
        if min(values) >= 0:
            return values
    elif kinds <= _INTEGERS_OR_NONE and all(
        value is None or value >= 0 for value in values
    ):
        return values
    raise errors.InvalidReply('a counter is not an unsigned integer')


def number(fields: Mapping[str, Any], key: str) -> float:
    """Return the number at ``key``; the decoder let no infinity through."""
    value = fields.get(key)
    if type(value) is float or type(value) is int:
        return float(value)
    raise errors.InvalidReply(f'{key} is not a number')


def boolean(fields: Mapping[str, Any], key: str) -> bool:
    """Return the boolean at ``key``."""
    value = fields.get(key)
    if type(value) is not bool:
        raise errors.InvalidReply(f'{key} is not a boolean')
    return value


def string(fields: Mapping[str, Any], key: str) -> str:
    """Return the string at ``key``, cut and escaped for people's eyes."""
    value = fields.get(key)
    if type(value) is not str:
        raise errors.InvalidReply(f'{key} is not a string')
    return text.printable(value)


def optional_string(fields: Mapping[str, Any], key: str) -> str | None:
    """Return the string at ``key``, or None where there is none."""
    if key not in fields:
        return None
    return string(fields, key)


def content(fields: Mapping[str, Any], key: str, limit: int) -> bytes:
    """Return the bytes that ``key`` holds in base64, at most ``limit``."""
    value = fields.get(key)
    if type(value) is not str:
        raise errors.InvalidReply(f'{key} is not a string')
    if len(value) > (limit + 2) // 3 * 4:
        raise errors.InvalidReply(f'{key} is longer than was asked for')
    try:
        data = binascii.a2b_base64(value, strict_mode=True)
    except (binascii.Error, ValueError):
        raise errors.InvalidReply(f'{key} is not base64') from None
    if len(data) > limit:
        raise errors.InvalidReply(f'{key} is longer than was asked for')
    # Python takes any number of padding characters.
    if len(value) != (len(data) + 2) // 3 * 4:
        raise errors.InvalidReply(f'{key} is not base64')
    return data
