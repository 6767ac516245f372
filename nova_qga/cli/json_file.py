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

"""A JSON file of the operator's, read with care: no name twice, no surprise.

It may hold secrets, so what is wrong with it is said by its place alone.
"""

import json
from typing import Any, TextIO

from nova_qga.cli import local_file
from nova_qga.cli import outcome


class _Wrong(Exception):
    """It is JSON to Python alone; the text says why."""


def read(path: str, stdin: TextIO, limit: int) -> Any:
    """Return what a JSON file holds.

    :param path: of the file; - for standard input
    :param limit: bytes that it may have
    :raises Failure: it cannot be read, is too large or no JSON
    """
    with local_file.source(path, stdin) as source:
        try:
            data = source.stream.read(limit + 1)
        except OSError as error:
            raise refused(
                path, f'it cannot be read: {error.strerror}'
            ) from None
    if len(data) > limit:
        raise refused(path, f'it has more than {limit} bytes')
    try:
        return json.loads(
            data, object_pairs_hook=_unique, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        where = f'line {error.lineno}, column {error.colno}'
        raise refused(path, f'{where}: it is no JSON: {error.msg}') from None
    except UnicodeDecodeError as error:
        raise refused(
            path, f'byte {error.start}: it is no text in UTF-8'
        ) from None
    except _Wrong as error:
        raise refused(path, str(error)) from None
    except (ValueError, RecursionError):
        raise refused(
            path, 'a number is too long, or it is nested too deep'
        ) from None


def refused(path: str, message: str) -> outcome.Failure:
    """Return the failure of a file that does not hold what it should."""
    return outcome.Failure(f'{path}: {message}', outcome.ExitCode.USAGE)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Wrong(f'"{shown(name)}" stands twice in one object')
        found[name] = value
    return found


def _refuse(constant: str) -> Any:
    raise _Wrong(f'{constant} is no number in JSON')


def shown(name: str) -> str:
    """Return a name that may be anything, short enough for a message."""
    return name if len(name) <= 80 else f'{name[:80]}...'
