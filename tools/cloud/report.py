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

"""Count and tell what the checks gave.

A scenario is a generator that yields the name of each check before it does
it, and raises where the cloud is not as promised. What would have come after
that cannot be checked any more and is told as one skipped check.
"""

from collections.abc import Iterator
import pathlib
import time
import traceback


class NotAsPromised(Exception):
    """A check failed: what was expected, and what is there instead."""


class Report:
    """The tally of a run.

    :param log: file that gets all lines, and the tracebacks
    """

    def __init__(self, log: pathlib.Path) -> None:
        self._log = log
        self._began = time.monotonic()
        self.passed = self.failed = self.skipped = 0

    def say(self, text: str) -> None:
        """Tell something, with the seconds since the run began."""
        since = time.monotonic() - self._began
        line = f'[{since:7.1f} s] {text}'
        print(line, flush=True)
        self.note(line)

    def note(self, text: str) -> None:
        """Write something into the log alone."""
        with self._log.open('a') as log:
            log.write(f'{text}\n')

    def run(self, name: str, checks: Iterator[str]) -> None:
        """Run a scenario; whatever it raises ends it, and nothing else."""
        check = 'it begins'
        began = time.monotonic()
        while True:
            try:
                following = next(checks, None)
            except Exception as error:
                self._tell('FAILED', began, name, check)
                self.note(traceback.format_exc())
                self.say(f'    {type(error).__name__}: {error}')
                self.failed += 1
                self.say(f'skipped            {name}: what comes after that')
                self.skipped += 1
                return
            if check != 'it begins':
                self._tell('passed', began, name, check)
                self.passed += 1
            if following is None:
                return
            check, began = following, time.monotonic()

    def _tell(self, how: str, began: float, name: str, check: str) -> None:
        seconds = time.monotonic() - began
        self.say(f'{how} {seconds:6.1f} s  {name}: {check}')

    @property
    def tally(self) -> str:
        """The last line."""
        return (
            f'{self.passed} passed, {self.failed} failed, '
            f'{self.skipped} skipped'
        )
