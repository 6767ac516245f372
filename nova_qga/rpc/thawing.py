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

"""Thaw one guest, over the channel that froze it.

The agent that froze is the one that must say that its guest is thawed: until
then it refuses most commands. Where it does not answer, another one lets the
guest go on.
"""

from typing import Protocol

from nova_qga import errors
from nova_qga.guest import freeze_states
from nova_qga.journal import leases as journal_leases
from nova_qga.operations import freeze
from nova_qga.protocol import filesystems
from nova_qga.rpc import frozen_guests
from nova_qga.rpc import host as rpc_host

#: Kinds of channels, the preferred one first.
ORDER = ('standard', 'direct')


class Way(Protocol):
    """A way to a guest, for one request or the end of one lease."""

    @property
    def instance_uuid(self) -> str:
        """The guest's."""

    def left(self) -> float:
        """Return the seconds that are left."""

    def agent(self, *kinds: str) -> rpc_host.Agent:
        """Reach an agent on a channel of these kinds, the first at best."""


def thaw_ours(
    guests: frozen_guests.FrozenGuests, way: Way, lease: journal_leases.Lease
) -> int:
    """Thaw a guest that we froze; return how many filesystems were frozen.

    The lease stays; it is for the caller to end.

    :raises OperationFailed: it is thawed, and was not frozen to the end
    :raises QgaError: it is not known to be thawed
    """
    try:
        agent = way.agent(lease.channel)
    except errors.GuestUnavailable as error:
        if error.reason == 'no_agent':
            _relieve(guests, way, lease)
        raise
    try:
        return freeze.thaw(agent, expected=lease.frozen)
    except errors.OutcomeUnknown:
        # The next one may find that this one has thawed it.
        guests.note_thaw(lease)
        raise


def thaw_others(host: rpc_host.Host, way: Way) -> int:
    """Thaw a guest that somebody else has frozen, or nobody.

    :raises QgaError: it is not known to be thawed
    """
    states = host.freeze_states(way.instance_uuid, way.left())
    frozen = [
        each.channel for each in states if each.status == freeze_states.FROZEN
    ]
    if not frozen:
        # Filesystems may be frozen all the same, by no agent.
        return freeze.thaw(way.agent(*ORDER))
    return sum(freeze.thaw(way.agent(kind)) for kind in frozen)


def _relieve(
    guests: frozen_guests.FrozenGuests, way: Way, lease: journal_leases.Lease
) -> None:
    """Thaw it over another channel, so that the guest can go on.

    :raises OutcomeUnknown: it was; its own agent does not know
    """
    others = [kind for kind in ORDER if kind != lease.channel]
    try:
        agent = way.agent(*others)
        thawed = agent.execute(filesystems.thaw(), slow=True)
    except errors.QgaError:
        return
    if thawed:
        # Its own agent will find none, and that is as it should be.
        guests.note_thaw(lease)
        raise errors.OutcomeUnknown(
            f'{thawed} filesystems were thawed over the {agent.channel_kind} '
            f'channel, for the agent on the {lease.channel} one, which froze '
            'them, does not answer: it counts them as frozen until it does'
        )
