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

"""Ask hosts again and again, beside what is shown of them.

Each has a pace of its own: one that does not answer holds up no other, and is
asked more and more seldom until it does.
"""

from collections.abc import Callable, Mapping, Sequence
import threading
import time
from typing import Any, NamedTuple

from nova_qga.cli import outcome
from nova_qga import errors

#: Hosts that are asked at the same time.
AT_ONCE = 16
#: Seconds between two questions to a host that does not answer, at most.
LONGEST_PAUSE = 60.0

_EXPECTED = (outcome.Failure, errors.QgaError, OSError)

Result = Mapping[str, Any]


class Told(NamedTuple):
    """What is known of a host.

    :ivar result: of the last question; None where it was not answered
    :ivar age: seconds since it was answered
    :ivar error: why it was not
    :ivar waiting: seconds for which the next question has been under way
    :ivar asked: questions that have ended
    """

    result: Result | None
    age: float
    error: str | None
    waiting: float
    asked: int


class _Asked:
    """One host."""

    def __init__(self, due: float) -> None:
        self.due = due
        self.since: float | None = None
        self.asked = 0
        self.failures = 0
        self.result: Result | None = None
        self.error: str | None = None
        self.at = 0.0


class Feed:
    """Questions to hosts, and their last answers.

    :param question: asks the host of a name
    :param interval: seconds between two questions to a host
    :param on_change: called from any thread when there is something new
    :param count: questions to each host; None for no end
    :param delay: seconds until the first one
    """

    def __init__(
        self,
        names: Sequence[str],
        question: Callable[[str], Result],
        interval: float,
        on_change: Callable[[], None],
        count: int | None = None,
        delay: float = 0.0,
    ) -> None:
        self._question = question
        self._interval = interval
        self._on_change = on_change
        self._count = count
        self._changed = threading.Condition()
        now = time.monotonic()
        self._hosts = {name: _Asked(now + delay) for name in names}
        self._fault: Exception | None = None

    def start(self) -> None:
        """Begin to ask; it ends with the program."""
        for _ in range(min(AT_ONCE, len(self._hosts))):
            threading.Thread(
                target=self._work, name='qga-feed', daemon=True
            ).start()

    def ask_again(self) -> None:
        """Ask all now, as soon as they have answered what they are asked."""
        with self._changed:
            for host in self._hosts.values():
                host.due = 0.0
            self._changed.notify_all()

    @property
    def over(self) -> bool:
        """All were asked as often as they were to be."""
        with self._changed:
            return self._over()

    def _over(self) -> bool:
        return self._count is not None and all(
            host.asked >= self._count for host in self._hosts.values()
        )

    def wait(self) -> None:
        """Wait until it is over."""
        with self._changed:
            self._changed.wait_for(self._over)

    def told(self) -> dict[str, Told]:
        """Return what is known of each host by now."""
        now = time.monotonic()
        with self._changed:
            if self._fault is not None:
                raise self._fault
            return {
                name: Told(
                    host.result,
                    now - host.at,
                    host.error,
                    0.0 if host.since is None else now - host.since,
                    host.asked,
                )
                for name, host in self._hosts.items()
            }

    def _work(self) -> None:
        while True:
            name, host = self._next()
            result = error = None
            try:
                result = self._question(name)
            except _EXPECTED as failure:
                error = outcome.safe(str(failure))
            except Exception as fault:
                self._fault = fault
            self._note(host, result, error)
            self._on_change()

    def _next(self) -> tuple[str, _Asked]:
        """Wait until a host is to be asked."""
        with self._changed:
            while True:
                waiting = [
                    (host.due, name)
                    for name, host in self._hosts.items()
                    if host.since is None and host.asked != self._count
                ]
                now = time.monotonic()
                if waiting and min(waiting)[0] <= now:
                    name = min(waiting)[1]
                    host = self._hosts[name]
                    host.since = now
                    return name, host
                self._changed.wait(min(waiting)[0] - now if waiting else None)

    def _note(
        self, host: _Asked, result: Result | None, error: str | None
    ) -> None:
        with self._changed:
            began = host.since or 0.0
            host.since = None
            host.asked += 1
            host.at = time.monotonic()
            host.result, host.error = result, error
            host.failures = 0 if error is None else host.failures + 1
            pause = self._interval * 2.0 ** min(host.failures, 8)
            if host.failures:
                pause = max(self._interval, min(pause, LONGEST_PAUSE))
            host.due = began + pause
            self._changed.notify_all()
