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

"""Run a program in a guest and wait for its end.

There is no shell in between: what is given is an argument, whatever it holds.
The agent writes the arguments to the guest's log, so no secret may be among
them; standard input is for those.

Source: qga/commands.c of QEMU 10.0, qmp_guest_exec().
"""

import base64
from collections.abc import Sequence
import re
import time
from typing import Any

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga.operations import guest_words
from nova_qga.protocol import execution

#: Arguments, and characters of each.
MAX_ARGUMENTS = 256
MAX_ARGUMENT = 4096
#: Variables, and characters of each.
MAX_VARIABLES = 64
MAX_VARIABLE = 4096
#: Bytes of standard input, and of each stream that is returned.
MAX_INPUT = 1024 * 1024
MAX_OUTPUT = 1024 * 1024

#: Seconds between two questions: at first, and at most.
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
#: Seconds kept for the last question.
_LAST_QUESTION = 0.25

_VARIABLE = re.compile(r'[A-Za-z_][A-Za-z0-9_]*=')


def check(command: Sequence[str], environment: Sequence[str]) -> None:
    """Refuse what no program can be given.

    :raises InvalidRequest: the message names it
    """
    if not command or not command[0]:
        raise errors.InvalidRequest(
            'command must begin with the path of a program'
        )
    if any('\0' in word for word in (*command, *environment)):
        raise errors.InvalidRequest('command and env can hold no NUL')
    if not all(_VARIABLE.match(each) for each in environment):
        raise errors.InvalidRequest('env must be a list of NAME=value')


def execute(
    agent: operations_agent.Agent,
    *,
    command: Sequence[str],
    environment: Sequence[str] = (),
    data: bytes = b'',
    capture: bool = True,
    timeout: float,
) -> dict[str, Any]:
    """Run a program and return how it ended.

    :param command: path and arguments
    :param data: its standard input
    :param timeout: seconds for all of it
    :returns: ``pid``; ``exit_code`` or ``signal``, the other is None;
        ``stdout`` and ``stderr`` in base64, with ``stdout_truncated`` and
        ``stderr_truncated``
    :raises InvalidRequest: no program can be given this; nothing was run
    :raises CommandUnsupported: the agent blocks or lacks the commands
    :raises CommandError: the guest refused: there may be no such program
    :raises OutcomeUnknown: it may have been started; or it was, and has not
        ended in time, or its end could not be read
    """
    check(command, environment)
    # A program of which the end cannot be asked for is not started.
    agent.require('guest-exec', 'guest-exec-status')
    deadline = time.monotonic() + timeout
    asked = execution.execute(
        command[0],
        command[1:],
        environment=environment,
        data=data,
        capture=capture,
    )
    try:
        pid = agent.execute(asked)
    except errors.CommandUnsupported:
        raise
    except errors.CommandError as error:
        # Its arguments stand in the guest's log anyway.
        given = [each.partition('=')[2] for each in environment]
        given.append(data.decode(errors='replace'))
        raise guest_words.checked(error, guest_words.texts(given)) from None
    return {'pid': pid, **_result(_wait(agent, pid, deadline))}


def _wait(
    agent: operations_agent.Agent, pid: int, deadline: float
) -> execution.Status:
    pause = _FIRST_PAUSE
    while True:
        try:
            status = agent.execute(execution.get_status(pid))
        except errors.QgaError as error:
            raise errors.OutcomeUnknown(
                f'the program was started as process {pid}, and how it ends '
                f'cannot be told ({error}): look for it in the guest. One '
                'that writes more than 2 MiB must write to a file there, to '
                'be got from the guest afterwards',
                pid,
            ) from None
        if status.exited:
            return status
        left = deadline - _LAST_QUESTION - time.monotonic()
        if left <= 0:
            raise errors.OutcomeUnknown(
                f'the program was started as process {pid} and has not ended '
                'in time; it runs on in the guest: look for it there. More '
                'time takes a longer --timeout and a longer '
                '[qga_agent]operation_timeout of its host',
                pid,
            )
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)


def _result(status: execution.Status) -> dict[str, Any]:
    return {
        'exit_code': status.exit_code,
        'signal': status.signal,
        'stdout': base64.b64encode(status.stdout[:MAX_OUTPUT]).decode(),
        'stderr': base64.b64encode(status.stderr[:MAX_OUTPUT]).decode(),
        'stdout_truncated': status.stdout_truncated
        or len(status.stdout) > MAX_OUTPUT,
        'stderr_truncated': status.stderr_truncated
        or len(status.stderr) > MAX_OUTPUT,
    }
