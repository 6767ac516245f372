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

"""Describe libvirt's domains; one that cannot be described costs no other.

Source: https://libvirt.org/html/libvirt-libvirt-domain.html.
"""

import libvirt
from oslo_log import log as logging

from nova_qga import errors
from nova_qga.guest import description as guest_description
from nova_qga.guest import directory as guest_directory
from nova_qga import text

LOG = logging.getLogger(__name__)

STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: 'nostate',
    libvirt.VIR_DOMAIN_RUNNING: 'running',
    libvirt.VIR_DOMAIN_BLOCKED: 'running',
    libvirt.VIR_DOMAIN_PAUSED: 'paused',
    libvirt.VIR_DOMAIN_SHUTDOWN: 'shutdown',
    libvirt.VIR_DOMAIN_SHUTOFF: 'shutoff',
    libvirt.VIR_DOMAIN_CRASHED: 'crashed',
    libvirt.VIR_DOMAIN_PMSUSPENDED: 'pmsuspended',
}

# The second one is for what is no UUID at all.
_NO_SUCH = (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_INVALID_ARG)

Described = tuple[guest_description.Description, str]


class Looks:
    """Looks at domains, all on one thread. They block.

    :param directory: what it knows stays where a look fails
    """

    def __init__(self, directory: guest_directory.Directory) -> None:
        self._directory = directory
        #: What was said of guests that cannot be described, by UUID.
        self._faults: dict[str, str] = {}

    def listing(
        self, connection: libvirt.virConnect
    ) -> guest_directory.Listing:
        """Return all guests.

        :raises libvirtError: the connection broke
        """
        listing = []
        for domain in connection.listAllDomains(0):
            try:
                described = self._describe(domain)
            except (libvirt.libvirtError, errors.QgaError) as error:
                if not connection.isAlive():
                    raise
                uuid = domain.UUIDString()
                self.note(uuid, error)
                described = self._known(uuid)
            if described is not None:
                listing.append(described)
        return listing

    def at(
        self, connection: libvirt.virConnect, uuid: str
    ) -> Described | None:
        """Return one guest; None if there is none of that UUID.

        :raises libvirtError, QgaError: it cannot be described
        """
        described = None
        try:
            described = self._describe(connection.lookupByUUIDString(uuid))
        except libvirt.libvirtError as error:
            if error.get_error_code() not in _NO_SUCH:
                raise
        if described is None:
            self._faults.pop(uuid, None)
        return described

    def note(self, uuid: str, error: Exception) -> None:
        """Log why a guest cannot be looked at, once."""
        reason = text.printable(str(error))
        if self._faults.get(uuid) != reason:
            self._faults[uuid] = reason
            LOG.warning('guest %s cannot be looked at: %s', uuid, reason)

    def _known(self, uuid: str) -> Described | None:
        """Return what the directory has: a bad look makes no guest go."""
        if not self._directory.knows(uuid):
            return None
        known = self._directory.get(uuid)
        return known.description, known.state

    def _describe(self, domain: libvirt.virDomain) -> Described | None:
        """Describe a domain; None if it has gone in the meantime."""
        try:
            state = STATES.get(domain.state()[0], 'nostate')
            described = guest_description.parse(domain.XMLDesc(0))
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
            return None
        self._faults.pop(described.uuid, None)
        return described, state
