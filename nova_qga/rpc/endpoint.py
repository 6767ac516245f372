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

"""What can be called by message: one method an operation, nothing else.

A method takes any arguments and returns an outcome; it raises nothing, for an
exception's text would travel to the caller and into both logs.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import oslo_messaging as messaging

from nova_qga.rpc import arrival
from nova_qga.rpc import runner
from nova_qga.rpc import target
from nova_qga.rpc import user as rpc_user
from nova_qga.rpc import views

#: An outcome, as it is sent.
Answer = dict[str, Any]
MethodT = TypeVar('MethodT', bound=Callable[..., Answer])


def _exposed(method: MethodT) -> MethodT:
    """Let a method be called by message."""
    messaging.expose(method)
    return method


def _method(operations: runner.Runner, name: str) -> Callable[..., Answer]:
    """Return the method that runs an operation."""

    def method(context: Any, /, **arguments: Any) -> Answer:
        user = rpc_user.of_context(context)
        arrived = arrival.of_context(context)
        return operations.run(
            name, user, arguments, arrived.noted, arrived.is_cast
        ).to_dict()

    return _exposed(method)


def _asker(context: Any) -> rpc_user.User:
    """Return who asks; what is asked of the host is noted nowhere."""
    arrival.of_context(context).noted()
    return rpc_user.of_context(context)


class Endpoint:
    """The endpoint of one host.

    Who asks is what the context of the message says.
    """

    target = messaging.Target(version=target.VERSION)

    def __init__(
        self, operations: runner.Runner, host_views: views.Views
    ) -> None:
        self._views = host_views
        for name in operations.operations:
            # The dispatcher looks for an attribute of the method's name.
            setattr(self, name, _method(operations, name))

    @_exposed
    def list_guests(self, context: Any, /, **arguments: Any) -> Answer:
        user = _asker(context)
        return self._views.list_guests(user, arguments).to_dict()

    @_exposed
    def get_coverage(self, context: Any, /, **arguments: Any) -> Answer:
        user = _asker(context)
        return self._views.get_coverage(user, arguments).to_dict()

    @_exposed
    def get_public_key(self, context: Any, /, **arguments: Any) -> Answer:
        user = _asker(context)
        return self._views.get_public_key(user, arguments).to_dict()

    @_exposed
    def get_metrics(self, context: Any, /, **arguments: Any) -> Answer:
        user = _asker(context)
        return self._views.get_metrics(user, arguments).to_dict()

    @_exposed
    def get_usage(self, context: Any, /, **arguments: Any) -> Answer:
        user = _asker(context)
        return self._views.get_usage(user, arguments).to_dict()

    @_exposed
    def get_operation(self, context: Any, /, **arguments: Any) -> Answer:
        user = _asker(context)
        return self._views.get_operation(user, arguments).to_dict()
