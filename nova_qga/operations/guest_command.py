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

"""Run a command of the guest's agent that nova-qga knows nothing of.

It refuses those for which there is an operation that does more than send
them: it keeps secrets out of logs and a freeze from lasting, checks keys, and
makes sense of silence.

Source: qga/qapi-schema.json of QEMU 5.2 to 10.0.
"""

from collections.abc import Collection, Mapping
import re
from typing import Any

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga.operations import guest_words
from nova_qga.protocol import guest_command

#: Characters of a command's name.
MAX_NAME = 70

_NAME = re.compile(r'guest-[a-z0-9-]{1,64}')
_FILES = 'write_file or read_file'
_FREEZE = 'freeze, thaw or get_freeze'
_KEYS = 'add_ssh_keys, remove_ssh_keys or list_ssh_keys'
#: Command -> the operation that runs it.
_OURS: Mapping[str, str] = {
    'guest-sync': 'ping',
    'guest-sync-delimited': 'ping',
    'guest-file-open': _FILES,
    'guest-file-close': _FILES,
    'guest-file-read': _FILES,
    'guest-file-write': _FILES,
    'guest-file-seek': _FILES,
    'guest-file-flush': _FILES,
    'guest-fsfreeze-status': _FREEZE,
    'guest-fsfreeze-freeze': _FREEZE,
    'guest-fsfreeze-freeze-list': _FREEZE,
    'guest-fsfreeze-thaw': _FREEZE,
    'guest-exec': 'execute',
    'guest-exec-status': 'execute',
    'guest-set-user-password': 'set_password',
    'guest-ssh-get-authorized-keys': _KEYS,
    'guest-ssh-add-authorized-keys': _KEYS,
    'guest-ssh-remove-authorized-keys': _KEYS,
    'guest-shutdown': 'shutdown',
    'guest-suspend-ram': 'suspend',
    'guest-suspend-disk': 'suspend',
    'guest-suspend-hybrid': 'suspend',
}


def check(name: str, allowed: Collection[str]) -> None:
    """Refuse a command that may not be run so.

    :param allowed: names that the operator allows
    :raises InvalidRequest: it is none, or an operation of its own runs it
    :raises Denied: the operator does not allow it
    """
    if not _NAME.fullmatch(name):
        raise errors.InvalidRequest(
            'command must be the name of a command of the guest agent, such '
            'as guest-network-get-route'
        )
    if name in _OURS:
        raise errors.InvalidRequest(
            f'{name} is not run so: ask for the operation {_OURS[name]}'
        )
    if name not in allowed:
        raise errors.Denied(
            f'{name} is not among the commands that this host allows: see '
            '[qga_operations]allowed_commands'
        )


def run_command(
    agent: operations_agent.Agent, *, name: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Run a command and return what it answers.

    :returns: ``reply``, its texts escaped and cut
    :raises CommandUnsupported: the agent blocks or lacks it
    :raises CommandError: the guest refused
    :raises OutcomeUnknown: it may have been run
    """
    agent.require(name)
    asked = guest_command.run(name, arguments)
    try:
        return {'reply': agent.execute(asked, slow=True)}
    except errors.CommandUnsupported:
        raise
    except errors.CommandError as error:
        given = guest_words.texts(dict(arguments))
        raise guest_words.checked(error, given) from None
