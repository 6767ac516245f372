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

"""Live migration, also from and to a host without the extension.

The source's definition travels as it is: the channels stay where they were
and none comes to a guest that had none. It never fails for their sake.
"""

from collections.abc import Iterator

from cloud import deployment
from cloud import guest
from cloud import report


def run(cloud: deployment.Cloud) -> Iterator[str]:
    """There and back, then with the extension off on one host."""
    yield 'a server with both channels is created on cmp1'
    server = cloud.create('moves', host='cmp1')
    server.expect(guest.STANDARD, guest.DIRECT)
    boot = server.boot_id()
    for target in ('cmp2', 'cmp1'):
        yield f'it moves to {target}, which has the extension too'
        _move(cloud, server, target, boot)
        server.expect(guest.STANDARD, guest.DIRECT)
    yield 'nova-compute of cmp2 starts without the extension'
    cloud.hosts['cmp2'].restart_compute('enabled = false')
    said = cloud.hosts['cmp2'].logged('nova-compute')
    if 'nova-qga is not active: [qga]enabled is false' not in said:
        raise report.NotAsPromised('its log does not say so')
    yield 'a server from the image "plain" there has no channel'
    other = cloud.create('without', host='cmp2')
    other.expect()
    boot_of_other = other.boot_id()
    yield 'the server with channels moves there and keeps them'
    _move(cloud, server, 'cmp2', boot)
    server.expect(guest.STANDARD, guest.DIRECT)
    yield 'the server without moves to cmp1 and has none there'
    _move(cloud, other, 'cmp1', boot_of_other)
    other.expect()
    yield 'a hard reboot there gives it both'
    cloud.api.compute.reboot_server(other.id, 'HARD')
    cloud.api.settle(other.id)
    other.expect(guest.STANDARD, guest.DIRECT)
    yield 'a hard reboot of the other on cmp2 takes both'
    cloud.api.compute.reboot_server(server.id, 'HARD')
    cloud.api.settle(server.id)
    server.expect()
    yield 'nova-compute of cmp2 starts with the extension again'
    cloud.hosts['cmp2'].restart_compute('')
    for each in (server, other):
        cloud.api.delete_server(each.id)


def _move(
    cloud: deployment.Cloud, server: guest.Guest, target: str, boot: str
) -> None:
    nova = cloud.api.compute
    nova.live_migrate_server(server.id, host=target, block_migration='auto')
    cloud.api.settle(server.id)
    results = cloud.api.outcome(server.id, 'live-migration')
    if set(results) != {'Success'}:
        raise report.NotAsPromised(f'Nova says {results}')
    if server.host.name != target:
        raise report.NotAsPromised(f'it is on {server.host.name}')
    if server.boot_id() != boot:
        raise report.NotAsPromised('it was booted on the way')
