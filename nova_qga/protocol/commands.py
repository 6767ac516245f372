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

"""The guest commands that nova-qga sends, one builder each.

``has_effect`` is False only where running a command twice, late, or after a
reboot changes nothing in the guest.

Source: qga/qapi-schema.json of QEMU 5.2 to 10.0.
"""

import base64
import functools
from collections.abc import Sequence

from nova_qga.protocol import replies
from nova_qga.protocol.command import Command

#: Bytes read or written by one command. libvirt gives up at 10 MiB a reply
#: and stays broken until the guest reopens its port, so stay far below.
CHUNK = 768 * 1024
_SMALL = 64 * 1024
_MEDIUM = 1024 * 1024


def info() -> Command[replies.AgentInfo]:
    """Ask for the agent's version and commands."""
    return Command('guest-info', replies.read_info, {}, False, _MEDIUM)


def get_osinfo() -> Command[replies.OSInfo]:
    """Ask for the operating system (2.10)."""
    return Command('guest-get-osinfo', replies.read_osinfo, {}, False, _SMALL)


def get_host_name() -> Command[str]:
    """Ask for the host name (2.10)."""
    return Command(
        'guest-get-host-name', replies.read_host_name, {}, False, _SMALL
    )


def get_timezone() -> Command[replies.TimeZone]:
    """Ask for the time zone (2.10)."""
    return Command(
        'guest-get-timezone', replies.read_timezone, {}, False, _SMALL
    )


def get_users() -> Command[tuple[replies.User, ...]]:
    """Ask who is logged in (2.10)."""
    return Command('guest-get-users', replies.read_users, {}, False)


def get_interfaces() -> Command[tuple[replies.Interface, ...]]:
    """Ask for network interfaces (1.1; statistics from 2.11)."""
    return Command(
        'guest-network-get-interfaces', replies.read_interfaces, {}, False
    )


def get_disks() -> Command[tuple[replies.Disk, ...]]:
    """Ask for block devices (5.2)."""
    return Command('guest-get-disks', replies.read_disks, {}, False)


def get_filesystems() -> Command[tuple[replies.Filesystem, ...]]:
    """Ask for mounted filesystems (2.2; sizes from 3.0)."""
    return Command('guest-get-fsinfo', replies.read_filesystems, {}, False)


def get_cpustats() -> Command[tuple[replies.CpuStats, ...]]:
    """Ask for CPU time (7.1, Linux)."""
    return Command('guest-get-cpustats', replies.read_cpustats, {}, False)


def get_diskstats() -> Command[tuple[replies.DiskStats, ...]]:
    """Ask for block device counters (7.1, Linux)."""
    return Command('guest-get-diskstats', replies.read_diskstats, {}, False)


def get_load() -> Command[replies.LoadAverage]:
    """Ask for load averages (10.0)."""
    return Command('guest-get-load', replies.read_load, {}, False, _SMALL)


def freeze_status() -> Command[str]:
    """Ask whether filesystems are frozen; answered also while they are."""
    return Command(
        'guest-fsfreeze-status', replies.read_freeze_status, {}, False, _SMALL
    )


def open_file(path: str, mode: str) -> Command[int]:
    """Open a file; the handle outlives us, so close it.

    :param mode: as for fopen(3)

    Opening for reading has an effect too: each leaked handle counts towards
    the about 1,000 that an agent can hold.
    """
    return Command(
        'guest-file-open',
        replies.read_handle,
        {'path': path, 'mode': mode},
        True,
        _SMALL,
    )


def close_file(handle: int) -> Command[None]:
    """Close a file; what was written reaches the guest's kernel here."""
    return Command(
        'guest-file-close',
        replies.read_nothing,
        {'handle': handle},
        True,
        _SMALL,
    )


def flush_file(handle: int) -> Command[None]:
    """Hand buffered bytes to the guest's kernel."""
    return Command(
        'guest-file-flush',
        replies.read_nothing,
        {'handle': handle},
        True,
        _SMALL,
    )


def seek_file(handle: int, offset: int) -> Command[int]:
    """Go to ``offset`` bytes from the start.

    Read-only: it moves nothing but a handle of our own.
    """
    return Command(
        'guest-file-seek',
        replies.read_position,
        {'handle': handle, 'offset': offset, 'whence': 0},
        False,
        _SMALL,
    )


def read_file(handle: int, count: int = CHUNK) -> Command[replies.FileChunk]:
    """Read up to ``count`` bytes from where the handle stands."""
    return Command(
        'guest-file-read',
        functools.partial(replies.read_chunk, limit=count),
        {'handle': handle, 'count': count},
        False,
        count // 3 * 4 + 1024,
    )


def write_file(handle: int, data: bytes) -> Command[int]:
    """Write ``data``; answers how many bytes were taken."""
    return Command(
        'guest-file-write',
        replies.read_written,
        {'handle': handle, 'buf-b64': base64.b64encode(data).decode()},
        True,
        _SMALL,
    )


def set_user_password(
    username: str, password: str, *, crypted: bool
) -> Command[None]:
    """Set an account's password (2.3).

    :param crypted: ``password`` is a crypt(3) hash (Linux guests)
    """
    return Command(
        'guest-set-user-password',
        replies.read_nothing,
        {
            'username': username,
            'password': base64.b64encode(password.encode()).decode(),
            'crypted': crypted,
        },
        True,
        _SMALL,
    )


def get_authorized_keys(username: str) -> Command[tuple[str, ...]]:
    """Ask for the lines of an account's authorized_keys (5.2)."""
    return Command(
        'guest-ssh-get-authorized-keys',
        replies.read_keys,
        {'username': username},
        False,
        _MEDIUM,
    )


def add_authorized_keys(
    username: str, keys: Sequence[str], *, reset: bool = False
) -> Command[None]:
    """Add lines to an account's authorized_keys, or replace them all.

    The agent checks next to nothing of a key: do it before (5.2).
    """
    return Command(
        'guest-ssh-add-authorized-keys',
        replies.read_nothing,
        {'username': username, 'keys': list(keys), 'reset': reset},
        True,
        _SMALL,
    )


def remove_authorized_keys(
    username: str, keys: Sequence[str]
) -> Command[None]:
    """Remove lines from an account's authorized_keys (5.2)."""
    return Command(
        'guest-ssh-remove-authorized-keys',
        replies.read_nothing,
        {'username': username, 'keys': list(keys)},
        True,
        _SMALL,
    )
