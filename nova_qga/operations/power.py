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

"""Shut a guest down from inside, or suspend it.

Its agent answers neither where it succeeds, and may be gone before it could.
So silence means nothing: what the host sees of the guest decides. A guest
that halts stays as it was for its host, so that nobody can tell.

Source: qga/commands-posix.c of QEMU 10.0, qmp_guest_shutdown() and
guest_suspend().
"""

from collections.abc import Callable, Mapping
import contextlib
import time
from typing import Any, Protocol

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga.protocol import command
from nova_qga.protocol import power

#: What a shutdown may end in.
SHUTDOWNS = ('powerdown', 'halt', 'reboot')
#: Where a suspended guest's memory goes.
SUSPENDS = ('ram', 'disk', 'hybrid')

#: Seconds for a refusal. Where it does what it is told, there is none.
PATIENCE = 5.0
#: The same for what is tried at length before it fails: to write all memory.
LONG_PATIENCE = 30.0
#: Seconds between two looks at the guest.
_PAUSE = 0.5

#: How the host sees a guest that has done it. One that is suspended to disk
#: ends as if it were powered off.
_SUSPENDED: Mapping[str, tuple[str, ...]] = {
    'ram': ('pmsuspended',),
    'disk': ('pmsuspended', 'shutoff'),
    'hybrid': ('pmsuspended',),
}


class Seen(Protocol):
    """A guest, as its host sees it."""

    @property
    def state(self) -> str:
        """libvirt's word: ``running``, ``shutoff`` ..."""

    @property
    def boots(self) -> int:
        """It counts starts and resets."""


#: Looks at the guest.
Look = Callable[[], Seen]


def shutdown(
    agent: operations_agent.Agent,
    *,
    mode: str,
    look: Look,
    left: Callable[[], float],
) -> dict[str, Any]:
    """Shut the guest down, and watch until it is.

    :param mode: one of :data:`SHUTDOWNS`
    :param left: returns the seconds that are left for all of it
    :returns: ``state``, in which its host sees it then
    :raises CommandError: the guest refused
    :raises OutcomeUnknown: it was told, and is not seen to have done it
    """
    asked = power.shutdown(mode)
    boots = _prepare(agent, asked, look)

    def is_done(seen: Seen) -> bool:
        if mode == 'reboot':
            return seen.boots != boots
        return seen.state == 'shutoff'

    _send(agent, asked, PATIENCE)
    return _watch(look, left, is_done, f'told to shut down ({mode})')


def suspend(
    agent: operations_agent.Agent,
    *,
    mode: str,
    look: Look,
    left: Callable[[], float],
) -> dict[str, Any]:
    """Suspend the guest, and watch until it is.

    :param mode: one of :data:`SUSPENDS`
    :param left: returns the seconds that are left for all of it
    :returns: ``state``, in which its host sees it then
    :raises CommandError: the guest refused, or cannot
    :raises OutcomeUnknown: it was told, and is not seen to have done it
    """
    asked = power.suspend(mode)
    _prepare(agent, asked, look)
    _send(agent, asked, PATIENCE if mode == 'ram' else LONG_PATIENCE)
    return _watch(
        look,
        left,
        lambda seen: seen.state in _SUSPENDED[mode],
        f'told to suspend ({mode})',
    )


def _prepare(
    agent: operations_agent.Agent, asked: command.Command[None], look: Look
) -> int:
    """Make sure that it can be sent and watched; return the guest's boots."""
    agent.require(asked.name)
    return look().boots


def _send(
    agent: operations_agent.Agent,
    asked: command.Command[None],
    patience: float,
) -> None:
    # Silence is what success sounds like.
    with contextlib.suppress(errors.OutcomeUnknown):
        agent.execute(asked, patience=patience)


def _watch(
    look: Look,
    left: Callable[[], float],
    is_done: Callable[[Seen], bool],
    told: str,
) -> dict[str, Any]:
    state = 'not known'
    while True:
        try:
            seen = look()
        except errors.GuestNotFound:
            raise errors.OutcomeUnknown(
                f'the guest was {told}, and has left this host since: look '
                'for it with "openstack server show"'
            ) from None
        except errors.QgaError as error:
            state = f'not known ({error})'
        else:
            if is_done(seen):
                return {'state': seen.state}
            state = seen.state
        rest = left()
        if rest <= 0:
            raise errors.OutcomeUnknown(
                f'the guest was {told}, and is not seen to have done it; its '
                f'state is {state}. It may be about to: look at its state '
                'again, and at its console, before you repeat it. A guest '
                'that takes its time needs a longer --timeout, and a longer '
                '[qga_agent]operation_timeout of its host'
            )
        time.sleep(min(_PAUSE, rest))
