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

"""Call the endpoint in this process: on a compute host, with no broker."""

from collections.abc import Mapping
from typing import Any

from nova_qga import errors
from nova_qga.rpc import endpoint as rpc_endpoint


class LocalCaller:
    """Calls an endpoint's methods, as :class:`nova_qga.rpc.caller.Caller`.

    The time that a request has is in its own ``expires_at``.
    """

    def __init__(
        self, endpoint: rpc_endpoint.Endpoint, context: Mapping[str, Any]
    ) -> None:
        self._endpoint = endpoint
        self._context = dict(context)

    def call(
        self,
        host: str,
        method: str,
        arguments: Mapping[str, Any],
        timeout: float,
    ) -> dict[str, Any]:
        """Call a method; there is no host but this one."""
        called = getattr(self._endpoint, method, None)
        if called is None or not getattr(called, 'exposed', False):
            raise errors.InvalidRequest(f'there is no method {method}')
        answer: dict[str, Any] = called(self._context, **arguments)
        return answer
