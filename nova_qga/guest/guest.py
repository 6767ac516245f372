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

"""One guest: what is known of it, and the channels to its agent."""

from collections.abc import Callable, Sequence
import time

from nova_qga import errors
from nova_qga.guest import description as guest_description
from nova_qga.protocol import replies
from nova_qga.transport import channel

RUNNING = 'running'
#: States in which there is no QEMU process, and so no channel.
OFF = ('shutoff', 'crashed', 'nostate')

#: What wakes a guest, where it is not a start.
_AWAKE = {'paused': 'unpause', 'pmsuspended': 'wake'}

#: Makes the channels that a description calls for, the preferred one first.
ChannelFactory = Callable[['Guest'], tuple[channel.Channel, ...]]


class Guest:
    """A guest of this host.

    It is made and changed by the directory; its channels belong to the
    loop's thread, everything else may be read from any thread.

    :ivar description: replaced as a whole when libvirt's XML changes
    :ivar state: libvirt's word: ``running``, ``paused``, ``shutoff`` ...
    :ivar epoch: counts reboots and restarts of agents; what an agent gave
        out before, such as file handles, is void after one
    :ivar boots: counts what libvirt tells of starts and resets
    :ivar opened: when it was last seen to have opened a port that had been
        closed; monotonic clock
    :ivar info: the agent's capabilities; None until asked, and again when an
        agent comes back
    :ivar frozen: we have frozen its filesystems, or may have
    """

    __slots__ = (
        '_make',
        'boots',
        'channels',
        'description',
        'epoch',
        'frozen',
        'info',
        'opened',
        'state',
    )

    def __init__(
        self,
        description: guest_description.Description,
        state: str,
        make_channels: ChannelFactory,
    ) -> None:
        self.description = description
        self.state = state
        self.epoch = 0
        self.boots = 0
        self.opened = 0.0
        self.info: replies.AgentInfo | None = None
        self.frozen = False
        self.channels: tuple[channel.Channel, ...] = ()
        self._make = make_channels
        if state not in OFF:
            self.channels = make_channels(self)

    @property
    def uuid(self) -> str:
        """The instance's UUID."""
        return self.description.uuid

    @property
    def alive(self) -> bool:
        """It has a QEMU process, running or paused."""
        return self.state not in OFF

    def forget_info(self) -> None:
        """Ask for capabilities anew: another agent may answer now."""
        self.info = None

    def restarted(self, booted: bool = False) -> None:
        """Note a reboot, or a restart of an agent.

        :param booted: the guest's system begins anew
        """
        self.boots += booted
        self.epoch += 1
        self.info = None
        self._retry()

    @property
    def answers(self) -> bool:
        """An agent answered when one was last asked."""
        return any(each.contacted for each in self.channels)

    def check_reachable(self) -> None:
        """Raise GuestUnavailable where no agent can answer, with why."""
        if self.state != RUNNING:
            raise errors.GuestUnavailable(
                self.state,
                f'guest {self.uuid} is {self.state}: '
                f'{_AWAKE.get(self.state, "start")} it, then try again',
            )
        if not self.channels:
            raise errors.GuestUnavailable(
                'no_channel',
                f'guest {self.uuid} has no guest-agent channel: it was '
                'started before nova-qga was enabled; reboot it hard',
            )

    def has_opened(self, asked: channel.Channel) -> bool:
        """Tell whether the guest has the channel's port open.

        It is taken for open where libvirt does not say.
        """
        port = self.description.port(asked.name)
        return port is not None and port.open is not False

    # On the loop's thread, from here on.

    def update(
        self, description: guest_description.Description, state: str
    ) -> None:
        """Take what libvirt says now; keep channels that have not changed."""
        # A pause keeps the connection: the answer comes after the resume.
        restarted = (self.state in OFF) != (state in OFF)
        moved = _paths(self.description) != _paths(description)
        opened = _open_ports(description) - _open_ports(self.description)
        if opened:
            self.opened = time.monotonic()
        # What failed during a pause was no fault of the agent's.
        back = opened or (state == RUNNING and self.state != RUNNING)
        self.description = description
        self.state = state
        if restarted or moved:
            self.close(errors.ChannelClosed('the guest was stopped or moved'))
            if state not in OFF:
                self.channels = self._make(self)
        elif back:
            self._retry()

    def _retry(self) -> None:
        for each in self.channels:
            each.retry()

    def candidates(self, kinds: Sequence[str] = ()) -> list[channel.Channel]:
        """Return the channels, the one that is likely to answer first.

        :param kinds: those alone, and of equals in this order
        """

        def unlikely(each: channel.Channel) -> tuple[bool, bool, int]:
            place = kinds.index(each.kind) if kinds else 0
            if each.contacted:
                return False, False, place
            return not self.has_opened(each), bool(each.failing), place

        wanted = [c for c in self.channels if not kinds or c.kind in kinds]
        return sorted(wanted, key=unlikely)

    def close(self, reason: errors.QgaError) -> None:
        """Close the channels and forget the agent."""
        closed, self.channels = self.channels, ()
        self.restarted()
        for each in closed:
            each.close(reason)


def _open_ports(description: guest_description.Description) -> set[str]:
    return {port.name for port in description.ports if port.open}


def _paths(
    description: guest_description.Description,
) -> list[tuple[str, str | None]]:
    return [(port.name, port.path) for port in description.ports]
