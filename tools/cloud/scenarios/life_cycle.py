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

"""One server through what Nova does with a server: its channels stay right.

After each step there is exactly one channel of each name, at the path that
belongs to the server, and an agent answers on it.
"""

from collections.abc import Callable, Iterator

from cloud import deployment
from cloud import guest
from cloud import report


def run(cloud: deployment.Cloud) -> Iterator[str]:
    """Each step on the same server, from the image that says nothing."""
    yield 'a server from the image "plain" is created'
    server = cloud.create('life', host='cmp1')
    server.expect(guest.STANDARD, guest.DIRECT)
    for step, states in _steps(cloud, server).items():
        yield step
        before = server.boot_id()
        for act, status in states:
            act()
            cloud.api.settle(server.id, status)
        server.expect(guest.STANDARD, guest.DIRECT)
        kept = server.boot_id() == before
        if kept != (step in _KEEPING):
            raise report.NotAsPromised(
                'the guest was not booted anew' if kept else 'it was booted'
            )
    cloud.api.delete_server(server.id)


#: Steps after which the guest runs on.
_KEEPING = ('suspend and resume', 'pause and unpause')

Acts = list[tuple[Callable[[], object], str]]


def _steps(cloud: deployment.Cloud, server: guest.Guest) -> dict[str, Acts]:
    nova, one = cloud.api.compute, server.id
    back = 'ACTIVE'
    return {
        'hard reboot': [(lambda: nova.reboot_server(one, 'HARD'), back)],
        'soft reboot': [(lambda: nova.reboot_server(one, 'SOFT'), back)],
        'stop and start': [
            (lambda: nova.stop_server(one), 'SHUTOFF'),
            (lambda: nova.start_server(one), back),
        ],
        'suspend and resume': [
            (lambda: nova.suspend_server(one), 'SUSPENDED'),
            (lambda: nova.resume_server(one), back),
        ],
        'pause and unpause': [
            (lambda: nova.pause_server(one), 'PAUSED'),
            (lambda: nova.unpause_server(one), back),
        ],
        'rescue and unrescue': [
            (lambda: nova.rescue_server(one), 'RESCUE'),
            (lambda: server.expect(guest.STANDARD, guest.DIRECT), 'RESCUE'),
            (lambda: nova.unrescue_server(one), back),
        ],
        'rebuild': [
            (
                lambda: nova.rebuild_server(one, cloud.images['agent']),
                back,
            )
        ],
        'resize and confirm': [
            (
                lambda: nova.resize_server(one, cloud.flavors['bigger']),
                'VERIFY_RESIZE',
            ),
            (lambda: nova.confirm_server_resize(one), back),
        ],
        'resize and revert': [
            (
                lambda: nova.resize_server(one, cloud.flavors['small']),
                'VERIFY_RESIZE',
            ),
            (lambda: nova.revert_server_resize(one), back),
        ],
        'cold migration': [
            (lambda: nova.migrate_server(one), 'VERIFY_RESIZE'),
            (lambda: nova.confirm_server_resize(one), back),
        ],
        'shelve and unshelve': [
            (lambda: nova.shelve_server(one), 'SHELVED_OFFLOADED'),
            (lambda: nova.unshelve_server(one), back),
        ],
    }
