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

"""Where everything of the cloud is: folders, ports, addresses, accounts.

Ports are picked anew for each run, so that nothing of the machine's own is
in the way. The hosts' loopback addresses are no other program's.
"""

import dataclasses
import pathlib

from nova_qga.tests.fixtures import rabbitmq

#: The compute hosts and their addresses.
ADDRESSES = {'cmp1': '127.0.0.11', 'cmp2': '127.0.0.12'}

#: The services with an API, and the modules of their WSGI applications.
APIS = {
    'keystone': 'keystone.wsgi.api',
    'glance': 'glance.wsgi.api',
    'placement': 'placement.wsgi.api',
    'neutron': 'neutron.wsgi.api',
    'nova': 'nova.wsgi.osapi_compute',
}

#: Name of the cloud in clouds.yaml.
CLOUD = 'acceptance'

#: Before 2.95, with which an evacuated server stays stopped.
MICROVERSION = '2.94'

#: Of the cloud's administrator. The cloud lives on loopback addresses.
PASSWORD = 'secret'


@dataclasses.dataclass(frozen=True)
class Layout:
    """One run of the cloud.

    :ivar folder: what is installed and built, and :attr:`run` and :attr:`log`
    :ivar ports: of the services on 127.0.0.1, and ``ssh`` and ``libvirt``,
        which are on each host's address
    """

    folder: pathlib.Path
    ports: dict[str, int]

    @property
    def programs(self) -> pathlib.Path:
        return self.folder / 'venv/bin'

    @property
    def guest(self) -> pathlib.Path:
        """Disk of the test guest."""
        return self.folder / 'guest.img'

    @property
    def run(self) -> pathlib.Path:
        """All state, gone when the run is over."""
        return self.folder / 'run'

    @property
    def etc(self) -> pathlib.Path:
        """The configuration, kept with the logs."""
        return self.log / 'etc'

    @property
    def log(self) -> pathlib.Path:
        """The logs of the last run."""
        return self.folder / 'log'

    def url(self, service: str) -> str:
        """Return where a service's API is."""
        path = {'keystone': '/v3', 'nova': '/v2.1'}.get(service, '')
        return f'http://127.0.0.1:{self.ports[service]}{path}'


def new(folder: pathlib.Path) -> Layout:
    """Return a layout with ports that nobody has."""
    names = [*APIS, 'database', 'ssh', 'libvirt']
    ports: dict[str, int] = {}
    while len(set(ports.values())) < len(names):
        ports = {name: rabbitmq.free_port() for name in names}
    return Layout(folder=folder, ports=ports)
