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

"""A LibvirtDriver that gives QEMU and KVM guests their agent channels.

Nova asks for the image property ``hw_qemu_guest_agent`` in three places: for
the channel, for changePassword and for quiesced snapshots. Each is overridden
to answer as the policy says, on a copy: the image's metadata stay as the user
gave them. What :mod:`nova_qga.nova_extension.metadata` writes is added on the
first occasion. All else is Nova's own code.

A fault of this code in one of those places is logged, and the guest gets what
Nova itself would give it.

Source: nova/virt/libvirt/driver.py of Nova 32 to 34, where these methods have
the same signature.
"""

import inspect
import os
from typing import Any, NamedTuple

from nova import exception
from nova.virt.libvirt import config as vconfig
from oslo_log import log as logging
from oslo_utils import strutils

from nova_qga import errors
from nova_qga.nova_extension import channel
from nova_qga.nova_extension import metadata

LOG = logging.getLogger(__name__)

_OVERRIDDEN = {
    '_set_qemu_guest_agent': (
        'self',
        'guest',
        'flavor',
        'instance',
        'image_meta',
    ),
    'set_admin_password': ('self', 'instance', 'new_pass'),
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
        """Nova's driver; the policy says which guests have an agent."""

        qga_settings = settings

        def _set_qemu_guest_agent(
            self, guest: Any, flavor: Any, instance: Any, image_meta: Any
        ) -> None:
            answer = _answer(settings, instance, image_meta, flavor)
            super()._set_qemu_guest_agent(
                guest, flavor, instance, answer.image_meta
            )
            if answer.wanted:
                _add_direct_channel(guest, instance, settings)
            metadata.add(guest, flavor, instance)

        def set_admin_password(self, instance: Any, new_pass: str) -> None:
            # Here, because what Nova asks next is not told the flavor.
            answer = _answer(settings, instance, instance.image_meta)
            if answer.wanted is False:
                raise exception.QemuGuestAgentNotEnabled()
            super().set_admin_password(instance, new_pass)

        def _can_set_admin_password(self, image_meta: Any) -> None:
            super()._can_set_admin_password(_asking(image_meta))

        def _can_quiesce(self, instance: Any, image_meta: Any) -> None:
            answer = _answer(settings, instance, image_meta)
            super()._can_quiesce(instance, answer.image_meta)

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


class _Answer(NamedTuple):
    """What the policy says of a guest.

    :ivar wanted: None where that cannot be told: Nova decides
    :ivar image_meta: makes Nova's own code act so
    """

    wanted: bool | None
    image_meta: Any


def _answer(
    settings: channel.ChannelSettings,
    instance: Any,
    image_meta: Any,
    flavor: Any = None,
) -> _Answer:
    """Ask the policy; whatever goes wrong here is no end to the guest."""
    try:
        wanted = channel.is_wanted(
            settings.channel_policy,
            image=_image_says(image_meta),
            flavor=_flavor_says(flavor or instance.flavor, instance),
        )
        return _Answer(wanted, _copy(image_meta, wanted))
    except Exception:
        LOG.exception(
            'nova-qga cannot tell whether the guest gets its channels; Nova '
            'decides as without it',
            instance=instance,
        )
        return _Answer(None, image_meta)


def _asking(image_meta: Any) -> Any:
    """Return metadata that ask for an agent, as far as that can be had."""
    try:
        return _copy(image_meta, True)
    except Exception:
        LOG.exception('nova-qga cannot copy the metadata of an image')
        return image_meta


def _image_says(image_meta: Any) -> bool | None:
    said = image_meta.properties.get('hw_qemu_guest_agent')
    return None if said is None else bool(said)


def _flavor_says(flavor: Any, instance: Any) -> bool | None:
    said = flavor.extra_specs.get(channel.EXTRA_SPEC)
    if said is None:
        return None
    try:
        return bool(strutils.bool_from_string(said, strict=True))
    except ValueError:
        # Older microversions let any value into a flavor.
        LOG.warning(
            'The extra spec %s of flavor %s is neither yes nor no, and is '
            'taken for unset: correct the flavor',
            channel.EXTRA_SPEC,
            flavor.flavorid,
            instance=instance,
        )
        return None


def _copy(image_meta: Any, answer: bool) -> Any:
    """Return a copy of the metadata that answers Nova's question so."""
    copy = image_meta.obj_clone()
    copy.properties.hw_qemu_guest_agent = answer
    return copy


def _add_direct_channel(
    guest: Any, instance: Any, settings: channel.ChannelSettings
) -> None:
    # A guest that boots with one channel is better than one that fails.
    try:
        channels = channel.channels_of(settings, instance.name)
        check_directory(settings)
        devices = [_device(each) for each in channels if each.source_path]
        _add_missing(guest, devices)
    except errors.ConfigurationError as error:
        LOG.warning(
            'The guest gets the standard channel only: %s',
            error,
            instance=instance,
        )
    except Exception:
        LOG.exception(
            'nova-qga cannot add the direct channel; the guest gets the '
            'standard one only',
            instance=instance,
        )


def check_directory(settings: channel.ChannelSettings) -> None:
    """Refuse a folder that is not there: no guest would start.

    :raises ConfigurationError: it is missing, or is no folder.
    """
    path = settings.direct_channel_dir
    if not settings.direct_channel or path == channel.LIBVIRT_DIR:
        return  # libvirt makes its own
    try:
        os.stat(os.path.join(path, ''))
    except PermissionError:
        return  # QEMU's user may be let in where Nova's is not
    except OSError as error:
        raise errors.ConfigurationError(
            f'[qga]direct_channel_dir {path} cannot be used '
            f'({error.strerror}): make it, writable for the user that QEMU '
            f'runs as, on every compute host'
        ) from None


def _add_missing(guest: Any, devices: list[Any]) -> None:
    present = {
        device.target_name
        for device in guest.devices
        if isinstance(device, vconfig.LibvirtConfigGuestChannel)
    }
    for device in devices:
        # libvirt refuses a guest that has two ports of one name.
        if device.target_name not in present:
            guest.add_device(device)


def _device(wanted: channel.Channel) -> Any:
    device = vconfig.LibvirtConfigGuestChannel()
    device.type = 'unix'
    device.target_name = wanted.target_name
    device.source_path = wanted.source_path
    return device
