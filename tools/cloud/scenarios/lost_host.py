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

"""A host that loses its power: its server is evacuated, and it comes back."""

from collections.abc import Iterator

from cloud import deployment
from cloud import guest


def run(cloud: deployment.Cloud) -> Iterator[str]:
    """The last scenario: cmp1 is killed with all that is on it."""
    cmp1 = cloud.hosts['cmp1']
    nova = cloud.api.compute
    yield 'two servers run on cmp1'
    leaves = cloud.create('leaves', host='cmp1')
    stays = cloud.create('stays', host='cmp1')
    for server in (leaves, stays):
        server.expect(guest.STANDARD, guest.DIRECT)
    yield 'cmp1 is killed, and one of them is evacuated to cmp2'
    cmp1.lose_power()
    service = cloud.api.computes()['cmp1']
    nova.update_service_forced_down(service, forced=True)
    nova.evacuate_server(leaves.id, host='cmp2')
    cloud.api.settle(leaves.id)
    leaves.expect(guest.STANDARD, guest.DIRECT)
    yield 'cmp1 boots, and Nova starts the other again'
    cmp1.boot()
    # Nova takes a host back when it has forgotten what was evacuated.
    cmp1.start_compute()
    nova.update_service_forced_down(service, forced=False)
    cmp1.start_agent()
    cloud.api.settle(stays.id)
    stays.expect(guest.STANDARD, guest.DIRECT)
    for server in (leaves, stays):
        cloud.api.delete_server(server.id)
