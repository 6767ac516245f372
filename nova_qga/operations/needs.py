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

"""Which commands of a guest's agent each operation takes. Pure.

What is off unless the operator allows it is not here: no guest is the worse
for lacking it. A command that only one form of an operation takes, such as
seeking to an offset, is not counted: the others work without it.
"""

from collections.abc import Mapping

NEEDS: Mapping[str, tuple[str, ...]] = {
    'set_password': ('guest-set-user-password',),
    'add_ssh_keys': (
        'guest-ssh-get-authorized-keys',
        'guest-ssh-add-authorized-keys',
    ),
    'remove_ssh_keys': (
        'guest-ssh-get-authorized-keys',
        'guest-ssh-remove-authorized-keys',
    ),
    'list_ssh_keys': ('guest-ssh-get-authorized-keys',),
    'write_file': (
        'guest-file-open',
        'guest-file-write',
        'guest-file-flush',
        'guest-file-close',
    ),
    'get_time': ('guest-get-time',),
    'set_time': ('guest-set-time', 'guest-get-time'),
    'get_vcpus': ('guest-get-vcpus',),
    'set_vcpus': ('guest-set-vcpus',),
    'get_memory_blocks': (
        'guest-get-memory-blocks',
        'guest-get-memory-block-info',
    ),
    'set_memory_blocks': ('guest-set-memory-blocks',),
    'trim': ('guest-fstrim',),
    'read_file': ('guest-file-open', 'guest-file-read', 'guest-file-close'),
}


def lacking(commands: Mapping[str, bool]) -> dict[str, list[str]]:
    """Return the operations that cannot work, each with why.

    :param commands: name -> enabled, as guest-info says
    :returns: operation -> the commands that are blocked or unknown
    """
    found = {}
    for operation, needed in sorted(NEEDS.items()):
        lacked = [name for name in needed if not commands.get(name)]
        if lacked:
            found[operation] = lacked
    return found
