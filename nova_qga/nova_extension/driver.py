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

"""A LibvirtDriver that gives every QEMU and KVM guest its agent channels.

Nova asks for the image property ``hw_qemu_guest_agent`` in three places: for
the channel, for changePassword and for quiesced snapshots. Each is overridden
to answer as if the image had the property, on a copy: the image's metadata
stays as the user gave them. All else is Nova's own code.

Source: nova/virt/libvirt/driver.py of Nova 32 to 34, where these methods have
the same signature.
"""

import inspect
from typing import Any

from nova.virt.libvirt import config as vconfig
from oslo_log import log as logging

from nova_qga import errors
from nova_qga.nova_extension import channel

LOG = logging.getLogger(__name__)

_OVERRIDDEN = {
    '_set_qemu_guest_agent': (
        'self',
        'guest',
        'flavor',
        'instance',
        'image_meta',
    ),
    '_can_set_admin_password': ('self', 'image_meta'),
    '_can_quiesce': ('self', 'instance', 'image_meta'),
}


class UnknownNova(errors.ConfigurationError):
    """This Nova's driver is not one that the extension knows."""


def extend(base: Any, settings: channel.ChannelSettings) -> Any:
    """Return a subclass of Nova's LibvirtDriver that adds the channels.

    :param base: ``nova.virt.libvirt.driver.LibvirtDriver``
    :raises UnknownNova: the class lacks what is to be overridden.
    """
    _check(base)

    class QgaLibvirtDriver(base):
        """Nova's driver; every guest may have a guest agent."""

        qga_settings = settings

        def _set_qemu_guest_agent(
            self, guest: Any, flavor: Any, instance: Any, image_meta: Any
        ) -> None:
            super()._set_qemu_guest_agent(
                guest, flavor, instance, _with_guest_agent(image_meta)
            )
            _add_direct_channel(guest, instance, settings)

        def _can_set_admin_password(self, image_meta: Any) -> None:
            super()._can_set_admin_password(_with_guest_agent(image_meta))

        def _can_quiesce(self, instance: Any, image_meta: Any) -> None:
            super()._can_quiesce(instance, _with_guest_agent(image_meta))

    return QgaLibvirtDriver


def _check(base: Any) -> None:
    for name, expected in _OVERRIDDEN.items():
        method = getattr(base, name, None)
        if method is None:
            raise UnknownNova(f'LibvirtDriver has no method {name}')
        found = tuple(inspect.signature(method).parameters)
        if found != expected:
            raise UnknownNova(
                f'LibvirtDriver.{name} takes {", ".join(found)} instead of '
                f'{", ".join(expected)}'
            )


def _with_guest_agent(image_meta: Any) -> Any:
    copy = image_meta.obj_clone()
    copy.properties.hw_qemu_guest_agent = True
    return copy


def _add_direct_channel(
    guest: Any, instance: Any, settings: channel.ChannelSettings
) -> None:
    try:
        channels = channel.channels_of(settings, instance.name)
    except channel.ChannelPathTooLong as error:
        # A guest that boots with one channel is better than one that fails.
        LOG.warning(
            'The guest gets the standard channel only: %s',
            error,
            instance=instance,
        )
        return
    present = {
        device.target_name
        for device in guest.devices
        if isinstance(device, vconfig.LibvirtConfigGuestChannel)
    }
    for wanted in channels:
        # libvirt refuses a guest that has two ports of one name.
        if wanted.source_path and wanted.target_name not in present:
            guest.add_device(_device(wanted))


def _device(wanted: channel.Channel) -> Any:
    device = vconfig.LibvirtConfigGuestChannel()
    device.type = 'unix'
    device.target_name = wanted.target_name
    device.source_path = wanted.source_path
    return device
