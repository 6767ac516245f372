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

"""Look for the extension as nova-compute would, and print what is seen.

Run as a script, by the Python that nova-compute runs with, which may be of
another environment than ours: so it imports nothing of nova_qga but by the
entry point, and nothing imports it. It loads Nova's driver, to see whether
the extension knows it, and starts nothing.

Source: os_vif/__init__.py, initialize(): the namespace of the entry points.
"""

from importlib import metadata
import json
import sys
from typing import Any

NAMESPACE, NAME = 'os_vif', 'nova_qga'


def version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def look() -> dict[str, Any]:
    seen: dict[str, Any] = {
        'prefix': sys.prefix,
        'nova': version('nova'),
        'nova_qga': version('nova-qga'),
    }
    points = metadata.entry_points(group=NAMESPACE, name=NAME)
    seen['entry_point'] = bool(points)
    if not seen['nova'] or not points:
        return seen
    try:
        for point in points:
            point.load()
        extend()
    except Exception as error:
        seen['error'] = f'{type(error).__name__}: {error}'
    return seen


def extend() -> None:
    """Do what nova-compute's start does, to no effect."""
    from nova.virt import libvirt

    from nova_qga.nova_extension import channel
    from nova_qga.nova_extension import driver

    settings = channel.ChannelSettings(channel.Policy.ALL, '', '/')
    driver.extend(libvirt.LibvirtDriver, settings)


if __name__ == '__main__':
    # What is loaded may print; this is the last line.
    print(f'\n{json.dumps(look())}')
