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

"""The command that lists a Windows guest's devices.

Source: qga/qapi-schema.json of QEMU 5.2 to 10.0, guest-get-devices.
"""

from typing import Any, NamedTuple

from nova_qga.protocol import command
from nova_qga.protocol import reading

_NANO = 1_000_000_000
_MAX_ID = (1 << 16) - 1


class Device(NamedTuple):
    """A device and its driver.

    :ivar driver_date: seconds since 1970 at which the driver was released
    :ivar vendor_id: of a PCI device, as is ``device_id``
    """

    driver_name: str
    driver_version: str | None
    driver_date: int | None
    vendor_id: int | None
    device_id: int | None


def get_devices() -> command.Command[tuple[Device, ...]]:
    """Ask for the devices (5.2, Windows)."""
    return command.Command('guest-get-devices', read_devices, {}, False)


def read_devices(value: Any) -> tuple[Device, ...]:
    """Read the reply to guest-get-devices."""
    return tuple(_device(reading.record(v)) for v in reading.items(value))


def _device(fields: dict[str, Any]) -> Device:
    date = vendor_id = device_id = None
    if 'driver-date' in fields:
        limit = reading.INT63_MAX
        date = reading.uint(fields, 'driver-date', limit) // _NANO
    if 'id' in fields:
        of_bus = reading.record(fields['id'])
        if of_bus.get('type') == 'pci':
            vendor_id = reading.uint(of_bus, 'vendor-id', _MAX_ID)
            device_id = reading.uint(of_bus, 'device-id', _MAX_ID)
    return Device(
        reading.string(fields, 'driver-name'),
        reading.optional_string(fields, 'driver-version'),
        date,
        vendor_id,
        device_id,
    )
