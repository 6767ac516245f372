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

"""One request to do something in a guest, checked."""

from collections.abc import Mapping
import dataclasses
import datetime
import time
from typing import Any

from nova_qga import errors
from nova_qga.rpc.catalog import base
from nova_qga.rpc import user as rpc_user
from nova_qga.rpc import validation

#: What every request has beside the arguments of its operation.
_COMMON: Mapping[str, tuple[validation.Check, Any]] = {
    'instance_uuid': (validation.uuid, validation.REQUIRED),
    'request_id': (validation.request_id, validation.REQUIRED),
    'expires_at': (validation.moment, validation.REQUIRED),
    'wait_for_agent': (validation.flag, False),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    :ivar wait_for_agent: hold it while no agent answers, until it expires
    :ivar arguments: of the operation; may hold a secret
    """

    user: rpc_user.User
    operation: base.Operation
    instance_uuid: str
    request_id: str
    expires_at: datetime.datetime
    wait_for_agent: bool
    arguments: Mapping[str, Any] = dataclasses.field(repr=False)

    def left(self) -> float:
        """Return the seconds until it expires, by this host's clock."""
        return self.expires_at.timestamp() - time.time()

    @property
    def size(self) -> int:
        """Bytes that its arguments hold, about."""
        return sum(map(_size, self.arguments.values()))


def parse(
    user: rpc_user.User,
    operation: base.Operation,
    given: Mapping[str, Any],
    limits: base.Limits,
) -> Request:
    """Check all of a request, before anything of it is done.

    :raises InvalidRequest: an argument is wrong
    """
    checked = validation.arguments(given, {**_COMMON, **operation.arguments})
    common = {name: checked.pop(name) for name in _COMMON}
    operation.check(checked, limits)
    return Request(user, operation, **common, arguments=checked)


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_size, (*value, *value.values())))
    if isinstance(value, list):
        return sum(map(_size, value))
    return len(value) if isinstance(value, str | bytes) else 0


def identity(given: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return request id and instance, as far as they are valid.

    So that the outcome of an invalid request can be told from others.
    """
    found: dict[str, str] = {}
    for name in ('request_id', 'instance_uuid'):
        check = _COMMON[name][0]
        try:
            found[name] = check(name, given.get(name))
        except errors.InvalidRequest:
            continue
    return found.get('request_id', ''), found.get('instance_uuid')
