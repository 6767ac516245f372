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

"""Check the arguments of a request: type, form, size. Pure.

Whoever may write to the broker may send anything. A message names the
argument and says what it must be; it holds none of its value, which may be a
secret.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
import datetime
import math
import re
from typing import Any

import orjson

from nova_qga import errors

#: Turns an argument into what an operation takes, or raises InvalidRequest.
Check = Callable[[str, Any], Any]

#: Marks an argument that has no default.
REQUIRED = object()

_UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
_REQUEST_ID = re.compile(r'[A-Za-z0-9][A-Za-z0-9._:-]{0,127}')
_NUMBER = re.compile(r'0|[1-9][0-9]{0,17}')
_SURROGATE = re.compile('[\ud800-\udfff]')
#: Of an expiry; the longest that ISO 8601 needs.
_MAX_TIME = 40
#: A request may not wait longer than it is remembered after it ended.
MAX_AHEAD = datetime.timedelta(days=7)


def _wrong(name: str, must: str) -> errors.InvalidRequest:
    return errors.InvalidRequest(f'argument {name} must be {must}')


def text(limit: int) -> Check:
    """Take text of up to ``limit`` characters."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or len(value) > limit:
            raise _wrong(name, f'text of up to {limit} characters')
        if _SURROGATE.search(value):
            raise _wrong(name, 'valid Unicode text')
        return value

    return check


def one_of(*words: str) -> Check:
    """Take one of a few words."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise _wrong(name, f'one of {", ".join(words)}')
        return value

    return check


def some_of(*words: str) -> Check:
    """Take a list of some of a few words."""
    one = one_of(*words)

    def check(name: str, value: Any) -> list[str]:
        if not isinstance(value, list) or not 0 < len(value) <= len(words):
            raise _wrong(name, f'a list of some of {", ".join(words)}')
        return [one(name, each) for each in value]

    return check


def texts(count: int, limit: int) -> Check:
    """Take a list of up to ``count`` texts."""
    one = text(limit)

    def check(name: str, value: Any) -> list[str]:
        if not isinstance(value, list) or len(value) > count:
            raise _wrong(name, f'a list of up to {count} texts')
        return [one(name, each) for each in value]

    return check


def flag(name: str, value: Any) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise _wrong(name, 'true or false')
    return value


def integer(low: int, high: int) -> Check:
    """Take an integer of a range."""

    def check(name: str, value: Any) -> int:
        # True is an int to Python, not to us.
        if type(value) is not int or not low <= value <= high:
            raise _wrong(name, f'an integer from {low} to {high}')
        return value

    return check


def number(low: float, high: float) -> Check:
    """Take a number of a range, with or without a fraction."""

    def check(name: str, value: Any) -> float:
        # No comparison with a NaN is true.
        if type(value) not in (int, float) or not low <= value <= high:
            raise _wrong(name, f'a number from {low} to {high}')
        return float(value)

    return check


def switches(count: int) -> Check:
    """Take a mapping of numbers, as JSON has them, to true or false."""
    must = f'up to {count} numbers with true or false each'

    def check(name: str, value: Any) -> dict[int, bool]:
        if not isinstance(value, dict) or len(value) > count:
            raise _wrong(name, must)
        checked = {}
        for key, wanted in value.items():
            if not isinstance(key, str) or not _NUMBER.fullmatch(key):
                raise _wrong(name, must)
            checked[int(key)] = flag(name, wanted)
        return checked

    return check


def json_object(limit: int, count: int, depth: int) -> Check:
    """Take any JSON object, within bounds.

    :param limit: bytes as JSON
    :param count: values in it
    :param depth: levels of nesting
    """
    must = (
        f'a JSON object of up to {limit} bytes, {count} values, {depth} deep'
    )

    def check(name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or not _fits(value, count, depth):
            raise _wrong(name, must)
        try:
            # It takes no lone surrogate, and no integer past 64 bits.
            fits = len(orjson.dumps(value)) <= limit
        except orjson.JSONEncodeError:
            fits = False
        if not fits:
            raise _wrong(name, must)
        return value

    return check


def _fits(value: dict[Any, Any], count: int, depth: int) -> bool:
    level: list[Any] = [value]
    for _ in range(depth):
        inner: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                inner += node.values()
            elif isinstance(node, list):
                inner += node
            elif isinstance(node, float) and not math.isfinite(node):
                return False
        count -= len(inner)
        if count < 0:
            return False
        level = inner
    return not level


def optional(inner: Check) -> Check:
    """Take None too."""

    def check(name: str, value: Any) -> Any:
        return None if value is None else inner(name, value)

    return check


def content(limit: int) -> Check:
    """Take base64 of up to ``limit`` bytes, and decode it."""
    longest = (limit + 2) // 3 * 4

    def check(name: str, value: Any) -> bytes:
        must = f'base64 of up to {limit} bytes'
        if not isinstance(value, str) or len(value) > longest:
            raise _wrong(name, must)
        try:
            data = base64.b64decode(value.encode('ascii'), validate=True)
        except (binascii.Error, UnicodeError):
            raise _wrong(name, must) from None
        if len(data) > limit:
            raise _wrong(name, must)
        return data

    return check


def uuid(name: str, value: Any) -> str:
    """Take an instance's UUID in the form in which Nova writes it."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise _wrong(name, 'a UUID in lower case')
    return value


def request_id(name: str, value: Any) -> str:
    """Take the name of a request, such as a UUID."""
    if not isinstance(value, str) or not _REQUEST_ID.fullmatch(value):
        raise _wrong(
            name,
            'up to 128 letters, digits, dots, dashes, colons and underscores',
        )
    return value


def moment(name: str, value: Any) -> datetime.datetime:
    """Take a time in ISO 8601; UTC where it names no other zone."""
    must = 'a time in ISO 8601 at most 7 days ahead'
    if not isinstance(value, str) or len(value) > _MAX_TIME:
        raise _wrong(name, must)
    try:
        parsed = datetime.datetime.fromisoformat(value)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=datetime.UTC)
        parsed = parsed.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise _wrong(name, must) from None
    if parsed - datetime.datetime.now(datetime.UTC) > MAX_AHEAD:
        raise _wrong(name, must)
    return parsed


def arguments(
    given: Mapping[str, Any], wanted: Mapping[str, tuple[Check, Any]]
) -> dict[str, Any]:
    """Check arguments, and fill in defaults.

    :param wanted: name -> check and default, which is REQUIRED for none
    :raises InvalidRequest: the first fault that is found
    """
    unknown = set(given) - set(wanted)
    if unknown:
        # Their names are the sender's own words.
        raise errors.InvalidRequest(
            f'{len(unknown)} arguments are unknown; known are '
            + ', '.join(sorted(wanted))
        )
    checked = {}
    for name, (check, default) in wanted.items():
        if name in given:
            checked[name] = check(name, given[name])
        elif default is REQUIRED:
            raise errors.InvalidRequest(f'argument {name} is missing')
        else:
            checked[name] = default
    return checked
