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

"""``user list``, ``disk list`` and others: what a guest has, in rows."""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import details
from nova_qga.cli import outcome

Item = Mapping[str, Any]
#: Title -> what stands in the column.
Columns = Mapping[str, Callable[[Item], Any]]


def _addresses(interface: Item) -> list[str]:
    return [
        f'{each["address"]}/{each["prefix"]}'
        for each in interface.get('addresses') or ()
    ]


def _hexadecimal(key: str) -> Callable[[Item], str | None]:
    def show(device: Item) -> str | None:
        return None if device.get(key) is None else f'{device[key]:04x}'

    return show


def _field(key: str) -> Callable[[Item], Any]:
    return lambda item: item.get(key)


class _List(command.ServerLister):
    """Rows of one section of what the guest's agent tells."""

    section: ClassVar[str]
    columns: ClassVar[Columns]

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        target = self.app.target(parsed_args.instance)
        info = outcome.result(
            target.api.get_info(
                target.host, target.instance, sections=[self.section]
            )
        )
        if self.section not in info:
            why = info['unavailable'][self.section]
            raise outcome.Failure(str(why), outcome.ExitCode.FAILED)
        rows = (
            [show(item) for show in self.columns.values()]
            for item in info[self.section]
        )
        return (
            tuple(self.columns),
            [cells.row(row, parsed_args.formatter) for row in rows],
        )


class ListUsers(_List):
    """List who is logged in to a guest."""

    section = 'users'
    columns: ClassVar[Columns] = {
        'User': _field('user'),
        'Domain': _field('domain'),
        'Since': details.since,
    }


class ListInterfaces(_List):
    """List the network interfaces of a guest, as it sees them itself."""

    section = 'interfaces'
    columns: ClassVar[Columns] = {
        'Name': _field('name'),
        'MAC Address': _field('hardware_address'),
        'Addresses': _addresses,
    }


class ListDisks(_List):
    """List the block devices of a guest, as it sees them itself."""

    section = 'disks'
    columns: ClassVar[Columns] = {
        'Name': _field('name'),
        'Partition': _field('partition'),
        'Alias': _field('alias'),
    }


class ListFilesystems(_List):
    """List the mounted filesystems of a guest."""

    section = 'filesystems'
    columns: ClassVar[Columns] = {
        'Mount Point': _field('mountpoint'),
        'Type': _field('type'),
        'Device': _field('name'),
        'Used Bytes': _field('used_bytes'),
        'Total Bytes': _field('total_bytes'),
    }


class ListDevices(_List):
    """List the devices of a Windows guest and their drivers."""

    section = 'devices'
    columns: ClassVar[Columns] = {
        'Driver': _field('driver_name'),
        'Version': _field('driver_version'),
        'Vendor ID': _hexadecimal('vendor_id'),
        'Device ID': _hexadecimal('device_id'),
    }
