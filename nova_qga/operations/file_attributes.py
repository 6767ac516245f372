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

"""Make an empty file with a mode and an owner, before anything is in it.

The agent makes files that every account may read, and whoever has opened one
meanwhile keeps reading. So the file is made anew by programs of the guest,
under another name and for root alone, gets its mode and owner, and then takes
the place of what was there: nobody could ever have opened it. No shell is in
between, and no argument but the path, the mode and the owner.

Source: mktemp(1), chmod(1), chown(1) and mv(1) of GNU coreutils and busybox.
"""

import base64
import contextlib
import re
import time
from typing import Any, NamedTuple

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga.operations import execution
from nova_qga import text

#: Characters of the name of an account or a group.
MAX_NAME = 256
#: For scripts: why nothing was written.
NOT_SET = 'attributes_not_set'

_MODE = re.compile(r'[0-7]{3,4}')
#: Seconds for each program.
_PATIENCE = 10.0
#: What mktemp puts in place of it.
_RANDOM = 'XXXXXXXXXX'


class Attributes(NamedTuple):
    """What a file is to have; None leaves it as it comes.

    :ivar mode: octal digits
    :ivar owner: name or number, as is ``group``
    """

    mode: str | None = None
    owner: str | None = None
    group: str | None = None


class _Unset(Exception):
    """It could not be done; the text says why."""


def check(wanted: Attributes, offset: int) -> None:
    """Refuse what no file can have.

    :raises InvalidRequest: the message says what
    """
    if any(wanted) and offset:
        raise errors.InvalidRequest(
            'mode, owner and group go with the beginning of a file: offset '
            'must be 0'
        )
    if wanted.mode is not None and not _MODE.fullmatch(wanted.mode):
        raise errors.InvalidRequest(
            'mode must be 3 or 4 octal digits, such as 0600'
        )
    for what, name in (('owner', wanted.owner), ('group', wanted.group)):
        if name is not None and not _is_name(name):
            raise errors.InvalidRequest(
                f'{what} must be a name or a number, without colons and '
                'spaces, and begin with no dash'
            )


def prepare(
    agent: operations_agent.Agent,
    *,
    path: str,
    wanted: Attributes,
    best_effort: bool,
    timeout: float,
) -> dict[str, Any]:
    """Put an empty file with these attributes where the path leads.

    :param best_effort: go on where they cannot be set
    :param timeout: seconds for all of it
    :returns: ``mode_set`` and ``owner_set``, of these what was wanted, and
        ``not_set``: why it is not, or None
    :raises CommandUnsupported: the agent blocks or lacks guest-exec
    :raises OperationFailed: it could not be done; the file is as before
    :raises OutcomeUnknown: the answer to a step never came
    """
    programs = _Programs(agent, time.monotonic() + timeout)
    told = _told(wanted)
    try:
        agent.require('guest-exec', 'guest-exec-status')
        told['not_set'] = _make(programs, path, wanted, told, best_effort)
    except (_Unset, errors.CommandUnsupported) as error:
        if not best_effort:
            raise _refused(path, error) from None
        told = {**dict.fromkeys(told, False), 'not_set': str(error)}
    except errors.OutcomeUnknown as error:
        raise errors.OutcomeUnknown(
            f'{text.printable(path)}: nothing was written; it was to get its '
            f'mode and owner first, and {error}',
            error.pid,
        ) from None
    return told


def _is_name(name: str) -> bool:
    return (
        0 < len(name) <= MAX_NAME
        and name.isprintable()
        and not name.startswith('-')
        and not any(char in ': ' for char in name)
    )


def _told(wanted: Attributes) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if wanted.mode is not None:
        told['mode_set'] = True
    if wanted.owner is not None or wanted.group is not None:
        told['owner_set'] = True
    return told


def _refused(path: str, error: Exception) -> errors.QgaError:
    way_out = (
        'nothing was written, for mode and owner cannot be set; with '
        'best_effort (--best-effort) it is written all the same, and every '
        'account of the guest may be able to read it'
    )
    if isinstance(error, errors.CommandUnsupported):
        error.hint = way_out
        return error
    return errors.OperationFailed(
        f'{text.printable(path)}: {error}; {way_out}', reason=NOT_SET
    )


def _make(
    programs: '_Programs',
    path: str,
    wanted: Attributes,
    told: dict[str, Any],
    best_effort: bool,
) -> str | None:
    """Make the file; return what could not be set, where that may be."""
    if not path.startswith('/'):
        raise _Unset('files of Windows have no mode and no such owner')
    made = programs.make_beside(path)
    not_set = []
    try:
        for what, command in (
            ('mode_set', _chmod(wanted)),
            ('owner_set', _chown(wanted)),
        ):
            try:
                if command:
                    programs.run(*command, '--', made)
            except _Unset as error:
                if not best_effort:
                    raise
                told[what] = False
                not_set.append(str(error))
        # Else it would go into what is a directory.
        programs.run('mv', '-fT', '--', made, path)
    except _Unset:
        programs.remove(made)
        raise
    return '; '.join(not_set) or None


def _chmod(wanted: Attributes) -> tuple[str, ...]:
    return () if wanted.mode is None else ('chmod', wanted.mode)


def _chown(wanted: Attributes) -> tuple[str, ...]:
    owner = wanted.owner or ''
    if wanted.group is not None:
        owner = f'{owner}:{wanted.group}'
    return ('chown', owner) if owner else ()


class _Programs:
    """Programs of the guest, until a deadline."""

    def __init__(self, agent: operations_agent.Agent, deadline: float) -> None:
        self._agent = agent
        self._deadline = deadline

    def run(self, *command: str) -> str:
        """Run a program and return what it wrote.

        :raises _Unset: it is not there, or failed
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise _Unset('no time was left to set mode and owner')
        try:
            ended = execution.execute(
                self._agent, command=command, timeout=min(_PATIENCE, left)
            )
        except errors.CommandError as error:
            raise _Unset(f'{command[0]} was not run: {error}') from None
        if ended['exit_code'] != 0:
            said = base64.b64decode(ended['stderr']).decode(errors='replace')
            raise _Unset(
                f'{command[0]} failed in the guest: '
                f'{text.printable(said.strip())}'
            )
        return base64.b64decode(ended['stdout']).decode(errors='replace')

    def make_beside(self, path: str) -> str:
        """Make an empty file for root alone; return its name."""
        template = f'{path}.{_RANDOM}'
        try:
            made = self.run('mktemp', template).removesuffix('\n')
        except _Unset as error:
            raise _Unset(
                'no file could be made beside it, is there such a folder? '
                f'{error}'
            ) from None
        start = template.removesuffix(_RANDOM)
        random = made.removeprefix(start)
        if not made.startswith(start) or not re.fullmatch(
            r'[A-Za-z0-9]{10}', random
        ):
            raise _Unset('mktemp named another file than it was to make')
        return made

    def remove(self, made: str) -> None:
        """Remove it again; that it failed is told already."""
        with contextlib.suppress(_Unset, errors.QgaError):
            self.run('rm', '-f', '--', made)
