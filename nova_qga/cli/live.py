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

"""Show something that changes, in place, and hear the keys that are pressed.

On the terminal's other screen, so that what stood there before stands there
again afterwards: also after Ctrl-C and SIGTERM, and while Ctrl-Z has stopped
the program. What was shown last is written below it.
"""

from collections.abc import Callable, Iterator
import contextlib
import os
import re
import select
import signal
import termios
import tty
from typing import Any, NamedTuple, Protocol, TextIO

from rich import console as rich_console
from rich import live

#: Seconds for which it stands at least, unless a key is pressed: many hosts
#: may answer one after the other.
PACE = 0.25
#: Seconds after which what is shown is made anew: ages have grown.
TICK = 1.0
#: Exit code of a program that was asked to end.
_SIGTERM = 143

#: What keys without a letter send, and the key that does the same.
_SEQUENCE = re.compile(r'\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])')
_SEQUENCES = {'\x1b[5~': 'b', '\x1b[6~': ' '}


class Size(NamedTuple):
    """Of the terminal, in characters."""

    width: int
    height: int


class View(Protocol):
    """What is shown."""

    @property
    def over(self) -> bool:
        """Nothing new comes any more."""

    def frame(self, size: Size, last: bool) -> rich_console.RenderableType:
        """Return how it looks now.

        :param last: it is written once, to stay
        """

    def press(self, key: str) -> None:
        """Take a key; q is not among them."""


class Live:
    """A terminal that shows a view."""

    def __init__(self, stdin: TextIO, stdout: TextIO) -> None:
        self._console = rich_console.Console(
            file=stdout, highlight=False, markup=False, emoji=False
        )
        # A pipe on standard input is somebody else's.
        self._keys = stdin.fileno() if stdin.isatty() else None
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._stopped = False

    def wake(self) -> None:
        """Have the view shown anew; from any thread."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._waker, b'.')

    @property
    def colored(self) -> bool:
        """There are colours."""
        console = self._console
        return console.color_system is not None and not console.no_color

    def run(self, view: View) -> None:
        """Show it until it is over, or somebody has seen enough."""
        try:
            while not view.over and not self._watch(view):
                # Ctrl-Z: the shell goes on, with its own screen.
                os.kill(os.getpid(), signal.SIGSTOP)
        except KeyboardInterrupt:
            # That is how it is ended.
            pass
        self.write(view)

    def write_last(self, view: View, announce: Callable[[], None]) -> None:
        """Write how it looks when it is over, or at Ctrl-C.

        :param announce: told first
        """
        with contextlib.suppress(KeyboardInterrupt):
            announce()
            while not view.over:
                select.select([self._woken], [], [])
                os.read(self._woken, 4096)
                # It takes what is new.
                view.frame(self._size(), True)
        self.write(view)

    def write(self, view: View) -> None:
        """Write how it looks now, to stay."""
        self._console.print(view.frame(self._size(), True))

    def _size(self) -> Size:
        return Size(*self._console.size)

    def _watch(self, view: View) -> bool:
        """Show it; tell whether it has ended, not just been stopped."""
        self._stopped = False
        with (
            self._signals(),
            _raw_keys(self._keys),
            live.Live(
                console=self._console,
                screen=True,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            ) as screen,
        ):
            while not view.over and not self._stopped:
                screen.update(view.frame(self._size(), False), refresh=True)
                if not self._hear(view):
                    return True
        return view.over

    def _hear(self, view: View) -> bool:
        """Wait for a key or for news; tell whether to go on."""
        keyboard = [] if self._keys is None else [self._keys]
        ready, _, _ = select.select(keyboard, [], [], PACE)
        if not ready:
            ready, _, _ = select.select([*keyboard, self._woken], [], [], TICK)
        if self._woken in ready:
            os.read(self._woken, 4096)
        if self._keys not in ready:
            return True
        typed = os.read(self._keys, 256).decode(errors='replace')
        keys = _SEQUENCE.sub(lambda found: _SEQUENCES.get(found[0], ''), typed)
        # Where there is nothing to read, the terminal is gone.
        if not typed or 'q' in keys:
            return False
        for key in keys:
            view.press(key)
        return True

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(*_: Any) -> None:
            self._stopped = True
            self.wake()

        def end(*_: Any) -> None:
            raise SystemExit(_SIGTERM)

        handlers = {signal.SIGTSTP: stop, signal.SIGTERM: end}
        before = {n: signal.signal(n, h) for n, h in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _raw_keys(descriptor: int | None) -> Iterator[None]:
    """Read keys as they are pressed, and show none."""
    if descriptor is None:
        yield
        return
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        # The terminal may be gone.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
