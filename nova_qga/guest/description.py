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

"""What a domain's XML says of a guest: its owner and its channels. Pure.

Source: https://libvirt.org/formatdomain.html#channel and
LibvirtConfigGuestMetaNovaInstance in nova/virt/libvirt/config.py.
"""

import dataclasses
import sys

from lxml import etree
from oslo_utils import strutils

from nova_qga import errors
from nova_qga import text

#: Where Nova keeps an instance's owner in the domain's metadata.
NOVA = '{http://openstack.org/xmlns/libvirt/nova/1.1}'
_IMAGE_PROPERTY = (
    f"{NOVA}image/{NOVA}properties/{NOVA}property[@name='hw_qemu_guest_agent']"
)
_EXTRA_SPEC = (
    f"{NOVA}flavor/{NOVA}extraSpecs/{NOVA}extraSpec[@name='qga:channel']"
)
_FLAVOR_MONITORING = (
    f"{NOVA}flavor/{NOVA}extraSpecs/{NOVA}extraSpec[@name='qga:monitoring']"
)
#: Where the extension writes what Nova's metadata leave out.
QGA = '{http://openstack.org/xmlns/libvirt/nova-qga/1.0}'
STANDARD_CHANNEL = 'org.qemu.guest_agent.0'


@dataclasses.dataclass(frozen=True, slots=True)
class Port:
    """A virtio-serial channel.

    :ivar name: in the guest, under /dev/virtio-ports
    :ivar path: the socket on the host; None where the domain is off
    :ivar open: the guest has opened it; None where libvirt does not say
    """

    name: str
    path: str | None
    open: bool | None


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """A guest as libvirt and Nova know it.

    :ivar uuid: Nova's instance UUID, libvirt's domain UUID
    :ivar domain: libvirt's name, ``instance-0000000a``
    :ivar name: what its owner calls it; the domain's name without Nova
    :ivar project_id: of the owner; '' without Nova's metadata
    :ivar image_says: its image's ``hw_qemu_guest_agent``; None for nothing,
        or nothing that is known
    :ivar flavor_says: its flavor's ``qga:channel``, likewise
    :ivar monitored: neither its image nor its flavor forbids that
    :ivar vcpus: virtual CPUs that it has now
    """

    uuid: str
    domain: str
    name: str
    flavor: str
    project_id: str
    user_id: str
    ports: tuple[Port, ...]
    image_says: bool | None = None
    flavor_says: bool | None = None
    monitored: bool = True
    vcpus: int | None = None

    def port(self, name: str) -> Port | None:
        """Return the channel of that name."""
        for port in self.ports:
            if port.name == name:
                return port
        return None


def parse(xml: str) -> Description:
    """Read a domain's XML.

    :raises ServiceUnavailable: it is no XML of a domain
    """
    domain = _tree(xml)
    name = domain.findtext('name') or ''
    instance = domain.find(f'metadata/{NOVA}instance')
    user = project = flavor = None
    title = None
    if instance is not None:
        title = instance.findtext(f'{NOVA}name')
        user = instance.find(f'{NOVA}owner/{NOVA}user')
        project = instance.find(f'{NOVA}owner/{NOVA}project')
        flavor = instance.find(f'{NOVA}flavor')
    return Description(
        uuid=domain.findtext('uuid') or '',
        domain=name,
        name=text.printable(title or name),
        flavor=_shared(flavor, 'name'),
        project_id=_shared(project, 'uuid'),
        user_id=_shared(user, 'uuid'),
        ports=tuple(
            _port(channel)
            for channel in domain.iterfind('devices/channel')
            if channel.find("target[@type='virtio']") is not None
        ),
        image_says=_says(instance, _IMAGE_PROPERTY),
        flavor_says=_says(instance, _EXTRA_SPEC),
        vcpus=_vcpus(domain),
        monitored=_monitored(domain, instance),
    )


def _tree(xml: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        return etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise errors.ServiceUnavailable(
            f'libvirt sent XML that cannot be read: {error.msg}'
        ) from None


def has_controller(xml: str, kind: str) -> bool:
    """Tell whether a domain has a controller of a kind."""
    domain = _tree(xml)
    return domain.find(f"devices/controller[@type='{kind}']") is not None


def _monitored(
    domain: etree._Element, instance: etree._Element | None
) -> bool:
    """Tell whether nobody forbids that; a no wins over a yes.

    The extension notes what flavor and image say. Without it, newer Novas
    tell at least what the flavor says.
    """
    ours = domain.find(f'metadata/{QGA}instance')
    return (
        _says(ours, f'{QGA}monitoring') is not False
        and _says(instance, _FLAVOR_MONITORING) is not False
    )


def _says(instance: etree._Element | None, path: str) -> bool | None:
    """Return a yes or no of the metadata; older Novas leave it out."""
    said = None if instance is None else instance.findtext(path)
    try:
        return bool(strutils.bool_from_string(said, strict=True))
    except ValueError:
        return None


def _vcpus(domain: etree._Element) -> int | None:
    element = domain.find('vcpu')
    if element is None:
        return None
    said = element.get('current', element.text or '').strip()
    return int(said) if said.isascii() and said.isdigit() else None


def _shared(element: etree._Element | None, name: str) -> str:
    """Return an attribute; many guests share one copy of it."""
    if element is None:
        return ''
    return sys.intern(text.printable(str(element.get(name, ''))))


def _port(channel: etree._Element) -> Port:
    target = channel.find("target[@type='virtio']")
    source = channel.find('source')
    state = None if target is None else target.get('state')
    path = None
    if source is not None and channel.get('type') == 'unix':
        path = source.get('path')
    return Port(
        name=sys.intern('' if target is None else target.get('name', '')),
        path=path,
        open=None if state is None else state == 'connected',
    )
