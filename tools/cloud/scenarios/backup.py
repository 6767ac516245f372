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


"""Servers of two hosts are frozen together for a backup, and rotated keys."""

from collections.abc import Iterator

from cloud import deployment
from cloud import guest
from cloud import programs
from cloud import report
from nova_qga.tests.fixtures import ssh_key

#: Called by the guest's agent around a freeze.
_HOOK = """
echo '#!/bin/sh' > /run/hook
echo 'echo "$1" >> /run/frozen' >> /run/hook
chmod 755 /run/hook
agent-stop 0
agent-start 0 -F/run/hook
"""


def run(cloud: deployment.Cloud) -> Iterator[str]:
    """Frozen and thawed as seen from inside, then keys of both."""
    yield 'a key is added to a server that is still being built'
    servers = [cloud.create('first', host='cmp1')]
    old, new = (cloud.place.run / f'{name}.pub' for name in ('old', 'new'))
    for file in (old, new):
        file.write_text(f'{ssh_key.make_ed25519()}\n')
    one, *_ = (server.id for server in servers)
    key = ('--user', 'ubuntu', '--key-file')
    wait = ('--wait-for-agent', '--timeout', '300')
    cloud.qga.nova_qga(None, *wait, 'key', 'add', one, *key, str(old))
    servers.append(cloud.create('second', host='cmp2'))
    for server in servers:
        server.expect(guest.STANDARD, guest.DIRECT)
        server.inspect(_HOOK)
        server.expect(guest.STANDARD, guest.DIRECT)
    yield from _freeze(cloud, servers)
    yield from _rotate(cloud, servers, str(old), str(new))
    for server in servers:
        cloud.api.delete_server(server.id)


def _freeze(
    cloud: deployment.Cloud, servers: list[guest.Guest]
) -> Iterator[str]:
    ids = [server.id for server in servers]
    yield 'freeze --group freezes servers of two hosts'
    cloud.qga.nova_qga(None, 'freeze', '--group', '--for', '120', *ids)
    for server in servers:
        _expect(server, 'freeze')
    yield 'nothing is written to a server that is frozen'
    written = str(cloud.place.run / 'new.pub')
    try:
        cloud.qga.nova_qga(None, 'file', 'put', ids[0], written, '/mnt/x')
    except programs.ProgramFailed as failed:
        if failed.status != 3:
            raise
    else:
        raise report.NotAsPromised('it was written')
    yield 'thaw lets them go on'
    cloud.qga.nova_qga(None, 'thaw', *ids)
    for server in servers:
        _expect(server, 'freeze thaw')
    yield 'a freeze ends with its lease'
    cloud.qga.nova_qga(None, 'freeze', '--for', '2', ids[1])
    told = ''
    while not told.endswith(':thaw'):
        # That of the request before comes first.
        event = 'instance.guest.thaw.end'
        told = cloud.heard.next(event, 60, instance_id=ids[1])['request_id']
    _expect(servers[1], 'freeze thaw freeze thaw')


def _expect(server: guest.Guest, wanted: str) -> None:
    seen = ' '.join(server.inspect('cat /run/frozen').split())
    if seen != wanted:
        raise report.NotAsPromised(f'the guest has seen {seen}')


def _rotate(
    cloud: deployment.Cloud, servers: list[guest.Guest], old: str, new: str
) -> Iterator[str]:
    ids = [server.id for server in servers]
    key = ('--user', 'ubuntu', '--key-file')
    yield 'key rotate puts new keys in the place of ours'
    cloud.qga.nova_qga(None, 'key', 'add', ids[1], *key, old)
    cloud.qga.nova_qga(None, 'key', 'rotate', *ids, *key, new)
    with open(new) as file:
        wanted = file.read().split()
    for server in servers:
        found = server.inspect('cat /home/ubuntu/.ssh/authorized_keys').split()
        if found != wanted:
            raise report.NotAsPromised(f'{server.id} has {found}')
