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

from collections.abc import Callable, Mapping
import dataclasses
import threading
import time
from typing import Any

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.journal import requests
from nova_qga.publishers import outcome as outcome_event
from nova_qga.rpc import catalog
from nova_qga.rpc import fault
from nova_qga.rpc import host as rpc_host
from nova_qga.rpc import outcome
from nova_qga.rpc import request

LOG = logging.getLogger(__name__)

#: Told of the outcome of each request.
Notify = Callable[[outcome_event.Event], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """How requests are run.

    :ivar host: name of this host
    :ivar operation_timeout: seconds for an operation in all
    """

    host: str
    operation_timeout: float
    limits: catalog.Limits


class Runner:
    """Runs the operations of the catalog.

    :param notify: takes the notification of each outcome; must not block
    """

    def __init__(
        self,
        host: rpc_host.Host,
        journal: requests.Journal,
        notify: Notify,
        settings: Settings,
    ) -> None:
        self._host = host
        self._journal = journal
        self._notify = notify
        self._settings = settings
        self._changed = threading.Condition()
        self._under_way = 0

    def run(self, name: str, given: Mapping[str, Any]) -> outcome.Outcome:
        """Run one request, or find out how it ended before."""
        self._count(1)
        try:
            return self._run_and_tell(name, given)
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

    def _run_and_tell(
        self, name: str, given: Mapping[str, Any]
    ) -> outcome.Outcome:
        repeated: bool | None = False
        try:
            asked = request.parse(
                catalog.OPERATIONS[name], given, self._settings.limits
            )
            ended, repeated = self._decide(asked)
        except errors.QgaError as error:
            ended, repeated = self._refused(name, given, error)
        except Exception as error:
            fault_of_ours = fault.log(name, error)
            ended, repeated = self._refused(name, given, fault_of_ours)
        if repeated is not None:
            self._tell(ended, repeated)
        return ended

    def tell_interrupted(self) -> None:
        """Say what the journal found running when it was opened."""
        for record in self._journal.interrupted:
            self._tell(
                outcome.recorded(record, self._settings.host), repeated=False
            )

    def _decide(
        self, asked: request.Request
    ) -> tuple[outcome.Outcome, bool | None]:
        """Run it, unless it is known or too late.

        :returns: the outcome, and whether it was told before; None where
            another thread runs it now, and will tell
        """
        once = asked.operation.has_effect
        record = requests.Record(
            asked.request_id, asked.operation.name, asked.instance_uuid
        )
        known = self._journal.find(asked.request_id) if once else None
        if known is None:
            if asked.left() <= 0:
                late = self._outcome(
                    asked, outcome.EXPIRED, error=outcome.expired()
                )
                expires = asked.expires_at.timestamp()
                return self._note(late, expires) if once else (late, False)
            if not once:
                return self._run(asked), False
            if self._journal.begin(record, asked.expires_at.timestamp()):
                ended = self._run(asked)
                self._finish(record, ended)
                return ended, False
            known = record
        ended = self._recall(asked, known)
        return ended, None if known.state == requests.RUNNING else True

    def _finish(self, record: requests.Record, ended: outcome.Outcome) -> None:
        counts = {
            key: value
            for key, value in (ended.result or {}).items()
            if isinstance(value, int)
        }
        try:
            self._journal.finish(
                record._replace(
                    state=ended.state,
                    channel=ended.channel,
                    error=ended.error,
                    counts=counts,
                )
            )
        except errors.ServiceUnavailable as error:
            LOG.error('request %s: %s', record.request_id, error)

    def _run(self, asked: request.Request) -> outcome.Outcome:
        """Do it, and turn what happens into an outcome."""
        agent: rpc_host.Agent | None = None
        result = error = None
        state = outcome.SUCCEEDED
        try:
            timeout = min(self._settings.operation_timeout, asked.left())
            agent = self._host.agent(asked.instance_uuid, timeout)
            result = asked.operation.run(
                agent, asked.arguments, self._settings.limits
            )
        except errors.QgaError as failure:
            state = outcome.state_after(failure)
            error = outcome.describe(failure)
        except Exception as failure:
            # It may have come after something was sent.
            began = asked.operation.has_effect and agent is not None
            state = outcome.UNKNOWN if began else outcome.FAILED
            error = outcome.describe(fault.log(asked.operation.name, failure))
        return self._outcome(
            asked,
            state,
            channel=None if agent is None else agent.channel_kind,
            result=result,
            error=error,
        )

    def _recall(
        self, asked: request.Request, known: requests.Record
    ) -> outcome.Outcome:
        """Return how a request ended that was seen before."""
        if (known.operation, known.instance_uuid) != (
            asked.operation.name,
            asked.instance_uuid,
        ):
            raise errors.InvalidRequest(
                'this request_id was used for another operation or guest: '
                'give every request an id of its own'
            )
        ended = self._journal.wait(asked.request_id, max(0.0, asked.left()))
        if ended is None or ended.state == requests.RUNNING:
            error = errors.OutcomeUnknown(
                'the request is still being worked on; ask again with the '
                'same request_id'
            )
            return self._outcome(
                asked, outcome.UNKNOWN, error=outcome.describe(error)
            )
        return outcome.recorded(ended, self._settings.host)

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
        self, name: str, given: Mapping[str, Any], error: errors.QgaError
    ) -> tuple[outcome.Outcome, bool | None]:
        """Return the outcome of a request of which nothing was done.

        And whether it was told before, as :meth:`_decide` does.
        """
        request_id, instance_uuid = request.identity(given)
        ended = outcome.Outcome(
            request_id,
            name,
            instance_uuid,
            self._settings.host,
            outcome.FAILED,
            error=outcome.describe(error),
        )
        if not (request_id and catalog.OPERATIONS[name].has_effect):
            return ended, False
        try:
            return self._note(ended, time.time())
        except errors.ServiceUnavailable:
            return ended, False

    def _note(
        self, ended: outcome.Outcome, expires: float
    ) -> tuple[outcome.Outcome, bool | None]:
        """Note how a request ended that is not run, unless it is known.

        :returns: as :meth:`_decide`
        """
        record = requests.Record(
            ended.request_id, ended.operation, ended.instance_uuid or ''
        )
        if self._journal.begin(record, expires):
            self._finish(record, ended)
            return ended, False
        known = self._journal.find(ended.request_id)
        if known is None or known.state == requests.RUNNING:
            return ended, None
        if known[:3] != record[:3]:
            return ended, True
        return outcome.recorded(known, self._settings.host), True

    def _tell(self, ended: outcome.Outcome, repeated: bool) -> None:
        LOG.info(
            '%(operation)s in guest %(guest)s, request %(id)s: %(state)s'
            '%(reason)s',
            {
                'operation': ended.operation,
                'guest': ended.instance_uuid,
                'id': ended.request_id,
                'state': ended.state,
                'reason': f', {ended.error["message"]}' if ended.error else '',
            },
        )
        event = outcome_event.event(
            ended.to_dict(),
            self._owner(ended.instance_uuid),
            repeated=repeated,
        )
        try:
            self._notify(event)
        except Exception as error:
            fault.log('a notification', error)

    def _owner(self, uuid: str | None) -> outcome_event.Owner:
        try:
            described = self._host.directory.get(uuid or '').description
        except errors.GuestNotFound:
            return outcome_event.Owner()
        return outcome_event.Owner(
            described.name, described.project_id, described.user_id
        )
