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

"""Flatten what is known of a guest into fields: a name, a value."""

from collections.abc import Callable, Mapping
import datetime
from typing import Any

_IDENTITY = ('name', 'domain', 'state', 'project_id', 'user_id', 'flavor')
_UNITS = ('B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB')


def identity(guest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what libvirt and Nova know of a guest."""
    return {
        'uuid': guest['instance_uuid'],
        **{key: guest.get(key) for key in _IDENTITY},
    }


def fields(info: Mapping[str, Any], structured: bool) -> dict[str, Any]:
    """Return what a guest's agent tells of it.

    :param info: the result of get_info
    :param structured: leave lists of mappings as they are; else each of them
        becomes a list of lines for a person
    """
    commands = info.get('commands') or {}
    found = {
        'agent_version': info.get('agent_version'),
        'host_name': info.get('host_name'),
        **{f'os_{k}': v for k, v in (info.get('os') or {}).items()},
        **_time_zone(info.get('time_zone') or {}),
        **{
            key: info[key] if structured else [line(e) for e in info[key]]
            for key, line in _LINES.items()
            if key in info
        },
        'commands_blocked': commands.get('blocked', []),
    }
    if structured:
        found['commands_enabled'] = commands.get('enabled', [])
        found['unavailable'] = info.get('unavailable', {})
    elif unavailable := info.get('unavailable'):
        found['unavailable'] = [f'{k}: {v}' for k, v in unavailable.items()]
    return found


def size(count: int) -> str:
    """Return a number of bytes for a person."""
    value = float(count)
    for unit in _UNITS[:-1]:
        if value < 1024:
            break
        value /= 1024
    else:
        unit = _UNITS[-1]
    return f'{count} B' if unit == 'B' else f'{value:.1f} {unit}'


def _time_zone(zone: Mapping[str, Any]) -> dict[str, Any]:
    return {
        'time_zone': zone.get('zone'),
        'utc_offset': zone.get('offset'),
    }


def since(user: Mapping[str, Any]) -> str | None:
    """Return since when somebody is logged in, for a person."""
    try:
        # By the guest's own clock, which may say anything.
        moment = datetime.datetime.fromtimestamp(
            user['login_time'], datetime.UTC
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return f'{moment:%Y-%m-%d %H:%M:%S}Z'


def _user(user: Mapping[str, Any]) -> str:
    began = since(user)
    domain = f'{user["domain"]}\\' if user.get('domain') else ''
    return f'{domain}{user["user"]}' + (f' since {began}' if began else '')


def _interface(interface: Mapping[str, Any]) -> str:
    words = [interface['name']]
    if interface.get('hardware_address'):
        words.append(interface['hardware_address'])
    for address in interface.get('addresses') or ():
        words.append(f'{address["address"]}/{address["prefix"]}')
    return ' '.join(words)


def _disk(disk: Mapping[str, Any]) -> str:
    kind = ' (partition)' if disk.get('partition') else ''
    alias = f' {disk["alias"]}' if disk.get('alias') else ''
    return f'{disk["name"]}{kind}{alias}'


def _device(device: Mapping[str, Any]) -> str:
    return ' '.join(
        device[key]
        for key in ('driver_name', 'driver_version')
        if key in device
    )


def _filesystem(filesystem: Mapping[str, Any]) -> str:
    shown = '{mountpoint} {type} on {name}'.format_map(filesystem)
    used = filesystem.get('used_bytes')
    total = filesystem.get('total_bytes')
    if used is None or total is None:
        return shown
    return f'{shown}, {size(used)} of {size(total)} used'


_LINES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    'users': _user,
    'interfaces': _interface,
    'disks': _disk,
    'filesystems': _filesystem,
    'devices': _device,
}
