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

"""What an agent can do, as it says itself.

A guest's word never widens what the host is willing to send: it only tells
what would be refused. Equal answers share one copy, for thousands of guests
run the same agent.
"""

from typing import Any

from nova_qga import errors
from nova_qga.protocol import commands
from nova_qga.protocol import replies

#: What stays enabled while an agent holds filesystems frozen.
FROZEN_COMMANDS = frozenset(
    (
        'guest-ping',
        'guest-info',
        'guest-sync',
        'guest-sync-delimited',
        'guest-fsfreeze-status',
        'guest-fsfreeze-thaw',
    )
)
#: Different answers kept; more than any fleet has, fewer than hostile guests
#: could invent.
MAX_SHARED = 256

INFO = commands.info()

_shared: dict[tuple[str, frozenset[tuple[str, bool]]], replies.AgentInfo] = {}


def read(reply: Any) -> replies.AgentInfo:
    """Read the reply to :data:`INFO`; equal ones are one object.

    :raises InvalidReply: it has not the form of guest-info's
    """
    info = INFO.read(reply)
    key = (info.version, frozenset(info.commands.items()))
    if len(_shared) >= MAX_SHARED and key not in _shared:
        _shared.clear()
    return _shared.setdefault(key, info)


def looks_frozen(info: replies.AgentInfo) -> bool:
    """Tell whether the enabled commands are those of a frozen agent.

    Such an answer says nothing of what the agent can do once thawed. It can
    always be thawed, unlike one whose configuration allows next to nothing.
    """
    enabled = {name for name, on in info.commands.items() if on}
    return 'guest-fsfreeze-thaw' in enabled and enabled <= FROZEN_COMMANDS


def check(info: replies.AgentInfo, *names: str) -> None:
    """Raise CommandUnsupported unless the agent has every command."""
    for name in names:
        if name not in info.commands:
            raise errors.CommandUnsupported(
                'CommandNotFound',
                f'{name} is unknown to agent {info.version}: it is too old, '
                'or its configuration leaves it out',
            )
        if not info.commands[name]:
            raise errors.CommandUnsupported(
                'CommandNotFound',
                f'{name} is blocked by the configuration of the guest agent '
                '(in the guest, see /etc/sysconfig/qemu-ga or '
                '/etc/qemu/qemu-ga.conf)',
            )
