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


"""Do one thing to many guests, some at a time, and stop where it goes wrong.

What is under way as the failures become too many still ends, and is told.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
import threading
from typing import Any, NamedTuple, TYPE_CHECKING

from nova_qga.cli import outcome
from nova_qga import errors

if TYPE_CHECKING:
    from nova_qga.cli import target as cli_target

#: Guests that are worked on at the same time, unless said otherwise.
AT_ONCE = 8
#: Seconds after which Ctrl-C is noticed, at the latest.
_AWAKE = 0.5

Result = Mapping[str, Any]


class Done(NamedTuple):
    """What came of one guest.

    :ivar result: None where it failed, or was not begun
    :ivar error: why; None where it was done, or not begun
    """

    result: Result | None
    error: Exception | None


def add_at_once(parser: argparse.ArgumentParser) -> None:
    """Add the option that says on how many guests to work at once."""
    parser.add_argument(
        '--at-once',
        metavar='<number>',
        type=count,
        default=AT_ONCE,
        help=f'Guests to work on at once (default: {AT_ONCE})',
    )


def count(text: str) -> int:
    """Return a number of guests that an argument says."""
    if text.isascii() and text.isdecimal() and 0 < int(text[:9]) < 10_000:
        return int(text)
    raise argparse.ArgumentTypeError(f'{text!r} is no number from 1 to 9999')


def apply(
    targets: 'Sequence[cli_target.Target]',
    work: 'Callable[[cli_target.Target], Result]',
    *,
    at_once: int,
    max_failures: int,
) -> list[Done]:
    """Do it to each guest, and return what came of it, in their order.

    Nothing more is begun after a first Ctrl-C; a second one leaves at once.

    :param max_failures: nothing more is begun after so many
    """
    run = _Run(targets, work, max_failures)
    for _ in range(min(at_once, len(targets))):
        threading.Thread(
            target=run.work, name='qga-fleet', daemon=True
        ).start()
    _wait(run)
    done = [run.ended[number] for number in range(len(targets))]
    for each in done:
        expected = (outcome.Failure, errors.QgaError, OSError)
        if each.error is not None and not isinstance(each.error, expected):
            raise each.error
    return done


def _wait(run: '_Run') -> None:
    """Wait until it is over; no result is lost where that is interrupted."""
    stopping = False
    while True:
        try:
            run.begin.set()
            # A signal that comes just before a wait does not end it.
            while not run.over.wait(_AWAKE):
                pass
        except KeyboardInterrupt:
            if stopping:
                raise
            stopping = True
            run.stop()
        else:
            return


class _Run:
    """What is done, shared by threads.

    :ivar begin: set when work may begin
    :ivar over: set when all have ended
    :ivar ended: numbers of targets, and what came of each
    """

    def __init__(
        self,
        targets: 'Sequence[cli_target.Target]',
        work: 'Callable[[cli_target.Target], Result]',
        max_failures: int,
    ) -> None:
        self.begin = threading.Event()
        self.over = threading.Event()
        self.ended: dict[int, Done] = {}
        self._targets = targets
        self._work = work
        self._lock = threading.Lock()
        self._next = 0
        self._failures_left = max_failures
        if not targets:
            self.over.set()

    def stop(self) -> None:
        """Begin nothing more."""
        with self._lock:
            self._failures_left = 0

    def work(self) -> None:
        """Work until nothing is left to begin."""
        self.begin.wait()
        while (number := self._take()) is not None:
            ended = self._do(number)
            with self._lock:
                self.ended[number] = ended
                if len(self.ended) == len(self._targets):
                    self.over.set()

    def _take(self) -> int | None:
        with self._lock:
            number = self._next
            self._next += 1
        return number if number < len(self._targets) else None

    def _do(self, number: int) -> Done:
        with self._lock:
            if self._failures_left <= 0:
                return Done(None, None)
        try:
            return Done(self._work(self._targets[number]), None)
        except Exception as error:
            with self._lock:
                self._failures_left -= 1
            return Done(None, error)
