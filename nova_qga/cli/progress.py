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

"""Show how far a long transfer has come, where somebody watches."""

from collections.abc import Callable
import contextlib
from typing import TextIO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich import progress as rich_progress

#: Bytes from which on it takes long enough to be watched.
LONG = 4 * 1024 * 1024


class Progress(contextlib.AbstractContextManager['Progress']):
    """A bar on standard error, or nothing.

    :param size: bytes in all; None where only the end will tell
    """

    def __init__(self, stderr: TextIO, what: str, size: int | None) -> None:
        self._stderr = stderr
        self._what = what
        self._size = size
        self._wanted = stderr.isatty()
        self._advance: Callable[[int], None] | None = None
        self._open = contextlib.ExitStack()

    def __enter__(self) -> 'Progress':
        if self._size is not None and self._size > LONG:
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def advance(self, done: int) -> None:
        """Note how many bytes were carried so far."""
        if self._size is None and done >= LONG:
            self._start()
        if self._advance is not None:
            self._advance(done)

    def _start(self) -> None:
        if not self._wanted or self._advance is not None:
            return
        bar = self._open.enter_context(_bar(self._stderr))
        task = bar.add_task(self._what, total=self._size)
        self._advance = lambda done: bar.update(task, completed=done)


def _bar(stderr: TextIO) -> 'rich_progress.Progress':
    # It takes its time to load, and most transfers are short.
    from rich import console
    from rich import progress

    return progress.Progress(
        progress.TextColumn('{task.description}', markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        console=console.Console(file=stderr),
        transient=True,
    )
