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


"""Withhold a guest's words where they may hold what it was given. Pure.

An error's text goes into the log, the journal and a notification. The guest
words it, and may repeat there what nobody else is to know, or a child process
of its may. It cannot be kept from disguising that; this is for what happens.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from nova_qga import errors

# So much of a secret is not printed, however short the rest is cut; less is
# none.
_TELLING = 8
_SHORTEST = 4


def checked(
    error: errors.CommandError, secrets: Iterable[str]
) -> errors.CommandError:
    """Return an error, or one without the guest's words.

    :param secrets: what they must not hold
    """
    if any(_tells(error.description, each) for each in secrets):
        return errors.CommandError(
            'GenericError',
            '(its words are left out, for they may hold what it was given)',
        )
    return error


def texts(value: Any) -> Iterator[str]:
    """Return the texts in a value of JSON that may be secrets."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from texts(each)
    if isinstance(value, str) and len(value) >= _SHORTEST:
        yield value


def _tells(description: str, secret: str) -> bool:
    """Tell whether words may hold a secret: they are escaped, and cut."""
    encoded = base64.b64encode(secret.encode()).decode()
    escaped = secret.replace('\\', '\\\\')
    return any(
        form[:_TELLING] in description for form in (secret, escaped, encoded)
    )
