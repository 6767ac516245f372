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

"""Leases: until when each guest may stay frozen.

A lease is written before its guest is frozen, and ends when the guest was
seen to be thawed: whatever dies in between, somebody knows what to thaw. An
ended one is kept for a day, to tell who thaws too late that the guest was not
frozen to the end.
"""

import time
from typing import NamedTuple

from nova_qga.journal import database
from nova_qga.journal import outbox

#: Seconds for which a lease is remembered after its end.
KEPT = 86400.0

_COLUMNS = 'instance_uuid, channel, until, request_id, frozen, ended'


class Lease(NamedTuple):
    """One guest that is frozen, or may be.

    :ivar channel: kind of that over which it was frozen
    :ivar until: Unix time
    :ivar request_id: of the freeze
    :ivar frozen: filesystems; None where the freeze was not answered (yet)
    :ivar ended: when the guest was thawed, Unix time; None while it is not
    """

    instance_uuid: str
    channel: str
    until: float
    request_id: str
    frozen: int | None = None
    ended: float | None = None


class Leases:
    """The leases of one agent; may be used from any thread.

    Each method raises ServiceUnavailable where the journal cannot be used.
    """

    def __init__(
        self, journal: database.Database, events: outbox.Outbox
    ) -> None:
        self._database = journal
        self._outbox = events

    def get(self, uuid: str) -> Lease | None:
        """Return a guest's lease, also one that has ended."""
        with self._database.reading() as connection:
            row = connection.execute(
                f'SELECT {_COLUMNS} FROM leases '  # noqa: S608
                'WHERE instance_uuid = ?',
                (uuid,),
            ).fetchone()
        return None if row is None else Lease(*row)

    def running(self) -> list[Lease]:
        """Return the leases that have not ended, the first to end first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f'SELECT {_COLUMNS} FROM leases '  # noqa: S608
                'WHERE ended IS NULL ORDER BY until'
            ).fetchall()
        return [Lease(*row) for row in rows]

    def add(self, lease: Lease) -> bool:
        """Note a lease before its guest is frozen.

        :returns: False where the guest has one: do not freeze it
        """
        with self._database.transaction() as connection:
            connection.execute(
                'DELETE FROM leases WHERE ended < ? '
                'OR (instance_uuid = ? AND ended IS NOT NULL)',
                (time.time() - KEPT, lease.instance_uuid),
            )
            done = connection.execute(
                'INSERT OR IGNORE INTO leases VALUES (?, ?, ?, ?, ?, ?)', lease
            )
            return done.rowcount == 1

    def change(self, lease: Lease) -> None:
        """Note what is known of a lease now."""
        with self._database.transaction() as connection:
            connection.execute(
                'UPDATE leases SET until = ?, frozen = ? '
                'WHERE instance_uuid = ? AND request_id = ?',
                (lease.until, lease.frozen, *_key(lease)),
            )

    def end(self, lease: Lease, event: outbox.Event) -> None:
        """Note that a guest is thawed at its lease's end, and have it told."""
        with self._database.transaction() as connection:
            connection.execute(
                'UPDATE leases SET ended = ? '
                'WHERE instance_uuid = ? AND request_id = ?',
                (time.time(), *_key(lease)),
            )
            self._outbox.write(connection, event)

    def remove(self, lease: Lease) -> None:
        """Forget a lease: somebody knows that the guest is thawed."""
        with self._database.transaction() as connection:
            connection.execute(
                'DELETE FROM leases '
                'WHERE instance_uuid = ? AND request_id = ?',
                _key(lease),
            )


def _key(lease: Lease) -> tuple[str, str]:
    return lease.instance_uuid, lease.request_id
