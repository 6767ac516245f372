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

"""Servers whose image says nothing, or asks for an agent, or is Nova's own."""

from collections.abc import Iterator
import re

from cloud import deployment
from cloud import guest
from cloud import report

ACTIVE = re.compile(r' INFO .*nova-qga is active: .*channel_policy is all')


def run(cloud: deployment.Cloud) -> Iterator[str]:
    """On each host, from each kind of image."""
    for host in cloud.hosts.values():
        yield f'nova-compute of {host.name} says once that nova-qga is active'
        said = ACTIVE.findall(host.logged('nova-compute'))
        if len(said) != 1:
            raise report.NotAsPromised(f'it says so {len(said)} times')
    for image, name in (('plain', 'cmp1'), ('agent', 'cmp2')):
        yield f'a server from the image "{image}" has both channels'
        server = cloud.create(f'create-{image}', image=image, host=name)
        server.expect(guest.STANDARD, guest.DIRECT)
        yield f'the guest from "{image}" has the ports by their names'
        ports = server.inspect('ls /dev/virtio-ports').split()
        if ports != [guest.STANDARD, guest.DIRECT]:
            raise report.NotAsPromised(f'it has the ports {ports}')
        cloud.api.delete_server(server.id)
