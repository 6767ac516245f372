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

"""Decode one line of a guest agent into a JSON object, strictly.

A guest writes these bytes. What the JSON grammar leaves open is refused
here: duplicate keys, nesting and element counts without end. orjson refuses
the rest (NaN, numbers past a double, lone surrogates, bad UTF-8, a byte order
mark, control characters).

Source: https://qemu.org/docs/master/interop/qemu-ga-ref.html
"""

import json
from typing import Any

import orjson

from nova_qga import errors

#: Deepest nesting accepted; real replies stay below 8.
MAX_DEPTH = 32
#: Most elements (values of lists and members of objects) in one message,
#: counted by commas and openings before anything is decoded: an empty list
#: is two bytes on the wire and dozens in memory.
MAX_ELEMENTS = 65536


def decode(line: bytes) -> dict[str, Any]:
    """Return the JSON object that ``line`` holds.

    Integers come back exact up to 64 bits, signed or unsigned; a larger one
    comes back as a float, which no reader of integers takes.

    :raises MalformedMessage: it is not exactly one JSON object, repeats a
        key, is nested too deep or has too many elements.
    """
    if _count(line, b'{[,') > MAX_ELEMENTS:
        raise errors.MalformedMessage(
            f'more than {MAX_ELEMENTS} elements in one message'
        )
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        # The decoder's text would quote the guest's bytes.
        raise errors.MalformedMessage('not valid JSON') from None
    if type(message) is not dict:
        raise errors.MalformedMessage('not a JSON object')
    if _may_be_deep(line) and _too_deep(message):
        raise errors.MalformedMessage(f'nested deeper than {MAX_DEPTH}')
    if _may_repeat_keys(line, message):
        _check_keys(line)
    return message


def decode_lines(lines: list[bytes]) -> list[dict[str, Any]] | None:
    """Return the JSON objects of several lines, one each.

    For lines that :func:`decode` would take, at a part of its cost: each is
    decoded by itself, and what is counted is counted in all of them at once.

    :returns: None where any line may need a closer look
    """
    text = b','.join(lines)
    if _count(text, b'{[,') > MAX_ELEMENTS:
        return None
    try:
        messages = [orjson.loads(line) for line in lines]
    except orjson.JSONDecodeError:
        return None
    for line, message in zip(lines, messages, strict=True):
        if type(message) is not dict:
            return None
        if _may_be_deep(line) and _too_deep(message):
            return None
    if _may_repeat_keys(text, messages):
        return None
    return messages


def _count(line: bytes, characters: bytes) -> int:
    """Count several characters in one pass."""
    return len(line) - len(line.translate(None, characters))


def _may_be_deep(line: bytes) -> bool:
    # What is opened is closed, so a short line cannot be.
    return len(line) > 2 * MAX_DEPTH and _count(line, b'{[') > MAX_DEPTH


def _too_deep(message: dict[str, Any]) -> bool:
    level: list[Any] = [message]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _may_repeat_keys(line: bytes, message: Any) -> bool:
    """Compare the number of strings written with the number kept.

    Where nothing is escaped, each quote bounds a string, and a key that was
    dropped as a repetition took two with it. A line with escapes may hold a
    repetition. This is far cheaper than a decoder that looks at each pair.
    """
    return b'\\' in line or (
        line.count(b'"') != orjson.dumps(message).count(b'"')
    )


def _check_keys(line: bytes) -> None:
    try:
        json.loads(line, object_pairs_hook=_unique, parse_int=str)
    except RecursionError:
        raise errors.MalformedMessage('nested too deep') from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise errors.MalformedMessage('a key is repeated')
    return unique
