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

"""The requests: noted before they run, and how they ended.

It answers two questions: was this request seen before, and what was running
when the agent died? No argument and no result is kept but counts: no
password, no key, no content.
"""

from collections.abc import Mapping
import json
import sqlite3
import time
from typing import Any, NamedTuple

from nova_qga import errors
from nova_qga.journal import database
from nova_qga.journal import outbox

#: Nothing of it has been done.
ACCEPTED = 'accepted'
RUNNING = 'running'

#: Seconds for which an ended request is remembered after it has expired.
KEPT = 7 * 86400.0
#: Ended requests that are remembered; beyond, the oldest is forgotten.
MOST = 200_000
#: Requests between two clean-ups.
_CLEANED_EVERY = 500

# The fields of Record, in its order.
_FIND = (
    'SELECT request_id, operation, instance_uuid, owner, requester, state, '
    'channel, error, counts, began, ended FROM requests WHERE request_id = ?'
)
_FIND_UNENDED = (
    'SELECT request_id, operation, instance_uuid, owner, requester, state, '
    'channel, error, counts, began, ended FROM requests WHERE ended IS NULL'
)


class Owner(NamedTuple):
    """Whose guest it is; empty where this host does not know the guest."""

    name: str = ''
    project_id: str = ''
    user_id: str = ''


class Requester(NamedTuple):
    """Who asked; empty where the request did not say."""

    user_id: str = ''
    project_id: str = ''


class Record(NamedTuple):
    """One request.

    :ivar state: ``accepted``, ``running``, or the terminal state
    :ivar error: code, reason and message, where it did not succeed
    :ivar counts: the numbers of its result
    :ivar began: when it was noted; seconds since the epoch
    :ivar ended: when its end was noted; None before
    """

    request_id: str
    operation: str
    instance_uuid: str
    owner: Owner = Owner()
    requester: Requester = Requester()
    state: str = RUNNING
    channel: str | None = None
    error: Mapping[str, Any] | None = None
    counts: Mapping[str, int] | None = None
    began: float = 0.0
    ended: float | None = None

    @property
    def has_ended(self) -> bool:
        """It has its terminal state."""
        return self.state not in (ACCEPTED, RUNNING)


class Requests:
    """The requests of one agent; may be used from any thread."""

    def __init__(
        self, journal: database.Database, events: outbox.Outbox
    ) -> None:
        self._database = journal
        self._outbox = events
        self._begun = 0
        # How requests ended that could not be noted.
        self._unwritten: dict[str, tuple[Record, outbox.Event]] = {}

    def find(self, request_id: str) -> Record | None:
        """Return a request that was seen before.

        :raises ServiceUnavailable: the journal cannot be read
        """
        with self._database.reading() as connection:
            if request_id in self._unwritten:
                return self._unwritten[request_id][0]
            row = connection.execute(_FIND, (request_id,)).fetchone()
        return None if row is None else _record(row)

    def unended(self) -> list[Record]:
        """Return what has not ended: at the start, what was cut off.

        :raises ServiceUnavailable: the journal cannot be read
        """
        with self._database.reading() as connection:
            rows = connection.execute(_FIND_UNENDED).fetchall()
            return [
                record
                for record in map(_record, rows)
                if record.request_id not in self._unwritten
            ]

    def wait(self, request_id: str, timeout: float) -> Record | None:
        """Return a request as it ends, or as it is after ``timeout``."""
        deadline = time.monotonic() + timeout
        with self._database.changed:
            while True:
                record = self.find(request_id)
                left = deadline - time.monotonic()
                if record is None or record.has_ended or left <= 0:
                    return record
                self._database.changed.wait(left)

    def begin(self, record: Record, expires: float) -> bool:
        """Note that a request is accepted, or will run now.

        :param expires: seconds since the epoch
        :returns: False where it is noted already: do not run it
        :raises ServiceUnavailable: it cannot be noted: do not run it
        """
        self.write_rest()
        with self._database.transaction() as connection:
            self._clean(connection)
            done = connection.execute(
                'INSERT OR IGNORE INTO requests (request_id, operation, '
                'instance_uuid, owner, requester, state, began, expires) '
                'VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
                (*_identity(record), record.state, time.time(), expires),
            )
            return done.rowcount == 1

    def start(self, record: Record) -> None:
        """Note that an accepted request will run now.

        :raises ServiceUnavailable: it cannot be noted: do not run it
        """
        with self._database.transaction() as connection:
            connection.execute(
                'UPDATE requests SET state = ? WHERE request_id = ? '
                'AND ended IS NULL',
                (RUNNING, record.request_id),
            )

    def finish(self, record: Record, event: outbox.Event) -> None:
        """Note how a request ended and what tells so, and wake who waits.

        :raises ServiceUnavailable: it cannot be noted; it is known until
            this process ends, and noted before the next request begins
        """
        try:
            with self._database.transaction() as connection:
                self._write(connection, record, event)
        except errors.ServiceUnavailable:
            with self._database.changed:
                self._unwritten[record.request_id] = record, event
            raise
        finally:
            with self._database.changed:
                self._database.changed.notify_all()

    def write_rest(self) -> None:
        """Note what could not be noted before, if there is any.

        :raises ServiceUnavailable: it still cannot be
        """
        with self._database.changed:
            if not self._unwritten:
                return
            with self._database.transaction() as connection:
                for record, event in self._unwritten.values():
                    self._write(connection, record, event)
            self._unwritten.clear()

    def _write(
        self,
        connection: sqlite3.Connection,
        record: Record,
        event: outbox.Event,
    ) -> None:
        now = time.time()
        end = (
            record.state,
            record.channel,
            _dump(record.error),
            _dump(record.counts),
            now,
        )
        done = connection.execute(
            'UPDATE requests SET state = ?, channel = ?, error = ?, '
            'counts = ?, ended = ? WHERE request_id = ? AND ended IS NULL',
            (*end, record.request_id),
        )
        if not done.rowcount:
            # It has ended; or it began in a journal that was moved away.
            done = connection.execute(
                'INSERT OR IGNORE INTO requests (state, channel, error, '
                'counts, ended, request_id, operation, instance_uuid, owner, '
                'requester, began, expires) '
                'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
                (*end, *_identity(record), now, now),
            )
        # A request has one end, and is told once.
        if done.rowcount:
            self._outbox.write(connection, event)

    def _clean(self, connection: sqlite3.Connection) -> None:
        """Forget what is long over, now and then."""
        if self._begun % _CLEANED_EVERY == 0:
            connection.execute(
                'DELETE FROM requests WHERE ended IS NOT NULL '
                'AND max(ended, expires) < ?',
                (time.time() - KEPT,),
            )
            connection.execute(
                'DELETE FROM requests WHERE request_id IN ('
                'SELECT request_id FROM requests WHERE ended IS NOT NULL '
                'AND expires < ? ORDER BY ended DESC LIMIT -1 OFFSET ?)',
                (time.time(), MOST),
            )
        self._begun += 1


def _identity(record: Record) -> tuple[str, ...]:
    owner, requester = map(json.dumps, (record.owner, record.requester))
    return (*record[:3], owner, requester)


def _dump(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(dict(value))


def _record(row: tuple[Any, ...]) -> Record:
    request_id, operation, instance_uuid, owner, requester = row[:5]
    state, channel = row[5:7]
    error, counts = (
        None if dumped is None else json.loads(dumped) for dumped in row[7:9]
    )
    return Record(
        request_id,
        operation,
        instance_uuid,
        Owner(*json.loads(owner or '[]')),
        Requester(*json.loads(requester or '[]')),
        state,
        channel,
        error,
        counts,
        *row[9:],
    )
