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

"""The requests that change a guest: noted before they run, and how they ended.

It answers two questions: was this request seen before, and what was running
when the agent died? No argument and no result is kept but counts: no
password, no key, no content.

Source: https://sqlite.org/wal.html; each state change is on disk before the
next step is taken.
"""

from collections.abc import Mapping
import fcntl
import json
import os
import pathlib
import sqlite3
import threading
import time
from typing import Any, NamedTuple

from nova_qga import errors

RUNNING = 'running'
UNKNOWN = 'unknown'

#: Seconds for which an ended request is remembered after it has expired.
KEPT = 7 * 86400.0
#: Requests between two clean-ups.
_CLEANED_EVERY = 500
_VERSION = 1

# The fields of Record come first, in its order.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    request_id TEXT PRIMARY KEY,
    operation TEXT NOT NULL,
    instance_uuid TEXT NOT NULL,
    state TEXT NOT NULL,
    channel TEXT,
    error TEXT,
    counts TEXT,
    began REAL NOT NULL,
    ended REAL,
    expires REAL NOT NULL
) WITHOUT ROWID
"""
_INTERRUPTED = {
    'code': errors.OutcomeUnknown.code,
    'reason': None,
    'message': 'nova-qga-agent was stopped while this ran: it may have been '
    'done; look in the guest before you repeat it',
}


class Record(NamedTuple):
    """One request.

    :ivar state: ``running``, or the terminal state
    :ivar error: code, reason and message, where it did not succeed
    :ivar counts: the numbers of its result
    """

    request_id: str
    operation: str
    instance_uuid: str
    state: str = RUNNING
    channel: str | None = None
    error: Mapping[str, Any] | None = None
    counts: Mapping[str, int] | None = None


class Journal:
    """The requests of one agent; may be used from any thread.

    :param folder: where its files are; None keeps it in memory, for a
        process that dies with its requests
    :ivar interrupted: what was found running, and is ``unknown`` now
    :raises ConfigurationError: it cannot be kept there
    """

    def __init__(self, folder: pathlib.Path | None) -> None:
        self._changed = threading.Condition()
        self._begun = 0
        # How requests ended that could not be noted.
        self._unwritten: dict[str, Record] = {}
        self._lock_file: int | None = None
        try:
            path = ':memory:' if folder is None else self._prepare(folder)
            self._database = sqlite3.connect(
                path, check_same_thread=False, isolation_level=None
            )
            self._set_up()
            self.interrupted = self._end_interrupted()
        except (OSError, sqlite3.Error) as error:
            raise errors.ConfigurationError(
                f'the journal in [qga_agent]state_path, {folder}, cannot be '
                f'used: {error}. Make the folder writable, or move a broken '
                'journal away'
            ) from None

    def close(self) -> None:
        """Close it; what runs is found as such at the next start."""
        with self._changed:
            self._database.close()
            if self._lock_file is not None:
                os.close(self._lock_file)
                self._lock_file = None

    def find(self, request_id: str) -> Record | None:
        """Return a request that was seen before."""
        with self._changed:
            return self._find(request_id)

    def wait(self, request_id: str, timeout: float) -> Record | None:
        """Return a request as it ends, or as it is after ``timeout``."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                record = self._find(request_id)
                left = deadline - time.monotonic()
                if record is None or record.state != RUNNING or left <= 0:
                    return record
                self._changed.wait(left)

    def begin(self, record: Record, expires: float) -> bool:
        """Note that a request will run now.

        :param expires: seconds since the epoch
        :returns: False where it is noted already: do not run it
        :raises ServiceUnavailable: it cannot be noted: do not run it
        """
        with self._changed:
            try:
                self._write_rest()
                self._clean()
                self._database.execute(
                    'INSERT INTO requests (request_id, operation, '
                    'instance_uuid, state, began, expires) '
                    'VALUES (?, ?, ?, ?, ?, ?)',
                    (*record[:4], time.time(), expires),
                )
            except sqlite3.IntegrityError:
                return False
            except sqlite3.Error as error:
                raise errors.ServiceUnavailable(
                    f'nova-qga-agent cannot write its journal ({error}), and '
                    'so runs nothing that changes a guest: is the disk of '
                    '[qga_agent]state_path full?'
                ) from None
        return True

    def finish(self, record: Record) -> None:
        """Note how a request ended, and wake who waits for it.

        :raises ServiceUnavailable: it cannot be noted; it is known until
            this process ends, and noted before the next request begins
        """
        with self._changed:
            try:
                self._write(record)
            except sqlite3.Error as error:
                self._unwritten[record.request_id] = record
                raise errors.ServiceUnavailable(
                    f'nova-qga-agent cannot write its journal: {error}'
                ) from None
            finally:
                self._changed.notify_all()

    def _write(self, record: Record) -> None:
        self._database.execute(
            'UPDATE requests SET state = ?, channel = ?, error = ?, '
            'counts = ?, ended = ? WHERE request_id = ?',
            (
                record.state,
                record.channel,
                _dump(record.error),
                _dump(record.counts),
                time.time(),
                record.request_id,
            ),
        )

    def _write_rest(self) -> None:
        for record in list(self._unwritten.values()):
            self._write(record)
            del self._unwritten[record.request_id]

    def _prepare(self, folder: pathlib.Path) -> pathlib.Path:
        """Make the files for their owner alone, and keep others out."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A file of its own: closing the database's would drop SQLite's locks.
        self._lock_file = os.open(
            folder / 'journal.lock', os.O_RDWR | os.O_CREAT, 0o600
        )
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.ConfigurationError(
                f'another nova-qga-agent uses {folder}: stop it, or give this '
                'one a [qga_agent]state_path of its own'
            ) from None
        path = folder / 'journal.db'
        # SQLite gives its other files the mode of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        return path

    def _set_up(self) -> None:
        self._database.execute('PRAGMA journal_mode = WAL')
        self._database.execute('PRAGMA synchronous = FULL')
        [version] = self._database.execute('PRAGMA user_version').fetchone()
        if version > _VERSION:
            raise errors.ConfigurationError(
                'the journal in [qga_agent]state_path was made by a newer '
                'nova-qga: upgrade this one, or move the journal away'
            )
        self._database.execute(_SCHEMA)
        self._database.execute(f'PRAGMA user_version = {_VERSION}')

    def _end_interrupted(self) -> list[Record]:
        rows = self._database.execute(
            'SELECT * FROM requests WHERE state = ?', (RUNNING,)
        ).fetchall()
        ended = [
            _record(row)._replace(state=UNKNOWN, error=_INTERRUPTED)
            for row in rows
        ]
        for record in ended:
            self.finish(record)
        return ended

    def _find(self, request_id: str) -> Record | None:
        if request_id in self._unwritten:
            return self._unwritten[request_id]
        try:
            row = self._database.execute(
                'SELECT * FROM requests WHERE request_id = ?', (request_id,)
            ).fetchone()
        except sqlite3.Error as error:
            raise errors.ServiceUnavailable(
                f'nova-qga-agent cannot read its journal: {error}'
            ) from None
        return None if row is None else _record(row)

    def _clean(self) -> None:
        """Forget what is long over, now and then."""
        if self._begun % _CLEANED_EVERY == 0:
            self._database.execute(
                'DELETE FROM requests WHERE ended IS NOT NULL '
                'AND max(ended, expires) < ?',
                (time.time() - KEPT,),
            )
        self._begun += 1


def _dump(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(dict(value))


def _record(row: tuple[Any, ...]) -> Record:
    request_id, operation, instance_uuid, state, channel = row[:5]
    error, counts = (
        None if dumped is None else json.loads(dumped) for dumped in row[5:7]
    )
    return Record(
        request_id, operation, instance_uuid, state, channel, error, counts
    )
