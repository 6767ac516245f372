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

"""What guest commands answer: the types, and one reader for each.

A reader takes the value of ``return``, checks it and gives it a type, or
raises InvalidReply. Optional members that an agent leaves out are None.

Source: qga/qapi-schema.json of QEMU 5.2 to 10.0.
"""

from collections.abc import Mapping
import re
from typing import Any, NamedTuple

from nova_qga import errors
from nova_qga.protocol import reading

_COMMAND_NAME = re.compile(r'[a-z0-9-]{1,64}')
#: Most commands that guest-info may list.
MAX_COMMANDS = 512


class AgentInfo(NamedTuple):
    """What the agent says of itself."""

    version: str
    commands: Mapping[str, bool]  # name -> enabled


class OSInfo(NamedTuple):
    """The operating system; every member is optional in the schema."""

    id: str | None
    name: str | None
    pretty_name: str | None
    version: str | None
    version_id: str | None
    kernel_release: str | None
    kernel_version: str | None
    machine: str | None


class TimeZone(NamedTuple):
    """Seconds east of UTC, and the zone's name where known."""

    offset: int
    zone: str | None


class User(NamedTuple):
    """Somebody logged in; ``login_time`` in seconds of the guest's clock."""

    user: str
    login_time: float
    domain: str | None


class Address(NamedTuple):
    """An address of an interface, as the guest says."""

    address: str
    family: str
    prefix: int


class Interface(NamedTuple):
    """A network interface."""

    name: str
    hardware_address: str | None
    addresses: tuple[Address, ...]


class Disk(NamedTuple):
    """A block device."""

    name: str
    partition: bool
    alias: str | None


class FileChunk(NamedTuple):
    """A piece of a file."""

    data: bytes
    eof: bool


def read_nothing(reply: Any) -> None:
    """Read ``{}``, the answer of a command that returns nothing."""
    reading.record(reply)


def read_info(reply: Any) -> AgentInfo:
    """Read guest-info; names that are no command names are left out."""
    fields = reading.record(reply)
    commands: dict[str, bool] = {}
    listed = reading.items(fields.get('supported_commands'), MAX_COMMANDS)
    for entry in listed:
        name = reading.record(entry).get('name')
        enabled = reading.boolean(entry, 'enabled')
        if type(name) is str and _COMMAND_NAME.fullmatch(name):
            commands[name] = enabled
    return AgentInfo(reading.string(fields, 'version'), commands)


def read_osinfo(reply: Any) -> OSInfo:
    """Read guest-get-osinfo."""
    fields = reading.record(reply)
    return OSInfo(
        *(
            reading.optional_string(fields, name.replace('_', '-'))
            for name in OSInfo._fields
        )
    )


def read_host_name(reply: Any) -> str:
    """Read guest-get-host-name."""
    return reading.string(reading.record(reply), 'host-name')


def read_timezone(reply: Any) -> TimeZone:
    """Read guest-get-timezone; no zone is further than a day from UTC."""
    fields = reading.record(reply)
    offset = fields.get('offset')
    if type(offset) is not int or abs(offset) > 86400:
        raise errors.InvalidReply('offset is not a time zone')
    return TimeZone(offset, reading.optional_string(fields, 'zone'))


def read_users(reply: Any) -> tuple[User, ...]:
    """Read guest-get-users."""
    return tuple(
        User(
            reading.string(reading.record(entry), 'user'),
            reading.number(entry, 'login-time'),
            reading.optional_string(entry, 'domain'),
        )
        for entry in reading.items(reply)
    )


def read_interfaces(reply: Any) -> tuple[Interface, ...]:
    """Read guest-network-get-interfaces, without its counters."""
    return tuple(
        Interface(
            reading.string(reading.record(entry), 'name'),
            reading.optional_string(entry, 'hardware-address'),
            _read_addresses(entry.get('ip-addresses', [])),
        )
        for entry in reading.items(reply)
    )


def _read_addresses(value: Any) -> tuple[Address, ...]:
    return tuple(
        Address(
            reading.string(reading.record(entry), 'ip-address'),
            reading.string(entry, 'ip-address-type'),
            reading.uint(entry, 'prefix', 128),
        )
        for entry in reading.items(value)
    )


def read_disks(reply: Any) -> tuple[Disk, ...]:
    """Read guest-get-disks (5.2)."""
    return tuple(
        Disk(
            reading.string(reading.record(entry), 'name'),
            reading.boolean(entry, 'partition'),
            reading.optional_string(entry, 'alias'),
        )
        for entry in reading.items(reply)
    )


def read_handle(reply: Any) -> int:
    """Read guest-file-open: a handle."""
    if type(reply) is not int or not 0 <= reply <= reading.INT63_MAX:
        raise errors.InvalidReply('not a file handle')
    return reply


def read_position(reply: Any) -> int:
    """Read guest-file-seek: the new offset in bytes."""
    return reading.uint(reading.record(reply), 'position', reading.INT63_MAX)


def read_chunk(reply: Any, limit: int) -> FileChunk:
    """Read guest-file-read of at most ``limit`` bytes."""
    fields = reading.record(reply)
    data = reading.content(fields, 'buf-b64', limit)
    if reading.uint(fields, 'count') != len(data):
        raise errors.InvalidReply('count is not the length of the data')
    return FileChunk(data, reading.boolean(fields, 'eof'))


def read_written(reply: Any) -> int:
    """Read guest-file-write: the number of bytes written."""
    return reading.uint(reading.record(reply), 'count')


def read_keys(reply: Any) -> tuple[str, ...]:
    """Read guest-ssh-get-authorized-keys: lines as they stand in the file."""
    keys = reading.items(reading.record(reply).get('keys'))
    if any(type(key) is not str for key in keys):
        raise errors.InvalidReply('a key is not a string')
    return tuple(keys)


def read_freeze_status(reply: Any) -> str:
    """Read guest-fsfreeze-status: ``thawed`` or ``frozen``."""
    if reply not in ('thawed', 'frozen'):
        raise errors.InvalidReply('neither thawed nor frozen')
    return str(reply)
