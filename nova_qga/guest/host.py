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

"""All that is needed to talk to this host's guests, put together.

The agent, the command line's ``--local`` and the benchmark use this one.
"""

from collections.abc import Iterable, Sequence
import dataclasses
import time

from nova_qga import errors
from nova_qga.guest import agent
from nova_qga.guest import attachment
from nova_qga.guest import description
from nova_qga.guest import directory
from nova_qga.guest import domains
from nova_qga.guest import freeze_states
from nova_qga.guest import guest
from nova_qga.guest import hypervisor
from nova_qga.guest import survey
from nova_qga.transport import channel
from nova_qga.transport import libvirt_agent
from nova_qga.transport import loop
from nova_qga.transport import standard
from nova_qga.transport import unix_socket


@dataclasses.dataclass(frozen=True, slots=True)
class HostSettings:
    """How to reach guests.

    :ivar libvirt_uri: libvirt's URI
    :ivar direct_channel: port name of the direct channel; '' for none
    :ivar sync_timeout: seconds for an agent to answer a sync
    :ivar command_timeout: seconds for one guest command
    :ivar attach: what :meth:`Host.attach_channel` attaches; None for nothing
    """

    libvirt_uri: str
    direct_channel: str
    sync_timeout: float = 5.0
    command_timeout: float = 10.0
    attach: attachment.Plan | None = None


class Host:
    """The guests of one host.

    :ivar directory: the guests that are known
    :ivar loop: the thread of the direct channels
    :ivar hypervisor: what libvirt knows of guests
    """

    def __init__(self, settings: HostSettings) -> None:
        self.settings = settings
        self.loop = loop.Loop()
        self.directory = directory.Directory(self._channels)
        self.hypervisor = hypervisor.Hypervisor(
            settings.libvirt_uri, self.loop
        )
        self._agents = libvirt_agent.LibvirtAgents(settings.libvirt_uri)
        self._domains = domains.Domains(
            settings.libvirt_uri, self.directory, self.loop
        )
        self._stopping = False
        self._attachment = None
        if settings.attach is not None:
            self._attachment = attachment.Attachment(
                settings.libvirt_uri, settings.attach
            )

    def start(self) -> None:
        """Start the threads and list the guests."""
        self.loop.start()
        self._domains.start()
        self.hypervisor.start()

    def close_channels(self) -> None:
        """End what runs in guests; whoever asked is told. It never blocks."""
        self._stopping = True
        self.loop.call(self.directory.close)

    def stop(self) -> None:
        """Close every channel and end the threads."""
        self.close_channels()
        self._domains.stop()
        self.hypervisor.stop()
        # Once more: a guest may have come in between.
        self.close_channels()
        self._agents.close()
        self.loop.stop()

    def guests(self) -> list[guest.Guest]:
        """Return the guests.

        :raises ServiceUnavailable: libvirtd is away
        """
        self._domains.check()
        return self.directory.guests()

    def find(self, uuid: str) -> guest.Guest:
        """Return a guest as libvirt sees it now.

        :raises GuestNotFound: this host has none of that UUID
        :raises ServiceUnavailable: libvirtd is away
        """
        self._domains.refresh(uuid)
        return self.directory.get(uuid)

    def may_have(self, uuid: str) -> bool:
        """Tell whether a guest is here, or libvirt cannot say so now."""
        try:
            self._domains.check()
        except errors.ServiceUnavailable:
            return True
        return self.directory.knows(uuid)

    def survey(self, timeout: float) -> list[survey.Finding]:
        """Find out which guests have an agent that answers.

        :param timeout: seconds for all of it; what is not known by then is
            said of each guest
        :raises ServiceUnavailable: libvirtd is away
        """
        now = time.monotonic()
        deadline = now + timeout
        # Which ports are open shows in no event.
        self._refresh(
            [each for each in self.guests() if not each.answers],
            now + timeout / 4,
        )
        # Longer than a sync may take, so that its end is known, not ours.
        patience = self.settings.sync_timeout + 1
        asking = survey.Survey(self.loop, deadline - timeout / 8, patience)
        found = asking.ask(self.guests())
        self._refresh([f.guest for f in found if f.fault], deadline)
        return found

    def _refresh(self, guests: Iterable[guest.Guest], end: float) -> None:
        """Look at those that run, as far as time and libvirtd allow."""
        for each in guests:
            if time.monotonic() > end:
                return
            if each.state != guest.RUNNING or not each.channels:
                continue
            try:
                self._domains.refresh(each.uuid)
            except errors.ServiceUnavailable:
                return

    def attach_channel(self, uuid: str, timeout: float) -> attachment.Attached:
        """Hot-plug the direct channel into a guest; see ``attachment``.

        :raises GuestNotFound: this host has none of that UUID
        """
        if self._attachment is None:
            raise errors.ConfigurationError('nothing is to be attached here')
        known = self.find(uuid).description
        attached = self._attachment.attach(known, timeout)
        # Its agent can be reached at once.
        self.look_again(uuid)
        return attached

    def look_again(self, uuid: str) -> None:
        """Have libvirt asked about a guest, soon; wait for nothing."""
        self._domains.look_again(uuid)

    def _look_up(
        self, uuid: str
    ) -> tuple[guest.Guest, errors.ServiceUnavailable | None]:
        """Return a guest, and why what is known of it may be old.

        A direct channel works without libvirtd.
        """
        try:
            return self.find(uuid), None
        except errors.ServiceUnavailable as away:
            if not self.directory.knows(uuid):
                raise
            known = self.directory.get(uuid)
            if all(each.kind != 'direct' for each in known.channels):
                raise
            return known, away

    def agent(
        self,
        uuid: str,
        timeout: float,
        kinds: Sequence[str] = (),
        *,
        changes: bool = False,
        direct_first: bool = False,
    ) -> agent.GuestAgent:
        """Reach a guest's agent, for one operation.

        :param timeout: seconds for all that is done with it
        :param kinds: of channels that may be used, the preferred one first;
            all where none is named
        :param changes: the guest is to be changed, and so must not be frozen
        :param direct_first: over the direct channel, however it did before
        :raises GuestNotFound, GuestUnavailable: the message says why
        :raises ServiceUnavailable: it takes libvirtd, which is away
        """
        if self._stopping:
            # Its channels are closed, and that is no fault of the guest's.
            raise errors.ServiceUnavailable(
                'nova-qga-agent is stopping: send a new request when it is '
                'back'
            )
        deadline = time.monotonic() + timeout
        settings = self.settings
        found, away = self._look_up(uuid)
        try:
            if changes:
                freeze_states.check(
                    found, self.loop, self._patience(timeout), away is None
                )
            return agent.reach(
                found,
                self.loop,
                deadline,
                settings.command_timeout,
                away is None,
                direct_first,
                kinds,
            )
        except errors.GuestUnavailable as error:
            if away is None or error.reason == freeze_states.FROZEN:
                raise
            # What libvirt said before may be true no more.
            raise errors.ServiceUnavailable(f'{away}; {error}') from None

    def freeze_states(
        self, uuid: str, timeout: float
    ) -> list[freeze_states.State]:
        """Ask a guest's agents whether it is frozen.

        :raises GuestNotFound, GuestUnavailable, ServiceUnavailable: as for
            :meth:`agent`
        """
        found, away = self._look_up(uuid)
        return freeze_states.ask(
            found, self.loop, self._patience(timeout), away is None
        )

    def _patience(self, timeout: float) -> float:
        # Longer than a sync may take, so that its end is known, not ours.
        return min(timeout, self.settings.sync_timeout + 1)

    def _channels(self, of: guest.Guest) -> tuple[channel.Channel, ...]:
        """Make a guest's channels, the direct one first."""
        channels: list[channel.Channel] = []
        port = of.description.port(self.settings.direct_channel)
        # libvirtd holds the standard one: a second client is never served.
        if (
            port is not None
            and port.path
            and port.name != description.STANDARD_CHANNEL
        ):
            channels.append(
                unix_socket.Channel(
                    port.name,
                    port.path,
                    self.loop,
                    of.forget_info,
                    self.settings.sync_timeout,
                )
            )
        if of.description.port(description.STANDARD_CHANNEL) is not None:
            channels.append(
                standard.Channel(
                    of.uuid, self.loop, self._agents, of.forget_info
                )
            )
        return tuple(channels)
