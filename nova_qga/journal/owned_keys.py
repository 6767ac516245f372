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


"""Which public keys of guests' accounts we have added.

A key is noted before it is added, and stays noted until it was removed: the
user of a guest may have removed it meanwhile, and it is never added again for
that. It is known on the host that added it alone; a guest that moves leaves
it behind.
"""

from collections.abc import Iterable
import time

from nova_qga.journal import database

#: Type and blob: what makes it this key, whatever its comment is.
Identity = tuple[str, str]


class OwnedKeys:
    """The keys that one agent has added; may be used from any thread.

    Each method raises ServiceUnavailable where the journal cannot be used.
    """

    def __init__(self, journal: database.Database) -> None:
        self._database = journal

    def account(self, instance_uuid: str, username: str) -> 'Account':
        """Return the keys of one account of a guest."""
        return Account(self._database, instance_uuid, username)


class Account:
    """Our keys of one account of a guest."""

    def __init__(
        self, journal: database.Database, instance_uuid: str, username: str
    ) -> None:
        self._database = journal
        self._account = instance_uuid, username

    def keys(self) -> set[Identity]:
        """Return those that we have added."""
        with self._database.reading() as connection:
            rows = connection.execute(
                'SELECT type, blob FROM owned_keys '
                'WHERE instance_uuid = ? AND username = ?',
                self._account,
            ).fetchall()
        return {(type_, blob) for type_, blob in rows}

    def add(self, keys: Iterable[Identity]) -> None:
        """Note that we add keys."""
        now = time.time()
        with self._database.transaction() as connection:
            connection.executemany(
                'INSERT OR IGNORE INTO owned_keys '
                '(instance_uuid, username, type, blob, added) '
                'VALUES (?, ?, ?, ?, ?)',
                [(*self._account, *key, now) for key in keys],
            )

    def forget(self, keys: Iterable[Identity]) -> None:
        """Note that keys are ours no more."""
        with self._database.transaction() as connection:
            connection.executemany(
                'DELETE FROM owned_keys WHERE instance_uuid = ? '
                'AND username = ? AND type = ? AND blob = ?',
                [(*self._account, *key) for key in keys],
            )
