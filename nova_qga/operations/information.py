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

"""Tell what a guest is: what its agent says of it, section by section.

A section that cannot be had is left out, with the reason; it never costs the
rest. All of it is the guest's own word, and its strings are escaped and cut.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.protocol import devices

#: Section -> what is asked for it.
SECTIONS: Mapping[str, Callable[[], command.Command[Any]]] = {
    'os': commands.get_osinfo,
    'host_name': commands.get_host_name,
    'time_zone': commands.get_timezone,
    'users': commands.get_users,
    'interfaces': commands.get_interfaces,
    'disks': commands.get_disks,
    'filesystems': commands.get_filesystems,
    'devices': devices.get_devices,
}
#: That only some systems have: without the command, it is nothing that is
#: missing, unless it was asked for by name.
_OF_SOME = ('devices',)


def get_info(
    agent: operations_agent.Agent, *, sections: Collection[str] | None = None
) -> dict[str, Any]:
    """Return what the agent tells of the guest.

    :param sections: names of :data:`SECTIONS`; None for all
    :returns: ``agent_version``; ``commands`` with the names that are
        ``enabled`` and ``blocked``; ``os``, ``host_name``, ``time_zone``,
        ``users``, ``interfaces``, ``disks``, ``filesystems``, and of Windows
        ``devices``; and ``unavailable``, a reason for each of these that is
        missing
    :raises GuestUnavailable: the guest's filesystems are frozen
    :raises ChannelClosed: the guest is gone
    """
    info = agent.info()
    result: dict[str, Any] = {
        'agent_version': info.version,
        'commands': {
            'enabled': sorted(n for n, on in info.commands.items() if on),
            'blocked': sorted(n for n, on in info.commands.items() if not on),
        },
    }
    unavailable: dict[str, str] = {}
    for section, build in SECTIONS.items():
        asked = build()
        if sections is None:
            if section in _OF_SOME and not info.commands.get(asked.name):
                continue
        elif section not in sections:
            continue
        try:
            agent.require(asked.name)
            result[section] = _plain(agent.execute(asked))
        except errors.ChannelClosed:
            raise
        except errors.QgaError as error:
            unavailable[section] = str(error)
    result['unavailable'] = unavailable
    return result


def ping(agent: operations_agent.Agent) -> dict[str, float]:
    """Let the agent answer a sync; return the ``seconds`` it took."""
    return {'seconds': agent.ping()}


def _plain(reply: Any) -> Any:
    """Turn a reply into lists and mappings, without what is unknown."""
    if isinstance(reply, tuple) and hasattr(reply, '_asdict'):
        fields = reply._asdict().items()
        return {k: _plain(v) for k, v in fields if v is not None}
    if isinstance(reply, tuple):
        return [_plain(each) for each in reply]
    return reply
