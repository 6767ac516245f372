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

"""nova-qga by server UUID: the host is found through Nova's API."""

from collections.abc import Iterator
import hashlib
import os
import secrets

from passlib.hash import sha512_crypt

from cloud import deployment
from cloud import guest
from cloud import programs
from cloud import report

KEY = (
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICijG/6/pWkqQrplBqqI/'
    'Mx1RIaxSzAc8+rt1wQYKLpK alice@example'
)


def run(cloud: deployment.Cloud) -> Iterator[str]:
    """On a server of each host, then what is asked of all hosts."""
    servers = {}
    for host in cloud.hosts:
        yield f'a server is created on {host}'
        server = servers[host] = cloud.create(f'on-{host}', host=host)
        server.expect(guest.STANDARD, guest.DIRECT)
        yield from _of_one(cloud, server)
    yield from _of_all(cloud, servers)
    for server in servers.values():
        cloud.api.delete_server(server.id)


def _of_one(cloud: deployment.Cloud, server: guest.Guest) -> Iterator[str]:
    qga, one = cloud.qga, server.id
    name = server.host.name
    yield f'{name}: guest ping answers over the direct channel'
    answer = qga.ask(None, 'guest', 'ping', one)
    if answer['channel'] != 'direct':
        raise report.NotAsPromised(f'it says {answer}')
    yield f'{name}: guest show tells its host name'
    shown = qga.ask(None, 'guest', 'show', one)
    if shown['host_name'] != server.inspect('hostname').strip():
        raise report.NotAsPromised(f'it says {shown}')
    yield f'{name}: password set sets it in the guest'
    password = secrets.token_urlsafe(12)
    qga.nova_qga(None, 'password', 'set', one, '--stdin', given=password)
    entry = server.inspect('grep ^root: /etc/shadow').split(':')[1]
    if not sha512_crypt.verify(password, entry):
        raise report.NotAsPromised(f'/etc/shadow has {entry}')
    yield f'{name}: key add adds it for its account alone'
    file = cloud.place.run / 'key.pub'
    file.write_text(f'{KEY}\n')
    words = ('--user', 'ubuntu', '--key-file', str(file))
    qga.nova_qga(None, 'key', 'add', one, *words)
    keys = server.inspect('cat /home/ubuntu/.ssh/authorized_keys').split('\n')
    if KEY not in keys:
        raise report.NotAsPromised(f'there are the keys {keys}')
    yield f'{name}: file put and file get carry 2 MB unchanged'
    _carry_file(cloud, server)
    yield f'{name}: metrics show tells its memory'
    rows = qga.ask(None, 'metrics', 'show', one)
    found = {row['Name']: row['Value'] for row in rows}
    total = server.inspect('grep MemTotal /proc/meminfo').split()[1]
    if found.get('guest.memory.total') != int(total) * 1024:
        raise report.NotAsPromised(f'it says {found}')
    yield f'{name}: its samples come as notifications'
    cloud.heard.next('instance.guest.metrics', 120, instance_id=one)
    yield f'{name}: execute is denied unless the operator allows it'
    try:
        qga.nova_qga(None, 'execute', one, '--', '/bin/true')
    except programs.ProgramFailed as failed:
        if failed.status != 6:
            raise
    else:
        raise report.NotAsPromised('it was run')


def _carry_file(cloud: deployment.Cloud, server: guest.Guest) -> None:
    sent, fetched = (cloud.place.run / name for name in ('sent', 'fetched'))
    sent.write_bytes(os.urandom(2_000_003))
    fetched.unlink(missing_ok=True)
    cloud.qga.nova_qga(
        None, 'file', 'put', server.id, str(sent), '/tmp/carried'
    )
    digest = hashlib.sha256(sent.read_bytes()).hexdigest()
    if digest not in server.inspect('sha256sum /tmp/carried'):
        raise report.NotAsPromised('the file is another in the guest')
    cloud.qga.nova_qga(
        None, 'file', 'get', server.id, '/tmp/carried', str(fetched)
    )
    if fetched.read_bytes() != sent.read_bytes():
        raise report.NotAsPromised('another file came back')


def _of_all(
    cloud: deployment.Cloud, servers: dict[str, guest.Guest]
) -> Iterator[str]:
    yield 'guest list shows the servers of both hosts'
    rows = cloud.qga.ask(None, 'guest', 'list')
    listed = {row['UUID']: row['Host'] for row in rows}
    for host, server in servers.items():
        if listed.get(server.id) != host:
            raise report.NotAsPromised(f'it says {listed}')
    yield 'guest coverage finds an agent in each'
    rows = cloud.qga.ask(None, 'guest', 'coverage', '--long')
    for row in rows:
        if (row['Status'], row['Channel']) != ('ok', 'direct,standard'):
            raise report.NotAsPromised(f'it says {row}')
    yield 'guest coverage counts them by host'
    rows = cloud.qga.ask(None, 'guest', 'coverage', '--totals', 'host')
    counted = {row['Host']: (row['Guests'], row['Agent']) for row in rows}
    if set(counted) != set(servers) or (0, 0) in counted.values():
        raise report.NotAsPromised(f'it says {counted}')
    if any(guests != agents for guests, agents in counted.values()):
        raise report.NotAsPromised(f'it says {counted}')
