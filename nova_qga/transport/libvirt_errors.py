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

"""What an error of libvirt's means where a guest's agent was asked.

Source: src/qemu/qemu_agent.c, include/libvirt/virterror.h of libvirt 9.0.
"""

import re

import libvirt

from nova_qga import errors
from nova_qga import text

# VIR_ERR_AGENT_COMMAND_TIMEOUT and _FAILED, of libvirt 11.2.
_COMMAND_TIMEOUT = 112
_COMMAND_FAILED = 113
_NO_ANSWER = (
    libvirt.VIR_ERR_AGENT_UNRESPONSIVE,
    libvirt.VIR_ERR_AGENT_UNSYNCED,
    _COMMAND_TIMEOUT,
    _COMMAND_FAILED,
)
_CONNECTION_LOST = (
    libvirt.VIR_ERR_RPC,
    libvirt.VIR_ERR_SYSTEM_ERROR,
    libvirt.VIR_ERR_INVALID_CONN,
    libvirt.VIR_ERR_NO_CONNECT,
)
_CONNECTION_DOMAINS = (libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE)
_DENIED = (
    libvirt.VIR_ERR_OPERATION_DENIED,
    libvirt.VIR_ERR_AUTH_FAILED,
    libvirt.VIR_ERR_AUTH_CANCELLED,
    libvirt.VIR_ERR_AUTH_UNAVAILABLE,
    libvirt.VIR_ERR_ACCESS_DENIED,
)
# libvirt looks at these before it sends anything.
_NOT_SENT = (
    *_DENIED,
    libvirt.VIR_ERR_NO_DOMAIN,
    libvirt.VIR_ERR_OPERATION_INVALID,
    libvirt.VIR_ERR_OPERATION_TIMEOUT,
    libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
)
_REFUSED = (libvirt.VIR_ERR_INTERNAL_ERROR, _COMMAND_FAILED)
# What follows the command's name, in whatever language libvirtd speaks.
_DESCRIPTION = r"['»“”’]?[^:：]*[:：] ?(.*)"
_UNSUPPORTED = re.compile(
    r'\bcommand \S+ has (been disabled|not been found)', re.IGNORECASE
)


def refusal(
    error: libvirt.libvirtError, name: str
) -> errors.CommandError | None:
    """Return what the agent said to a command, if that is the error.

    libvirt keeps the agent's text and drops its class.
    """
    if error.get_error_code() not in _REFUSED:
        return None
    found = re.search(
        re.escape(name) + _DESCRIPTION,
        error.get_error_message() or '',
        re.DOTALL,
    )
    if found is None:
        return None
    if _UNSUPPORTED.search(found.group(1)):
        return errors.CommandUnsupported('CommandNotFound', found.group(1))
    return errors.CommandError('GenericError', found.group(1))


def may_be_sent(error: libvirt.libvirtError) -> bool:
    """Tell whether the agent may have got the command all the same."""
    code = error.get_error_code()
    if code == libvirt.VIR_ERR_AGENT_UNRESPONSIVE:
        # In another language it counts as sent, which is the safe side.
        return 'is not connected' not in (error.get_error_message() or '')
    return code not in _NOT_SENT


def before(error: libvirt.libvirtError) -> errors.QgaError:
    """Say what a libvirt error means where nothing was run."""
    code = error.get_error_code()
    # It may quote the guest.
    message = text.printable(error.get_error_message() or 'no reason given')
    if code in _NO_ANSWER:
        return errors.ChannelTimeout(f'no answer on channel 0: {message}')
    if code == libvirt.VIR_ERR_NO_DOMAIN:
        return errors.GuestNotFound(message)
    if code == libvirt.VIR_ERR_OPERATION_INVALID:
        return errors.GuestUnavailable('shutoff', message)
    if code == libvirt.VIR_ERR_OPERATION_TIMEOUT:
        return errors.ChannelBusy(f'{message}: the host is busy with it')
    if code in _DENIED:
        return errors.ServiceUnavailable(
            f'libvirt lets nova-qga in no further: {message}; run nova-qga as '
            "a user that may manage guests, or allow its user in libvirt's "
            'auth_unix_rw and polkit rules'
        )
    if (
        code in _CONNECTION_LOST
        or error.get_error_domain() in _CONNECTION_DOMAINS
    ):
        return errors.ServiceUnavailable(f'libvirt: {message}')
    if code == libvirt.VIR_ERR_INTERNAL_ERROR:
        return errors.ProtocolError(f'libvirt: {message}')
    return errors.GuestUnavailable('no_channel', message)
