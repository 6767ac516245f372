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

"""Quiesced snapshots of a server whose image does not ask for an agent."""

from collections.abc import Iterator

from cloud import deployment
from cloud import guest
from cloud import report

#: Called by the guest's agent around a freeze.
_HOOK = """
echo '#!/bin/sh' > /run/hook
echo 'echo "$1" >> /run/frozen' >> /run/hook
chmod 755 /run/hook
agent-stop 0
agent-start 0 -F/run/hook
"""


def run(cloud: deployment.Cloud) -> Iterator[str]:
    """Seen from inside: frozen, then thawed."""
    yield 'a server from an image with os_require_quiesce alone is created'
    server = cloud.create('quiesced', host='cmp1', image='quiesce')
    server.expect(guest.STANDARD, guest.DIRECT)
    server.inspect(_HOOK)
    server.expect(guest.STANDARD, guest.DIRECT)
    yield 'a snapshot freezes and thaws it'
    image = cloud.api.compute.create_server_image(
        server.id, 'snapshot', wait=True, timeout=600
    )
    cloud.api.settle(server.id)
    seen = server.inspect('cat /run/frozen').split()
    if seen != ['freeze', 'thaw']:
        raise report.NotAsPromised(f'its agent was asked for {seen}')
    yield 'what the image had is in the snapshot, and nothing of ours'
    found = cloud.api.image_properties(image.id)
    if not found.get('os_require_quiesce'):
        raise report.NotAsPromised('it lacks os_require_quiesce')
    if 'hw_qemu_guest_agent' in found:
        raise report.NotAsPromised('it has hw_qemu_guest_agent')
    cloud.api.delete_image(image.id)
    cloud.api.delete_server(server.id)
