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

"""The cloud's API as an administrator uses it, through openstacksdk."""

import time
from typing import Any

import openstack
from openstack import exceptions

from cloud import layout
from cloud import report

#: Seconds for whatever Nova does; a loaded machine may need many.
PATIENCE = 600


class Api:
    """Images, flavors and servers.

    :ivar compute: openstacksdk's proxy for Nova
    """

    def __init__(self, place: layout.Layout) -> None:
        self._connection = openstack.connect(layout.CLOUD)
        self._guest = place.guest
        self.compute = self._connection.compute

    def image(self, name: str, **properties: str) -> str:
        """Upload the test guest's disk as a new image; return its id."""
        image = self._connection.image.create_image(
            name,
            filename=str(self._guest),
            disk_format='raw',
            container_format='bare',
            wait=True,
            hw_serial_port_count='2',
            hw_rng_model='virtio',
            **properties,
        )
        return str(image.id)

    def image_properties(self, image: str) -> dict[str, Any]:
        """Return the properties that an image's owner gave it."""
        found = self._connection.image.get_image(image)
        return {
            name: value
            for name, value in found.to_dict().items()
            if value is not None
        } | dict(found.properties)

    def delete_image(self, image: str) -> None:
        self._connection.image.delete_image(image)

    def flavor(self, name: str, memory: int = 192, **extra: str) -> str:
        """Make a flavor; return its id.

        :param extra: extra specs, with ``__`` for a colon
        """
        flavor = self.compute.create_flavor(
            name=name, ram=memory, vcpus=1, disk=0
        )
        if extra:
            specs = {key.replace('__', ':'): extra[key] for key in extra}
            self.compute.create_flavor_extra_specs(flavor, specs)
        return str(flavor.id)

    def create_server(
        self, name: str, *, image: str, flavor: str, host: str
    ) -> str:
        """Create a server on a host; return its id when it is active."""
        server = self.compute.create_server(
            name=name,
            image_id=image,
            flavor_id=flavor,
            networks='none',
            host=host,
        )
        self.settle(server.id)
        return str(server.id)

    def server(self, server: str) -> Any:
        """What Nova's API tells about a server."""
        return self.compute.get_server(server)

    def settle(self, server: str, status: str = 'ACTIVE') -> Any:
        """Wait until a server has a status and nothing is under way.

        :raises NotAsPromised: that did not happen.
        """
        end = time.monotonic() + PATIENCE
        while True:
            seen = self.server(server)
            if seen.task_state is None and seen.status == status:
                return seen
            now = f'{server} is {seen.status}, {seen.task_state}'
            if seen.status == 'ERROR' and status != 'ERROR':
                raise report.NotAsPromised(f'{now}: {seen.fault}')
            if time.monotonic() > end:
                raise report.NotAsPromised(f'{now}, not {status}')
            time.sleep(0.3)

    def delete_server(self, server: str) -> None:
        """Delete a server; return when it is gone."""
        self.compute.delete_server(server)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                self.server(server)
            except exceptions.NotFoundException:
                return
            time.sleep(0.3)
        raise report.NotAsPromised(f'{server} is still there')

    def outcome(self, server: str, action: str) -> list[str]:
        """Wait for the newest action of a kind; return its events' results."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            actions = self.compute.server_actions(server)
            newest = next((a for a in actions if a.action == action), None)
            if newest:
                whole = self.compute.get_server_action(
                    newest.request_id, server
                )
                events = whole.events or []
                results = [_result(event) for event in events]
                if results and all(results):
                    return results
            time.sleep(0.3)
        raise report.NotAsPromised(f'{action} of {server} has no end')

    def computes(self) -> dict[str, Any]:
        """Nova's services that run guests, by their hosts."""
        found = self.compute.services(binary='nova-compute')
        return {service.host: service for service in found}


def _result(event: Any) -> str:
    value = event['result'] if isinstance(event, dict) else event.result
    return str(value or '')
