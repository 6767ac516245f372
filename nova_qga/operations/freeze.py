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

"""Freeze a guest's filesystems, and thaw them.

Windows lets nobody hold its filesystems longer than 10 s: the freeze ends by
itself, the agent says ``frozen`` all the same, and the thaw is refused, after
which it says ``thawed``. What was copied after those 10 s is of no use, so
such a thaw has failed.

Source: requester_thaw() in qga/vss-win32/requester.cpp and
qmp_guest_fsfreeze_thaw() in qga/commands-win32.c and commands-linux.c of QEMU
10.0.
"""

from collections.abc import Sequence

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga.protocol import commands
from nova_qga.protocol import filesystems

#: Seconds for which a guest may be frozen.
SHORTEST = 1
LONGEST = 3600
DEFAULT = 60
#: Mount points in one request, and characters in one of them.
MOST = 256
MAX_PATH = 4096

EXPIRED = 'freeze_expired'

# What agents of Windows say; its end is in the language of the guest.
_LIMIT = 'fsfreeze is limited up to'


def check(mountpoints: Sequence[str] | None) -> None:
    """Refuse mount points that no guest has.

    :raises InvalidRequest: the message says what
    """
    if mountpoints is None:
        return
    if not mountpoints:
        raise errors.InvalidRequest(
            'name at least one mount point, or leave them out for all'
        )
    for each in mountpoints:
        # Those of Windows begin with a drive.
        if not (each.startswith('/') or each[1:2] == ':') or '\0' in each:
            raise errors.InvalidRequest('a mount point is an absolute path')


def check_agent(
    agent: operations_agent.Agent, mountpoints: Sequence[str] | None
) -> None:
    """Refuse a guest that could not be frozen, or not be thawed again.

    :raises CommandUnsupported: its agent lacks a command
    """
    agent.require(
        filesystems.freeze(mountpoints).name,
        'guest-fsfreeze-thaw',
        'guest-fsfreeze-status',
    )


def freeze(
    agent: operations_agent.Agent, mountpoints: Sequence[str] | None
) -> int:
    """Freeze filesystems, and return how many are.

    :param mountpoints: of these; None for all
    :raises CommandError: the guest refused; :func:`is_frozen` tells
    :raises OutcomeUnknown: it may be frozen, or may be later
    """
    return agent.execute(filesystems.freeze(mountpoints), slow=True)


def is_frozen(agent: operations_agent.Agent) -> bool:
    """Tell whether the agent counts as having frozen filesystems."""
    return agent.execute(commands.freeze_status()) == 'frozen'


def thaw(agent: operations_agent.Agent, *, expected: int | None = None) -> int:
    """Thaw all filesystems, and return how many were frozen.

    :param expected: how many were frozen; None where nobody knows
    :raises OperationFailed: it is thawed, and was not frozen to the end, or
        the guest has something to say of it
    :raises CommandError: the guest refused; it is frozen as before
    :raises OutcomeUnknown: it may be thawed
    """
    asked = filesystems.thaw()
    try:
        thawed = agent.execute(asked, slow=True)
    except errors.CommandUnsupported:
        raise
    except errors.CommandError as error:
        if is_frozen(agent):
            raise
        if _LIMIT in error.description:
            raise expired(
                'the guest held its filesystems frozen for 10 s, which is as '
                'long as Windows allows'
            ) from None
        raise errors.OperationFailed(
            f'the guest is thawed, and says: {error.description}'
        ) from None
    if expected and not thawed:
        raise expired(
            'the guest was frozen, and is not any more: it was reset, or '
            'somebody else has thawed it'
        )
    return thawed


def expired(why: str) -> errors.OperationFailed:
    """Return what a thaw ends with that came too late."""
    return errors.OperationFailed(
        f'{why}. What was copied of its disks meanwhile is not consistent',
        reason=EXPIRED,
    )
