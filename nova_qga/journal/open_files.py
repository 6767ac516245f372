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

"""The files that are kept open in guests, known again after a crash.

A file that was forgotten open in a guest stays so until its agent ends, and
an agent that holds about 1,000 can open no more. What is noted here is taken
over, or closed, by the next start. A handle names one file as long as the
guest runs: its agent counts on over its own restarts, and may begin again
when the guest boots.

To note something waits for no disk: all that came within a fraction of a
second is written in one transaction, by a thread of its own. A crash loses
what came within that fraction, :data:`DELAY` and the time of one write, and
nothing older. While the journal cannot be used, the last word on each guest
waits for it.

It opens and closes nothing in a guest, and does not tell whether the guest
still runs the boot that an entry is of.

Source: qga/main.c of QEMU, ga_get_fd_handle() and its persistent state.
"""

from collections.abc import Mapping
import json
import sqlite3
import threading
from typing import NamedTuple

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.journal import database

LOG = logging.getLogger(__name__)

#: Seconds from the first word on a guest to the write.
DELAY = 0.2
#: Seconds between two attempts while the journal cannot be used.
PAUSE = 5.0
#: Entries that are kept; beyond, the oldest are forgotten.
MOST = 20_000


class Remembered(NamedTuple):
    """What is open over one channel of a guest.

    :ivar boot: names the boot of the guest in which the handles are good
    :ivar handles: path -> handle
    """

    boot: str
    handles: Mapping[str, int]


#: UUID of the guest and name of the channel.
Key = tuple[str, str]


class _News(NamedTuple):
    """What is to be written.

    :ivar gone: UUIDs of guests that are forgotten, before the rest
    :ivar noted: UUID -> channel -> what is open; None for nothing
    """

    gone: set[str]
    noted: dict[str, dict[str, Remembered | None]]


class OpenFiles:
    """The open files of one agent; may be used from any thread.

    :param most: entries that are kept
    """

    def __init__(self, journal: database.Database, most: int = MOST) -> None:
        self._database = journal
        self._most = most
        self._changed = threading.Condition()
        self._news = _News(set(), {})
        # Words that came so far; up to which was tried, and was written.
        self._said = self._tried = self._written = 0
        self._hurry = self._stopping = self._failing = False
        self._thread: threading.Thread | None = None

    def all(self) -> dict[Key, Remembered]:
        """Return what an earlier run has noted: for the start.

        Where the journal cannot be used it is nothing, and that is said.
        """
        try:
            with self._database.reading() as connection:
                rows = connection.execute(
                    'SELECT instance_uuid, channel, opened FROM open_files'
                ).fetchall()
        except errors.ServiceUnavailable as error:
            LOG.warning(
                'files that an earlier run has left open in guests stay '
                'open: %s',
                error,
            )
            return {}
        return {
            (uuid, channel): Remembered(*json.loads(opened))
            for uuid, channel, opened in rows
        }

    def note(
        self, uuid: str, channel: str, boot: str, handles: Mapping[str, int]
    ) -> None:
        """Note what is open over a channel now, instead of what was.

        :param boot: names the guest's boot
        :param handles: path -> handle; none to forget the entry
        """
        entry = Remembered(boot, dict(handles)) if handles else None
        with self._changed:
            if not self._stopping:
                self._news.noted.setdefault(uuid, {})[channel] = entry
                self._wake()

    def forget(self, uuid: str) -> None:
        """Forget a guest that has gone, with all its channels."""
        with self._changed:
            if not self._stopping:
                self._news.noted.pop(uuid, None)
                self._news.gone.add(uuid)
                self._wake()

    def flush(self, timeout: float) -> bool:
        """Write now; not for the loop's thread.

        :param timeout: seconds
        :returns: all that was said before is written
        """
        with self._changed:
            if self._written < self._said and not self._stopping:
                # One more try, also where the last one has failed.
                self._said += 1
                self._hurry = True
                self._changed.notify_all()
            said = self._said
            self._changed.wait_for(lambda: self._tried >= said, timeout)
            return self._written >= said

    def stop(self, timeout: float) -> None:
        """Write what is not yet written, and end; later words are lost.

        :param timeout: seconds
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def _wake(self) -> None:
        self._said += 1
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name='qga-open-files', daemon=True
            )
            self._thread.start()
        self._changed.notify_all()

    # On the thread, from here on.

    def _run(self) -> None:
        while self._step():
            pass

    def _step(self) -> bool:
        """Write what has come; False when all is done."""
        with self._changed:
            self._changed.wait_for(self._has_work)
            self._changed.wait_for(
                lambda: self._hurry or self._stopping,
                PAUSE if self._failing else DELAY,
            )
            said, self._hurry, last = self._said, False, self._stopping
            news, self._news = self._news, _News(set(), {})
        self._failing = not self._write_safely(news)
        with self._changed:
            self._tried = said
            if self._failing:
                self._put_back(news)
            else:
                self._written = said
            self._changed.notify_all()
        return not last

    def _has_work(self) -> bool:
        return self._written < self._said or self._stopping

    def _put_back(self, news: _News) -> None:
        """Keep what could not be written, where nothing newer is known."""
        for uuid, channels in news.noted.items():
            if uuid not in self._news.gone:
                newer = self._news.noted.get(uuid, {})
                self._news.noted[uuid] = {**channels, **newer}
        self._news.gone.update(news.gone)

    def _write_safely(self, news: _News) -> bool:
        """Write it; False where it is to be tried again."""
        try:
            self._write(news)
        except errors.ServiceUnavailable as error:
            if not self._failing:
                LOG.warning(
                    'files that are kept open in guests cannot be noted, and '
                    'stay open there if this process is killed: %s',
                    error,
                )
            return False
        except Exception:
            # What is ours to correct fails each time: the next goes on.
            LOG.exception('noting the files that are kept open in guests')
        return True

    def _write(self, news: _News) -> None:
        with self._database.transaction() as connection:
            connection.executemany(
                'DELETE FROM open_files WHERE instance_uuid = ?',
                [(uuid,) for uuid in news.gone],
            )
            for uuid, channels in news.noted.items():
                for channel, entry in channels.items():
                    _replace(connection, (uuid, channel), entry)
            self._prune(connection)

    def _prune(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            'DELETE FROM open_files WHERE number <= (SELECT number '
            'FROM open_files ORDER BY number DESC LIMIT 1 OFFSET ?)',
            (self._most,),
        )


def _replace(
    connection: sqlite3.Connection, key: Key, entry: Remembered | None
) -> None:
    if entry is None:
        connection.execute(
            'DELETE FROM open_files WHERE instance_uuid = ? AND channel = ?',
            key,
        )
    else:
        connection.execute(
            'REPLACE INTO open_files (instance_uuid, channel, opened) '
            'VALUES (?, ?, ?)',
            # As JSON, for a guest may have put into it what is no text.
            (*key, json.dumps(entry)),
        )
