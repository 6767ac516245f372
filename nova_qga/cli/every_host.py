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

"""Ask many hosts at once; one that does not answer spoils no other's answer.

Not with a pool of concurrent.futures, which would not let Ctrl-C end the
program before its last host has answered.
"""

from collections.abc import Callable, Mapping, Sequence
import logging
import queue
import threading
from typing import Any, NamedTuple, TYPE_CHECKING

from nova_qga.cli import outcome
from nova_qga import errors

if TYPE_CHECKING:
    from nova_qga.rpc import api as rpc_api

#: Hosts that are asked at the same time.
AT_ONCE = 16
#: Hosts that one line of an error names.
MAX_NAMED = 10

Result = Mapping[str, Any]


class Hosts(NamedTuple):
    """Hosts to ask.

    :ivar left_out: host -> why it is not asked
    """

    api: 'rpc_api.Api'
    names: Sequence[str]
    left_out: Mapping[str, str]


class Answers(NamedTuple):
    """What hosts answered.

    :ivar results: host -> its result, by name
    :ivar missing: host -> why there is none, by name
    """

    results: Mapping[str, Result]
    missing: Mapping[str, str]

    @property
    def exit_code(self) -> outcome.ExitCode:
        """Whether all answered."""
        if self.missing:
            return outcome.ExitCode.PARTIAL
        return outcome.ExitCode.OK


def ask(
    hosts: Hosts,
    question: Callable[['rpc_api.Api', str], Result],
    log: logging.Logger,
) -> Answers:
    """Ask hosts, and log which gave no answer.

    :param question: asks the host of a name
    :raises Failure, QgaError: no host answered
    """
    names, left_out = hosts.names, hosts.left_out

    def asked(name: str) -> Result:
        return question(hosts.api, name)

    if len(names) == 1 and not left_out:
        return Answers({names[0]: asked(names[0])}, {})
    answers = _ask_all(names, asked)
    results, missing = {}, dict(left_out)
    failed: list[Exception] = []
    for name in sorted(answers):
        answer = answers[name]
        if isinstance(answer, Exception):
            failed.append(answer)
            missing[name] = outcome.safe(str(answer))
        else:
            results[name] = answer
    _tell(missing, log)
    if not results:
        raise outcome.Failure(
            f'none of {len(missing)} hosts answered',
            outcome.exit_code(failed[0])
            if failed
            else outcome.ExitCode.NO_SERVICE,
        )
    return Answers(results, dict(sorted(missing.items())))


def _ask_all(
    names: Sequence[str], question: Callable[[str], Result]
) -> dict[str, Result | Exception]:
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    ended: queue.SimpleQueue[tuple[str, Result | Exception]] = (
        queue.SimpleQueue()
    )
    for name in names:
        waiting.put(name)

    def work() -> None:
        while True:
            try:
                name = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                ended.put((name, question(name)))
            except Exception as error:
                ended.put((name, error))

    for _ in range(min(AT_ONCE, len(names))):
        threading.Thread(target=work, name='qga-ask', daemon=True).start()
    answers = dict(ended.get() for _ in names)
    for error in answers.values():
        expected = (outcome.Failure, errors.QgaError, OSError)
        if isinstance(error, Exception) and not isinstance(error, expected):
            raise error
    return answers


def _tell(missing: Mapping[str, str], log: logging.Logger) -> None:
    for line in fates(missing):
        log.warning('%s', line)


def fates(missing: Mapping[str, str]) -> list[str]:
    """Say why hosts gave no answer, those of the same fate in one line.

    :param missing: host -> why
    """
    same: dict[str, list[str]] = {}
    for name, reason in sorted(missing.items()):
        same.setdefault(reason, []).append(name)
    lines = []
    for reason, names in same.items():
        more = len(names) - MAX_NAMED
        shown = ', '.join(names[:MAX_NAMED])
        others = f' and {more} more' if more > 0 else ''
        lines.append(f'No answer of {shown}{others}: {reason}')
    return lines
