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

"""Notifications that are still to be sent, oldest first.

One is written together with what it tells of, and taken out when the broker
has it: it is sent at least once, whatever dies in between.
"""

from collections.abc import Iterable
import json
import sqlite3
from typing import Any, NamedTuple

from nova_qga.journal import database

#: Notifications that are kept; beyond, the oldest is dropped.
KEPT = 100_000


class Event(NamedTuple):
    """A notification.

    :ivar priority: ``info`` or ``error``
    """

    priority: str
    event_type: str
    payload: dict[str, Any]


class Outbox:
    """The outbox of one agent; may be used from any thread.

    :ivar dropped: notifications that were dropped so far
    """

    def __init__(self, journal: database.Database, kept: int = KEPT) -> None:
        self.dropped = 0
        self._database = journal
        self._kept = kept

    def add(self, event: Event) -> None:
        """Put in a notification that nothing else is written with.

        :raises ServiceUnavailable: it cannot be kept
        """
        with self._database.transaction() as connection:
            self.write(connection, event)

    def write(self, connection: sqlite3.Connection, event: Event) -> None:
        """Put in a notification, in a transaction that is under way."""
        connection.execute(
            'INSERT INTO outbox (priority, event_type, payload) '
            'VALUES (?, ?, ?)',
            (event.priority, event.event_type, json.dumps(event.payload)),
        )

    def first(self, limit: int) -> list[tuple[int, Event]]:
        """Return the oldest, with the numbers to take them out by.

        :raises ServiceUnavailable: the journal cannot be read
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                'SELECT * FROM outbox ORDER BY number LIMIT ?', (limit,)
            ).fetchall()
        return [
            (number, Event(priority, event_type, json.loads(payload)))
            for number, priority, event_type, payload in rows
        ]

    def take_out(self, numbers: Iterable[int]) -> None:
        """Forget what was sent.

        :raises ServiceUnavailable: it cannot be noted; they are sent again
        """
        with self._database.transaction() as connection:
            connection.executemany(
                'DELETE FROM outbox WHERE number = ?', ((n,) for n in numbers)
            )

    def prune(self) -> int:
        """Drop the oldest beyond the limit, and return how many."""
        with self._database.transaction() as connection:
            dropped = connection.execute(
                'DELETE FROM outbox WHERE number <= '
                '(SELECT max(number) FROM outbox) - ?',
                (self._kept,),
            ).rowcount
        self.dropped += dropped
        return dropped

    def __len__(self) -> int:
        with self._database.reading() as connection:
            [count] = connection.execute(
                'SELECT count(*) FROM outbox'
            ).fetchone()
        return int(count)
