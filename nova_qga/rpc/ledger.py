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

"""Every request and its one end: noted, told and logged together.

Source: the states and their order in :mod:`nova_qga.journal.requests`.
"""

from collections.abc import Callable, Mapping
import threading
import time
from typing import Any

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.journal import outbox
from nova_qga.journal import requests
from nova_qga.publishers import outcome as outcome_event
from nova_qga.rpc.catalog import base
from nova_qga.rpc import host as rpc_host
from nova_qga.rpc import outcome
from nova_qga.rpc import request
from nova_qga.rpc import user as rpc_user

LOG = logging.getLogger(__name__)

#: Told that a notification waits in the outbox.
Wake = Callable[[], None]


class Ledger:
    """The requests of this host.

    :param host: its name
    :param operations: by name
    :param directory: of its guests, to know whose they are
    :param wake: called after each end; must not block
    """

    def __init__(
        self,
        journal: requests.Requests,
        events: outbox.Outbox,
        directory: rpc_host.Directory,
        host: str,
        operations: Mapping[str, base.Operation],
        wake: Wake = lambda: None,
    ) -> None:
        self._requests = journal
        self._outbox = events
        self._directory = directory
        self._host = host
        self._operations = operations
        self._wake = wake
        self._lock = threading.Lock()
        # What this process runs, or is about to.
        self._active: set[str] = set()

    def find(self, request_id: str) -> requests.Record | None:
        """Return a request that was seen before.

        :raises ServiceUnavailable: the journal cannot be read
        """
        return self._requests.find(request_id)

    def wait(self, request_id: str, timeout: float) -> outcome.Outcome | None:
        """Return how a request ended that is noted; None before its end."""
        ended = self._requests.wait(request_id, timeout)
        if ended is None or not ended.has_ended:
            return None
        return outcome.recorded(ended, self._host)

    def begin(
        self, asked: request.Request, waits: bool
    ) -> requests.Record | None:
        """Note that a request will run.

        :param waits: not at once: :meth:`start` comes first
        :returns: None where it is noted already: do not run it
        :raises ServiceUnavailable: it cannot be noted: do not run it
        """
        return self._begin(
            requests.Record(
                asked.request_id,
                asked.operation.name,
                asked.instance_uuid,
                self.owner(asked.instance_uuid),
                _requester(asked.user),
                requests.ACCEPTED if waits else requests.RUNNING,
            ),
            asked.expires_at.timestamp(),
        )

    def start(self, accepted: requests.Record) -> requests.Record:
        """Note that a request will run now.

        :raises ServiceUnavailable: it cannot be noted: do not run it
        """
        self._requests.start(accepted)
        return accepted._replace(state=requests.RUNNING)

    def end(self, begun: requests.Record, ended: outcome.Outcome) -> None:
        """Note how it ended, and have that told.

        Where it cannot be noted now, it is as soon as it can.
        """
        _log(ended, begun.requester)
        self._end(begun, ended)

    def _end(self, begun: requests.Record, ended: outcome.Outcome) -> None:
        counts = {
            key: value
            for key, value in (ended.result or {}).items()
            if isinstance(value, int)
        }
        record = begun._replace(
            state=ended.state,
            channel=ended.channel,
            error=ended.error,
            counts=counts,
        )
        # What an earlier agent began may be known only now.
        owner = begun.owner
        if not any(owner):
            owner = self.owner(begun.instance_uuid)
        try:
            self._requests.finish(
                record,
                outcome_event.event(ended.to_dict(), owner, begun.requester),
            )
        except errors.ServiceUnavailable as error:
            LOG.error('request %s: %s', begun.request_id, error)
        finally:
            with self._lock:
                self._active.discard(begun.request_id)
        self._wake()

    def refuse(
        self, ended: outcome.Outcome, user: rpc_user.User
    ) -> outcome.Outcome:
        """Note and tell a request that is not run; return how it ended.

        That is how it ended before, where it is known. One without an id of
        its own is told only.
        """
        uuid = ended.instance_uuid or ''
        record = requests.Record(
            ended.request_id,
            ended.operation,
            uuid,
            self.owner(uuid),
            _requester(user),
        )
        # Whatever is known of its id, somebody has tried.
        _log(ended, record.requester)
        try:
            if not ended.request_id:
                self._outbox.add(
                    outcome_event.event(
                        ended.to_dict(), record.owner, record.requester
                    )
                )
                self._wake()
                return ended
            begun = self._begin(record, time.time())
            if begun is not None:
                self._end(begun, ended)
                return ended
            known = self.find(ended.request_id)
        except errors.ServiceUnavailable as error:
            LOG.error('request %s: %s', ended.request_id, error)
            return ended
        if (
            # How another's request ended is not for this user.
            ended.state == outcome.DENIED
            or known is None
            or not known.has_ended
            or known[:3] != record[:3]
        ):
            return ended
        return outcome.recorded(known, self._host)

    def keep_up(self) -> None:
        """Note what could not be noted, end what an earlier agent left.

        :raises ServiceUnavailable: the journal still cannot be used
        """
        self._requests.write_rest()
        with self._lock:
            # One that ends now is first in the journal, then not active.
            left = [
                record
                for record in self._requests.unended()
                if record.request_id not in self._active
            ]
        for record in left:
            self.end(record, self._interrupted(record))
        if dropped := self._outbox.prune():
            LOG.error(
                '%d notifications of outcomes were dropped, the oldest: the '
                'message broker has taken none for long',
                dropped,
            )

    def _begin(
        self, record: requests.Record, expires: float
    ) -> requests.Record | None:
        with self._lock:
            # Else it could be taken for one that an earlier agent left.
            if not self._requests.begin(record, expires):
                return None
            self._active.add(record.request_id)
        return record

    def _interrupted(self, record: requests.Record) -> outcome.Outcome:
        operation = self._operations.get(record.operation)
        error: errors.QgaError = errors.OutcomeUnknown(
            'nova-qga-agent was stopped while this ran: it may have been '
            'done; look in the guest before you repeat it'
        )
        if record.state == requests.ACCEPTED:
            error = errors.ServiceUnavailable(
                'nova-qga-agent was stopped before this ran: nothing of it '
                'was done; send a new request'
            )
        elif operation is not None and not operation.has_effect:
            error = errors.ServiceUnavailable(
                'nova-qga-agent was stopped while this ran: ask again'
            )
        return outcome.Outcome(
            record.request_id,
            record.operation,
            record.instance_uuid or None,
            self._host,
            outcome.state_after(error),
            error=outcome.describe(error),
        )

    def owner(self, uuid: str) -> requests.Owner:
        """Return whose guest it is, as far as this host knows."""
        try:
            described = self._directory.get(uuid).description
        except errors.GuestNotFound:
            return requests.Owner()
        return requests.Owner(
            described.name, described.project_id, described.user_id
        )


def _requester(user: rpc_user.User) -> requests.Requester:
    return requests.Requester(user.user_id, user.project_id)


def _log(ended: outcome.Outcome, requester: requests.Requester) -> None:
    words: dict[str, Any] = {
        'operation': ended.operation,
        'guest': ended.instance_uuid,
        'id': ended.request_id,
        'user': requester.user_id or 'nobody',
        'project': requester.project_id or 'no project',
        'state': ended.state,
        'reason': f', {ended.error["message"]}' if ended.error else '',
    }
    LOG.info(
        '%(operation)s in guest %(guest)s, request %(id)s of %(user)s, '
        '%(project)s: %(state)s%(reason)s',
        words,
    )
