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

"""This host's guests by UUID."""

from collections.abc import Callable

from nova_qga import errors
from nova_qga.guest import description as guest_description
from nova_qga.guest import guest

Listener = Callable[[guest.Guest], None]
Listing = list[tuple[guest_description.Description, str]]


class Directory:
    """All guests of this host. Looking is free of I/O.

    It may be looked at from any thread, and is changed on the loop's only.

    :ivar on_added: told of each guest that appears
    :ivar on_changed: told of each guest that libvirt has looked at again, or
        in which another agent may answer now
    :ivar on_removed: told of each guest that is gone
    """

    def __init__(self, make_channels: guest.ChannelFactory) -> None:
        self.on_added: list[Listener] = []
        self.on_changed: list[Listener] = []
        self.on_removed: list[Listener] = []
        self._make_channels = make_channels
        self._guests: dict[str, guest.Guest] = {}

    def get(self, uuid: str) -> guest.Guest:
        """Return a guest.

        :raises GuestNotFound: this host has none of that UUID
        """
        try:
            return self._guests[uuid]
        except KeyError:
            raise errors.GuestNotFound(
                f'there is no guest {uuid} on this host: look for its host '
                'with "openstack server show"'
            ) from None

    def knows(self, uuid: str) -> bool:
        """Tell whether this host has a guest."""
        return uuid in self._guests

    def guests(self) -> list[guest.Guest]:
        """Return all guests, in no order."""
        return list(self._guests.values())

    # On the loop's thread, from here on.

    def replace(self, listing: Listing) -> None:
        """Take a listing of all guests, the first or after an absence.

        What happened to those that are known, in between, nobody has seen.
        """
        present = {description.uuid for description, _ in listing}
        for uuid in set(self._guests) - present:
            self.remove(uuid)
        for each in self._guests.values():
            each.restarted()
        for description, state in listing:
            self.update(description, state)

    def update(
        self, description: guest_description.Description, state: str
    ) -> None:
        """Take what libvirt says of one guest."""
        known = self._guests.get(description.uuid)
        if known is not None:
            known.update(description, state)
            _tell(self.on_changed, known)
            return
        added = guest.Guest(description, state, self._make_channels)
        self._guests[description.uuid] = added
        _tell(self.on_added, added)

    def restarted(self, uuid: str, booted: bool) -> None:
        """Note that a guest has booted, or its agent was started."""
        known = self._guests.get(uuid)
        if known is not None:
            known.restarted(booted)
            _tell(self.on_changed, known)

    def remove(self, uuid: str) -> None:
        """Forget a guest that is gone."""
        removed = self._guests.pop(uuid, None)
        if removed is not None:
            removed.close(errors.ChannelClosed('the guest left this host'))
            _tell(self.on_removed, removed)

    def close(self) -> None:
        """Close all channels: we are stopping."""
        for each in self._guests.values():
            each.close(errors.ServiceUnavailable('nova-qga-agent is stopping'))


def _tell(listeners: list[Listener], changed: guest.Guest) -> None:
    for listener in listeners:
        listener(changed)
