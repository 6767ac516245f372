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

"""Nova's changePassword, for a server whose image says nothing."""

from collections.abc import Iterator
import secrets

from passlib.hash import sha512_crypt

from cloud import deployment
from cloud import guest
from cloud import report


def run(cloud: deployment.Cloud) -> Iterator[str]:
    """From openstack to the guest's own /etc/shadow."""
    yield 'a server from the image "plain" is created'
    server = cloud.create('password', host='cmp2')
    server.expect(guest.STANDARD, guest.DIRECT)
    yield '"openstack server set --password" sets it in the guest'
    password = secrets.token_urlsafe(12)
    cloud.qga.openstack('server', 'set', '--password', password, server.id)
    cloud.api.settle(server.id)
    entry = server.inspect('grep ^root: /etc/shadow').split(':')
    if not sha512_crypt.verify(password, entry[1]):
        raise report.NotAsPromised(f'/etc/shadow has {entry[1]}')
    cloud.api.delete_server(server.id)
