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


"""How a request came in: what its context carries inside this process.

oslo.messaging acknowledges a message as soon as it has read it, and it is
lost if this process dies then. So the server reads on only when what it has
read is noted, and is told so through here.
"""

from collections.abc import Callable, Mapping
import dataclasses
from typing import Any

#: The key of a context; no user can send what stands there.
KEY = 'nova_qga.arrival'


def _nothing() -> None:
    """Stand in where nobody waits."""


@dataclasses.dataclass(frozen=True, slots=True)
class Arrival:
    """One request.

    :ivar noted: to be called when it cannot be lost any more
    :ivar is_cast: nobody waits for an answer
    """

    noted: Callable[[], None] = _nothing
    is_cast: bool = False


def of_context(context: Any) -> Arrival:
    """Return how the request of a context came in."""
    found = context.get(KEY) if isinstance(context, Mapping) else None
    return found if isinstance(found, Arrival) else Arrival()
