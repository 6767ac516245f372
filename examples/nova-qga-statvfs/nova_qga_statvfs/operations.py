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

"""Say how full a filesystem of a guest is, in bytes and inodes.

What the guest says that cannot be is left out. A filesystem of a server that
is away hangs the agent, as it hangs everything that looks at it.
"""

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga_statvfs import protocol

#: Characters of a path, as Linux has it.
MAX_PATH = 4096


def check_path(path: str) -> None:
    """Raise InvalidRequest unless it may be the path of a file.

    A relative path would depend on the agent's working directory.
    """
    if not path.startswith('/') or '\0' in path:
        raise errors.InvalidRequest(
            'the path must start with "/", and can hold no NUL'
        )


def get_statvfs(
    agent: operations_agent.Agent, *, path: str
) -> dict[str, int | None]:
    """Return how full the filesystem of a file is.

    :returns: ``size``, ``used``, ``free`` and ``available`` (to others than
        root) in bytes; ``inodes``, ``inodes_free`` and ``inodes_available``,
        all None where it has no fixed number of them. ``used`` is None where
        more is free than there is
    :raises CommandUnsupported: the agent lacks or blocks the command
    :raises CommandError: the guest refused: there may be no such file
    """
    asked = protocol.get_statvfs(path)
    agent.require(asked.name)
    told = agent.execute(asked)
    has_inodes = told.f_files > 0
    return {
        'size': told.f_frsize * told.f_blocks,
        'used': (
            told.f_frsize * (told.f_blocks - told.f_bfree)
            if told.f_bfree <= told.f_blocks
            else None
        ),
        'free': told.f_frsize * told.f_bfree,
        'available': told.f_frsize * told.f_bavail,
        'inodes': told.f_files if has_inodes else None,
        'inodes_free': told.f_ffree if has_inodes else None,
        'inodes_available': told.f_favail if has_inodes else None,
    }
