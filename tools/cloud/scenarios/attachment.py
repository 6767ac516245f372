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

"""The direct channel hot-plugged into a server that was built without."""

from collections.abc import Iterator

from cloud import deployment
from cloud import guest
from cloud import report


def run(cloud: deployment.Cloud) -> Iterator[str]:
    """Built with the standard channel alone, then given the other."""
    yield 'a server is built where there is no direct channel'
    cloud.hosts['cmp2'].restart_compute('direct_channel =')
    server = cloud.create('attached', host='cmp2')
    server.expect(guest.STANDARD)
    cloud.hosts['cmp2'].restart_compute('')
    yield 'channel attach --all-missing gives it the direct channel'
    rows = cloud.qga.ask(None, 'channel', 'attach', '--all-missing')
    done = {row['UUID']: row['Result'] for row in rows}
    if done.get(server.id) != 'attached':
        raise report.NotAsPromised(f'it says {rows}')
    yield 'an agent that is started on it is reached there'
    server.inspect('agent-start 1')
    server.expect(guest.STANDARD, guest.DIRECT)
    yield 'a second attach leaves it alone'
    [row] = cloud.qga.ask(None, 'channel', 'attach', server.id)
    if row['Result'] != 'there':
        raise report.NotAsPromised(f'it says {row}')
    yield 'it keeps it over a live migration'
    cloud.api.compute.live_migrate_server(
        server.id, host='cmp1', block_migration='auto'
    )
    cloud.api.settle(server.id)
    server.expect(guest.STANDARD, guest.DIRECT)
    yield 'a hard reboot makes it permanent'
    cloud.api.compute.reboot_server(server.id, 'HARD')
    cloud.api.settle(server.id)
    server.expect(guest.STANDARD, guest.DIRECT)
    cloud.api.delete_server(server.id)
