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

"""Run requests, each at most once, and say how each ended.

Whatever happens, there is an outcome: no exception leaves :meth:`Runner.run`.
"""

from collections.abc import Mapping
import dataclasses
import threading
from typing import Any

from nova_qga import errors
from nova_qga.journal import requests
from nova_qga.rpc.catalog import base
from nova_qga.rpc import context as rpc_context
from nova_qga.rpc import fault
from nova_qga.rpc import host as rpc_host
from nova_qga.rpc import ledger as rpc_ledger
from nova_qga.rpc import outcome
from nova_qga.rpc import policy as rpc_policy
from nova_qga.rpc import request
from nova_qga.rpc import user as rpc_user


_READ_AGAIN = (requests.RUNNING, outcome.SUCCEEDED)


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """How requests are run.

    :ivar host: name of this host
    :ivar operation_timeout: seconds for an operation in all
    """

    host: str
    operation_timeout: float
    limits: base.Limits


class Runner:
    """Runs the operations of the catalog.

    :ivar operations: by name
    """

    def __init__(
        self,
        host: rpc_host.Host,
        ledger: rpc_ledger.Ledger,
        operations: Mapping[str, base.Operation],
        policy: rpc_policy.Policy,
        settings: Settings,
    ) -> None:
        self._host = host
        self._ledger = ledger
        self.operations = operations
        self._policy = policy
        self._settings = settings
        self._changed = threading.Condition()
        self._under_way = 0

    def run(
        self, name: str, user: rpc_user.User, given: Mapping[str, Any]
    ) -> outcome.Outcome:
        """Run one request, or find out how it ended before."""
        self._count(1)
        try:
            asked = request.parse(
                user, self.operations[name], given, self._settings.limits
            )
            owner = self._ledger.owner(asked.instance_uuid)
            self._policy.check(name, user, owner.project_id)
            return self._decide(asked)
        except errors.QgaError as error:
            return self._refused(name, user, given, error)
        except Exception as error:
            return self._refused(name, user, given, fault.log(name, error))
        finally:
            self._count(-1)

    def drain(self, timeout: float) -> None:
        """Wait until no request is under way, or ``timeout`` has passed."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way, timeout)

    def _count(self, change: int) -> None:
        with self._changed:
            self._under_way += change
            self._changed.notify_all()

    def _decide(self, asked: request.Request) -> outcome.Outcome:
        """Run it, unless it is known or too late."""
        known = self._ledger.find(asked.request_id)
        if known is None:
            begun = self._ledger.begin(asked)
            if begun is not None:
                ended = self._run(asked)
                self._ledger.end(begun, ended)
                return ended
            # Another thread was quicker.
            known = self._ledger.find(asked.request_id)
        return self._again(asked, known)

    def _again(
        self, asked: request.Request, known: requests.Record | None
    ) -> outcome.Outcome:
        """Answer a request that was seen before: it has its one end."""
        if known is None:
            raise errors.ServiceUnavailable('the journal has lost a request')
        if known[1:3] != (asked.operation.name, asked.instance_uuid):
            raise errors.InvalidRequest(
                'this request_id was used for another operation or guest: '
                'give every request an id of its own'
            )
        read = not asked.operation.has_effect
        if read and known.state in _READ_AGAIN and asked.left() > 0:
            # What was read is not kept.
            return self._run(asked)
        return self._ledger.wait(known, max(0.0, asked.left()))

    def _run(self, asked: request.Request) -> outcome.Outcome:
        """Do it, and turn what happens into an outcome."""
        if asked.left() <= 0:
            return self._outcome(
                asked, outcome.EXPIRED, error=outcome.expired()
            )
        result = error = None
        state = outcome.SUCCEEDED
        context = rpc_context.Context(
            self._host,
            asked.instance_uuid,
            self._settings.limits,
            min(self._settings.operation_timeout, asked.left()),
        )
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

    def _outcome(
        self, asked: request.Request, state: str, **more: Any
    ) -> outcome.Outcome:
        return outcome.Outcome(
            asked.request_id,
            asked.operation.name,
            asked.instance_uuid,
            self._settings.host,
            state,
            **more,
        )

    def _refused(
        self,
        name: str,
        user: rpc_user.User,
        given: Mapping[str, Any],
        error: errors.QgaError,
    ) -> outcome.Outcome:
        """End a request of which nothing was done."""
        request_id, instance_uuid = request.identity(given)
        return self._ledger.refuse(
            outcome.Outcome(
                request_id,
                name,
                instance_uuid,
                self._settings.host,
                outcome.state_after(error),
                error=outcome.describe(error),
            ),
            user,
        )
