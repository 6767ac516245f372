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

"""The file that everything which must outlive the agent is kept in.

It may be used from any thread. Where it cannot be opened or written, whoever
needs it is told so each time, and it is tried again: what needs no journal
goes on.

Source: https://sqlite.org/wal.html; with ``synchronous = FULL`` a transaction
is on disk when it has ended.
"""

from collections.abc import Iterator
import contextlib
import fcntl
import os
import pathlib
import sqlite3
import threading

from nova_qga import errors

_VERSION = 2

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    request_id TEXT PRIMARY KEY,
    operation TEXT NOT NULL,
    instance_uuid TEXT NOT NULL,
    state TEXT NOT NULL,
    channel TEXT,
    error TEXT,
    counts TEXT,
    owner TEXT,
    requester TEXT,
    began REAL NOT NULL,
    ended REAL,
    expires REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS running ON requests (ended) WHERE ended IS NULL;
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    priority TEXT NOT NULL,
    event_type TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS leases (
    instance_uuid TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    until REAL NOT NULL,
    request_id TEXT NOT NULL,
    frozen INTEGER,
    ended REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owned_keys (
    instance_uuid TEXT NOT NULL,
    username TEXT NOT NULL,
    type TEXT NOT NULL,
    blob TEXT NOT NULL,
    added REAL NOT NULL,
    PRIMARY KEY (instance_uuid, username, type, blob)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS open_files (
    number INTEGER PRIMARY KEY,
    instance_uuid TEXT NOT NULL,
    channel TEXT NOT NULL,
    opened TEXT NOT NULL,
    UNIQUE (instance_uuid, channel)
);
"""


_FROM_1 = """
ALTER TABLE requests ADD COLUMN owner TEXT;
ALTER TABLE requests ADD COLUMN requester TEXT;
"""


class Database:
    """One agent's journal.

    :param folder: where its files are; None keeps it in memory, for a
        process that dies with its requests
    :ivar changed: held while it is used; wake who waits on it after a change
    :raises ConfigurationError: another agent uses it, or a newer one did
    """

    def __init__(self, folder: pathlib.Path | None) -> None:
        self.changed = threading.Condition()
        self._folder = folder
        self._lock_file: int | None = None
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self.problem: str | None = None
        with contextlib.suppress(errors.ServiceUnavailable):
            self._get()

    def close(self) -> None:
        """Close it for good."""
        with self.changed:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read in the body.

        :raises ServiceUnavailable: it cannot be read
        """
        with self.changed:
            try:
                yield self._get()
            except sqlite3.Error as error:
                if isinstance(error, sqlite3.DatabaseError) and not isinstance(
                    error, sqlite3.OperationalError
                ):
                    # It is broken: look at the file anew the next time, for
                    # somebody may have moved it away.
                    self._drop()
                raise self._unusable(error) from None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all that the body writes, or nothing.

        :raises ServiceUnavailable: it cannot be written
        """
        with self.reading() as connection:
            connection.execute('BEGIN IMMEDIATE')
            try:
                yield connection
                connection.execute('COMMIT')
            except BaseException:
                # A full disk may have rolled it back already.
                if connection.in_transaction:
                    connection.execute('ROLLBACK')
                raise
            self.problem = None

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and self._folder is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _unusable(self, error: Exception) -> errors.ServiceUnavailable:
        self.problem = (
            f'nova-qga-agent cannot use its journal ({error}), and so runs '
            'nothing in guests: is the disk of [qga_agent]state_path, '
            f'{self._folder}, full or read-only? Move a broken journal.db '
            'away'
        )
        return errors.ServiceUnavailable(self.problem)

    def _get(self) -> sqlite3.Connection:
        with self.changed:
            if self._connection is None:
                try:
                    self._connection = self._open()
                except (OSError, sqlite3.Error) as error:
                    raise self._unusable(error) from None
            return self._connection

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise sqlite3.ProgrammingError('it is closed')
        folder = self._folder
        path = ':memory:' if folder is None else self._prepare(folder)
        connection = sqlite3.connect(
            path, check_same_thread=False, isolation_level=None
        )
        try:
            _set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, folder: pathlib.Path) -> pathlib.Path:
        """Make the files for their owner alone, and keep others out."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._lock_file is None:
            self._lock_file = _lock(folder)
        path = folder / 'journal.db'
        # SQLite gives its other files the mode of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        return path


def _lock(folder: pathlib.Path) -> int:
    # A file of its own: closing the database's would drop SQLite's locks.
    file = os.open(folder / 'journal.lock', os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise errors.ConfigurationError(
            f'another nova-qga-agent uses {folder}: stop it, or give this '
            'one a [qga_agent]state_path of its own'
        ) from None
    return file


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute('PRAGMA journal_mode = WAL')
    connection.execute('PRAGMA synchronous = FULL')
    [version] = connection.execute('PRAGMA user_version').fetchone()
    if version > _VERSION:
        raise errors.ConfigurationError(
            'the journal in [qga_agent]state_path was made by a newer '
            'nova-qga: upgrade this one, or move the journal away'
        )
    script = f'BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;'
    if version == 1:
        script = script.replace('BEGIN;', f'BEGIN; {_FROM_1}')
    connection.executescript(script)
