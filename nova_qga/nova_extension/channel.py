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

"""Which guest-agent channels a guest gets, and where their sockets are.

Pure: it knows neither Nova nor libvirt, reads no configuration and touches
no file, so that whatever makes or looks for a channel can use it.

Source: unix(7), sun_path.
"""

import dataclasses
import enum
import os

from nova_qga import errors

STANDARD_CHANNEL = 'org.qemu.guest_agent.0'

#: The flavor's extra spec: whether its guests get the channels.
EXTRA_SPEC = 'qga:channel'

#: The folder that libvirt keeps for the sockets of QEMU's monitors.
LIBVIRT_DIR = '/var/lib/libvirt/qemu'

# sun_path has 108 bytes, and QEMU wants the last one for a NUL.
MAX_PATH = 107


class ChannelPathTooLong(errors.ConfigurationError):
    """A guest's socket would have a path that no unix socket can have.

    :ivar path: the path that does not fit
    :ivar size: its length in bytes
    """

    def __init__(self, path: str, size: int) -> None:
        super().__init__(
            f'the socket path {path} has {size} bytes, and a unix socket may '
            f'have {MAX_PATH}: set a shorter [qga]direct_channel_dir or '
            f'[qga]direct_channel'
        )
        self.path = path
        self.size = size


class Policy(enum.StrEnum):
    """Which guests of a host get the channels: ``[qga]channel_policy``.

    :cvar ALL: every guest that does not say no
    :cvar IMAGE: a guest that asks for it, which is Nova's own rule
    :cvar NONE: no guest
    """

    ALL = 'all'
    IMAGE = 'image'
    NONE = 'none'


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The operator's choice, for all guests of a host.

    :ivar channel_policy: which guests get the channels
    :ivar direct_channel: virtio port name; empty for no direct channel
    :ivar direct_channel_dir: folder of the direct channels' sockets
    """

    channel_policy: Policy
    direct_channel: str
    direct_channel_dir: str


@dataclasses.dataclass(frozen=True, slots=True)
class Channel:
    """One virtio-serial port of a guest.

    :ivar target_name: the port's name in the guest
    :ivar source_path: its socket on the host; None where that is libvirt's
        or Nova's business, and nobody else may connect to it
    """

    target_name: str
    source_path: str | None


def is_wanted(
    policy: Policy, *, image: bool | None, flavor: bool | None
) -> bool:
    """Tell whether a guest gets the channels.

    :param image: what the image's ``hw_qemu_guest_agent`` says; None where
        it has none
    :param flavor: what the flavor's ``qga:channel`` says, likewise

    A no wins over a yes: a guest whose owner or operator wants no agent is
    not given one because somebody else asks for it.
    """
    if policy is Policy.NONE or image is False or flavor is False:
        return False
    return policy is Policy.ALL or bool(image or flavor)


def channels_of(
    settings: ChannelSettings, instance_name: str
) -> list[Channel]:
    """Return the channels of a guest, the standard one first.

    :param instance_name: the domain's name, ``instance-0000002a``
    :raises ChannelPathTooLong: the guest can have the standard one only.
    """
    channels = [Channel(STANDARD_CHANNEL, None)]
    if settings.direct_channel:
        path = direct_channel_path(settings, instance_name)
        channels.append(Channel(settings.direct_channel, path))
    return channels


def direct_channel_path(settings: ChannelSettings, instance_name: str) -> str:
    """Return where the socket of a guest's direct channel is.

    :raises ChannelPathTooLong: it is over the limit of a unix socket.
    """
    path = os.path.join(
        settings.direct_channel_dir,
        f'{settings.direct_channel}.{instance_name}.sock',
    )
    size = len(os.fsencode(path))
    if size > MAX_PATH:
        raise ChannelPathTooLong(path, size)
    return path
