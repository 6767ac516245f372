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

"""How a command ends: its result, or one line and an exit code.

Whatever comes from a host or a guest passes here before it is shown, so that
no terminal escape, line break or bidirectional mark reaches a screen.
"""

from collections.abc import Mapping
import enum
from typing import Any

from nova_qga import errors


class ExitCode(enum.IntEnum):
    """What a script can act on; documented in doc/source/user/cli.rst."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_GUEST = 3
    NO_SERVICE = 4
    UNKNOWN = 5
    NOT_RUN = 6
    PARTIAL = 7


_BY_CODE = {
    errors.InvalidRequest.code: ExitCode.USAGE,
    errors.ConfigurationError.code: ExitCode.USAGE,
    errors.Denied.code: ExitCode.NOT_RUN,
    errors.UnknownKey.code: ExitCode.NOT_RUN,
    errors.GuestNotFound.code: ExitCode.NO_GUEST,
    errors.GuestUnavailable.code: ExitCode.NO_GUEST,
    # Nothing was run, so it is as with a guest that cannot be reached.
    errors.ChannelError.code: ExitCode.NO_GUEST,
    errors.ChannelBusy.code: ExitCode.NO_GUEST,
    errors.ChannelClosed.code: ExitCode.NO_GUEST,
    errors.ChannelTimeout.code: ExitCode.NO_GUEST,
    errors.ServiceUnavailable.code: ExitCode.NO_SERVICE,
    errors.OutcomeUnknown.code: ExitCode.UNKNOWN,
}
_BY_STATE = {
    'unknown': ExitCode.UNKNOWN,
    'expired': ExitCode.NOT_RUN,
    'denied': ExitCode.NOT_RUN,
}


class Failure(Exception):
    """A command failed, and the message says why and what to do next.

    :ivar done: bytes (or items) that were done all the same
    """

    def __init__(
        self, message: str, exit_code: ExitCode, done: int = 0
    ) -> None:
        super().__init__(safe(message))
        self.exit_code = exit_code
        self.done = done


def exit_code(error: Exception) -> ExitCode:
    """Return the exit code that an error stands for."""
    if isinstance(error, Failure):
        return error.exit_code
    if isinstance(error, errors.QgaError):
        return _BY_CODE.get(error.code, ExitCode.FAILED)
    return ExitCode.FAILED


def check(outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an outcome that succeeded, its strings safe to show.

    :raises Failure: it did not succeed
    """
    state = outcome.get('state')
    if state == 'succeeded':
        cleaned: Mapping[str, Any] = _clean(outcome)
        return cleaned
    error = outcome.get('error') or {}
    code = _BY_STATE.get(str(state))
    if code is None:
        code = _BY_CODE.get(str(error.get('code')), ExitCode.FAILED)
    message = str(error.get('message') or f'the request ended as {state}')
    if state == 'unknown':
        message = f'{message} (request {outcome.get("request_id")})'
    raise Failure(message, code, done=int(error.get('done') or 0))


def result(outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the result of an outcome that succeeded.

    :raises Failure: it did not succeed
    """
    found: Mapping[str, Any] = check(outcome).get('result') or {}
    return found


def safe(text: str) -> str:
    """Escape what is not printable.

    Backslashes stay single: agents have escaped names already, and a second
    time would change them.
    """
    if text.isprintable():
        return text
    return ''.join(
        char
        if char.isprintable()
        else char.encode('unicode_escape', 'replace').decode('ascii')
        for char in text
    )


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, Mapping):
        return {safe(str(key)): _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return value
