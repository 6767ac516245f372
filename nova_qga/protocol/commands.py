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
from collections.abc import Sequence
import functools

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import replies
from nova_qga.protocol import statistics

#: Bytes read by one command. libvirt gives up at 10 MiB a reply and stays
#: broken until the guest reopens its port, so stay far below.
CHUNK = 768 * 1024
#: Bytes written by one command. What does not fit at once into the buffer of
#: libvirt's socket, 208 KiB by default, libvirt starts to send anew from its
#: beginning, and the agent gets a garbled command. More gains nothing.
WRITE_CHUNK = 128 * 1024
_SMALL = 64 * 1024
_MEDIUM = 1024 * 1024


def _text(value: str, what: str) -> str:
    """Return ``value`` if it can be sent: UTF-8 has no surrogates.

    Looked for by hand, because the encoder's error holds the whole text.

    :raises InvalidRequest: it cannot
    """
    if any('\ud800' <= char <= '\udfff' for char in value):
        raise errors.InvalidRequest(f'{what} is not valid Unicode text')
    return value


def info() -> command.Command[replies.AgentInfo]:
    """Ask for the agent's version and commands."""
    return command.Command('guest-info', replies.read_info, {}, False, _MEDIUM)


def get_osinfo() -> command.Command[replies.OSInfo]:
    """Ask for the operating system (2.10)."""
    return command.Command(
        'guest-get-osinfo', replies.read_osinfo, {}, False, _SMALL
    )


def get_host_name() -> command.Command[str]:
    """Ask for the host name (2.10)."""
    return command.Command(
        'guest-get-host-name', replies.read_host_name, {}, False, _SMALL
    )


def get_timezone() -> command.Command[replies.TimeZone]:
    """Ask for the time zone (2.10)."""
    return command.Command(
        'guest-get-timezone', replies.read_timezone, {}, False, _SMALL
    )


def get_users() -> command.Command[tuple[replies.User, ...]]:
    """Ask who is logged in (2.10)."""
    return command.Command('guest-get-users', replies.read_users, {}, False)


def get_interfaces() -> command.Command[tuple[replies.Interface, ...]]:
    """Ask for network interfaces and their addresses (1.1)."""
    return command.Command(
        'guest-network-get-interfaces', replies.read_interfaces, {}, False
    )


def get_interface_counters() -> command.Command[
    tuple[tuple[str, statistics.InterfaceCounters], ...]
]:
    """Ask for network interfaces, for the sake of their counters (2.11)."""
    return command.Command(
        'guest-network-get-interfaces',
        statistics.read_interface_counters,
        {},
        False,
    )


def get_disks() -> command.Command[tuple[replies.Disk, ...]]:
    """Ask for block devices (5.2)."""
    return command.Command('guest-get-disks', replies.read_disks, {}, False)


def get_filesystems() -> command.Command[tuple[statistics.Filesystem, ...]]:
    """Ask for mounted filesystems (2.2; sizes from 3.0)."""
    return command.Command(
        'guest-get-fsinfo', statistics.read_filesystems, {}, False
    )


def get_inodes(path: str) -> command.Command[statistics.Inodes]:
    """Ask for the filesystem of a file, for the sake of its inodes.

    QEMU's own agent has no such command: operators add it.
    """
    return command.Command(
        'guest-get-statvfs',
        statistics.read_inodes,
        {'path': _text(path, 'the path')},
        False,
        _SMALL,
    )


def get_cpustats() -> command.Command[tuple[statistics.CpuStats, ...]]:
    """Ask for CPU time (7.1, Linux)."""
    return command.Command(
        'guest-get-cpustats', statistics.read_cpustats, {}, False
    )


def get_diskstats() -> command.Command[tuple[statistics.DiskStats, ...]]:
    """Ask for block device counters (7.1, Linux)."""
    return command.Command(
        'guest-get-diskstats', statistics.read_diskstats, {}, False
    )


def get_load() -> command.Command[statistics.LoadAverage]:
    """Ask for load averages (10.0)."""
    return command.Command(
        'guest-get-load', statistics.read_load, {}, False, _SMALL
    )


def freeze_status() -> command.Command[str]:
    """Ask whether filesystems are frozen; answered also while they are."""
    return command.Command(
        'guest-fsfreeze-status', replies.read_freeze_status, {}, False, _SMALL
    )


def open_file(path: str, mode: str) -> command.Command[int]:
    """Open a file; the handle outlives us, so close it.

    :param mode: as for fopen(3)

    Opening for reading has an effect too: each leaked handle counts towards
    the about 1,000 that an agent can hold.
    """
    return command.Command(
        'guest-file-open',
        replies.read_handle,
        {'path': _text(path, 'the path'), 'mode': mode},
        True,
        _SMALL,
    )


def close_file(handle: int) -> command.Command[None]:
    """Close a file; what was written reaches the guest's kernel here."""
    return command.Command(
        'guest-file-close',
        replies.read_nothing,
        {'handle': handle},
        True,
        _SMALL,
    )


def flush_file(handle: int) -> command.Command[None]:
    """Hand buffered bytes to the guest's kernel."""
    return command.Command(
        'guest-file-flush',
        replies.read_nothing,
        {'handle': handle},
        True,
        _SMALL,
    )


def seek_file(handle: int, offset: int) -> command.Command[int]:
    """Go to ``offset`` bytes from the start.

    Read-only: it moves nothing but a handle of our own.
    """
    return command.Command(
        'guest-file-seek',
        replies.read_position,
        {'handle': handle, 'offset': offset, 'whence': 0},
        False,
        _SMALL,
    )


def read_file(
    handle: int, count: int = CHUNK
) -> command.Command[replies.FileChunk]:
    """Read up to ``count`` bytes from where the handle stands."""
    return command.Command(
        'guest-file-read',
        functools.partial(replies.read_chunk, limit=count),
        {'handle': handle, 'count': count},
        False,
        count // 3 * 4 + 1024,
    )


def write_file(handle: int, data: bytes) -> command.Command[int]:
    """Write ``data``; answers how many bytes were taken."""
    return command.Command(
        'guest-file-write',
        replies.read_written,
        {'handle': handle, 'buf-b64': base64.b64encode(data).decode()},
        True,
        _SMALL,
    )


def set_user_password(
    username: str, password: str, *, crypted: bool
) -> command.Command[None]:
    """Set an account's password (2.3).

    :param crypted: ``password`` is a crypt(3) hash (Linux guests)
    """
    secret = _text(password, 'the password').encode()
    return command.Command(
        'guest-set-user-password',
        replies.read_nothing,
        {
            'username': _text(username, 'the user name'),
            'password': base64.b64encode(secret).decode(),
            'crypted': crypted,
        },
        True,
        _SMALL,
    )


def get_authorized_keys(username: str) -> command.Command[tuple[str, ...]]:
    """Ask for the lines of an account's authorized_keys (5.2)."""
    return command.Command(
        'guest-ssh-get-authorized-keys',
        replies.read_keys,
        {'username': _text(username, 'the user name')},
        False,
        _MEDIUM,
    )


def add_authorized_keys(
    username: str, keys: Sequence[str], *, reset: bool = False
) -> command.Command[None]:
    """Add lines to an account's authorized_keys, or replace them all.

    The agent checks next to nothing of a key: do it before (5.2).
    """
    return command.Command(
        'guest-ssh-add-authorized-keys',
        replies.read_nothing,
        {
            'username': _text(username, 'the user name'),
            'keys': [_text(key, 'a key') for key in keys],
            'reset': reset,
        },
        True,
        _SMALL,
    )


def remove_authorized_keys(
    username: str, keys: Sequence[str]
) -> command.Command[None]:
    """Remove lines from an account's authorized_keys (5.2)."""
    return command.Command(
        'guest-ssh-remove-authorized-keys',
        replies.read_nothing,
        {
            'username': _text(username, 'the user name'),
            'keys': [_text(key, 'a key') for key in keys],
        },
        True,
        _SMALL,
    )
