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


"""Do what a request asks for, and turn what happens into an outcome.

No exception leaves :meth:`Performer.perform`.
"""

from typing import Any

from nova_qga import errors
from nova_qga.journal import key_pairs
from nova_qga.journal import owned_keys
from nova_qga.rpc.catalog import base
from nova_qga.rpc import context as rpc_context
from nova_qga.rpc import fault
from nova_qga.rpc import freezer as rpc_freezer
from nova_qga.rpc import host as rpc_host
from nova_qga.rpc import outcome
from nova_qga.rpc import request


class Performer:
    """Runs operations in the guests of a host.

    :param host_name: its name
    :param timeout: seconds for an operation in all
    :param keys: what secrets are sealed to
    :param owned: the public keys that we have added to guests
    """

    def __init__(
        self,
        host: rpc_host.Host,
        freezer: rpc_freezer.Freezer,
        host_name: str,
        limits: base.Limits,
        timeout: float,
        keys: key_pairs.KeyPairs,
        owned: owned_keys.OwnedKeys,
    ) -> None:
        self._host = host
        self._freezer = freezer
        self._host_name = host_name
        self._limits = limits
        self._timeout = timeout
        self._keys = keys
        self._owned = owned

    def context(self, asked: request.Request) -> rpc_context.Context:
        """Return what a request has while it runs."""
        return rpc_context.Context(
            self._host,
            self._freezer,
            asked,
            self._limits,
            min(self._timeout, asked.left()),
            self._keys,
            self._owned,
        )

    def perform(
        self, asked: request.Request, context: rpc_context.Context
    ) -> outcome.Outcome:
        """Run an operation, unless it is too late."""
        if asked.left() <= 0:
            return self.expired(asked)
        result = error = None
        state = outcome.SUCCEEDED
        try:
            result = asked.operation.run(context, asked.arguments)
        except errors.QgaError as failure:
            state = outcome.state_after(failure)
            error = outcome.describe(failure)
        except Exception as failure:
            # It may have come after something was sent.
            began = asked.operation.has_effect and context.may_have_begun
            state = outcome.UNKNOWN if began else outcome.FAILED
            error = outcome.describe(fault.log(asked.operation.name, failure))
        return self._outcome(
            asked,
            state,
            channel=context.channel_kind,
            result=result,
            error=error,
        )

    def expired(
        self, asked: request.Request, waited_for: str = ''
    ) -> outcome.Outcome:
        """Return the outcome of a request that is too late.

        :param waited_for: why it was held
        """
        return self._outcome(
            asked, outcome.EXPIRED, error=outcome.expired(waited_for)
        )

    def failed(
        self, asked: request.Request, error: errors.QgaError
    ) -> outcome.Outcome:
        """Return the outcome of a request of which nothing was done."""
        return self._outcome(
            asked, outcome.state_after(error), error=outcome.describe(error)
        )

    def accepted(self, asked: request.Request) -> outcome.Outcome:
        """Return what is answered while it has not ended."""
        return self._outcome(asked, outcome.ACCEPTED)

    def _outcome(
        self, asked: request.Request, state: str, **more: Any
    ) -> outcome.Outcome:
        return outcome.Outcome(
            asked.request_id,
            asked.operation.name,
            asked.instance_uuid,
            self._host_name,
            state,
            **more,
        )
