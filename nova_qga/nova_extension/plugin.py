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

"""Activate the extension in nova-compute; in any other process do nothing.

nova-compute loads every entry point of the namespace ``os_vif`` after its
configuration is read and logging is up, and before it makes its driver: the
one moment at which ``nova.virt.libvirt.LibvirtDriver`` can be replaced
without a patch. This class plugs no VIF and never raises: if the extension
cannot work, it says so in one error and leaves Nova as it was.

Source: nova/cmd/compute.py, main(); os_vif/__init__.py, initialize().
"""

import sys
from typing import Any, Self

from os_vif.objects import host_info
from os_vif import plugin
from oslo_config import cfg
from oslo_log import log as logging

from nova_qga.conf import qga
from nova_qga import errors
from nova_qga.nova_extension import channel

LOG = logging.getLogger(__name__)

# Only this value makes Nova look at the attribute that is replaced.
_COMPUTE_DRIVER = 'libvirt.LibvirtDriver'
_VIRT_TYPES = ('kvm', 'qemu')


class NovaQgaPlugin(plugin.PluginBase):
    """What os_vif loads."""

    @classmethod
    def load(cls, plugin_name: str) -> Self:
        if 'nova.cmd.compute' in sys.modules:
            _extend_nova_safely(cfg.CONF)
        loaded: Self = super().load(plugin_name)
        return loaded

    def describe(self) -> host_info.HostPluginInfo:
        return host_info.HostPluginInfo(plugin_name='nova_qga', vif_info=[])

    def plug(self, vif: Any, instance_info: Any) -> None:
        raise NotImplementedError('nova_qga plugs no VIF')

    def unplug(self, vif: Any, instance_info: Any) -> None:
        raise NotImplementedError('nova_qga plugs no VIF')


def _extend_nova_safely(conf: cfg.ConfigOpts) -> None:
    try:
        _extend_nova(conf)
    except Exception as error:
        # What a person can put right needs no traceback.
        expected = isinstance(error, (cfg.Error, errors.QgaError))
        LOG.error(
            'nova-qga is not active in this nova-compute; guests get only '
            'the guest-agent channel that Nova itself gives them. Reason: %s',
            error,
            exc_info=not expected,
        )


def _extend_nova(conf: cfg.ConfigOpts) -> None:
    qga.register_opts(conf)
    if not conf.qga.enabled:
        LOG.info('nova-qga is not active: [qga]enabled is false')
        return
    _require_qemu(conf)
    # Not at the top: other processes load this module too, and a fault in
    # Nova or in the extension must end as one error.
    from nova.virt import libvirt

    from nova_qga.nova_extension import driver

    if hasattr(libvirt.LibvirtDriver, 'qga_settings'):
        return  # os_vif was initialized a second time
    settings = _settings(conf)
    driver.check_directory(settings)
    libvirt.LibvirtDriver = driver.extend(libvirt.LibvirtDriver, settings)
    LOG.info('nova-qga is active: %s', _promise(settings))


_WHO = {
    channel.Policy.ALL: 'every guest whose image and flavor do not say no',
    channel.Policy.IMAGE: 'a guest whose image or flavor asks for it',
}


def _promise(settings: channel.ChannelSettings) -> str:
    """Return in words which guests get what."""
    policy = f'[qga]channel_policy is {settings.channel_policy}'
    if settings.channel_policy is channel.Policy.NONE:
        return f'{policy}, no guest gets a channel'
    gets = f'{policy}, {_WHO[settings.channel_policy]} gets the channel'
    if not settings.direct_channel:
        return f'{gets} {channel.STANDARD_CHANNEL} and no direct channel'
    return (
        f'{gets} {channel.STANDARD_CHANNEL} and the direct channel '
        f'{settings.direct_channel}, with its socket in '
        f'{settings.direct_channel_dir}'
    )


def _require_qemu(conf: cfg.ConfigOpts) -> None:
    if conf.compute_driver != _COMPUTE_DRIVER:
        raise errors.ConfigurationError(
            f'[DEFAULT]compute_driver is {conf.compute_driver}, and only '
            f'{_COMPUTE_DRIVER} can be extended'
        )
    if conf.libvirt.virt_type not in _VIRT_TYPES:
        raise errors.ConfigurationError(
            f'[libvirt]virt_type is {conf.libvirt.virt_type}, and only '
            f'guests of {" and ".join(_VIRT_TYPES)} have these channels'
        )


def _settings(conf: cfg.ConfigOpts) -> channel.ChannelSettings:
    settings = channel.ChannelSettings(
        channel_policy=channel.Policy(conf.qga.channel_policy),
        direct_channel=conf.qga.direct_channel,
        direct_channel_dir=conf.qga.direct_channel_dir,
    )
    # A folder too long for Nova's usual names serves no guest at all.
    channel.channels_of(settings, 'instance-00000001')
    return settings
