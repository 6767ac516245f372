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

"""The whole cloud: started, and at hand for the scenarios."""

from collections.abc import Iterator
import contextlib
import os
import shutil

from cloud import api
from cloud import command_line
from cloud import compute_host
from cloud import configuration
from cloud import database
from cloud import guest
from cloud import layout
from cloud import programs
from cloud import report
from cloud import services
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import rabbitmq


class Cloud:
    """What a scenario works with.

    :ivar qga: nova-qga and openstack
    :ivar heard: the notifications on the bus
    :ivar images: ids, by ``plain`` (no property), ``agent``
        (``hw_qemu_guest_agent=yes``), ``refuses`` (``=no``), ``quiesce``
        (``os_require_quiesce=yes``)
    :ivar flavors: ids, by ``small``, ``bigger``, ``refuses``
        (``qga:channel=no``), ``asks`` (``=yes``)
    """

    def __init__(
        self,
        run: programs.Programs,
        hosts: dict[str, compute_host.ComputeHost],
        heard: notifications.Listener,
    ) -> None:
        self.place = run.place
        self.hosts = hosts
        self.heard = heard
        self.qga = command_line.CommandLine(run)
        self.api = api.Api(run.place)
        self.images: dict[str, str] = {}
        self.flavors: dict[str, str] = {}

    def create(
        self,
        name: str,
        *,
        host: str,
        image: str = 'plain',
        flavor: str = 'small',
    ) -> guest.Guest:
        """Create a server, and return when Nova says that it is active."""
        server = self.api.create_server(
            name,
            image=self.images[image],
            flavor=self.flavors[flavor],
            host=host,
        )
        return guest.Guest(server, self.api, self.hosts, self.qga)

    def fill(self) -> None:
        """Upload the images and make the flavors."""
        asks = 'hw_qemu_guest_agent'
        for name, properties in {
            'plain': {},
            'agent': {asks: 'yes'},
            'refuses': {asks: 'no'},
            'quiesce': {'os_require_quiesce': 'yes'},
        }.items():
            self.images[name] = self.api.image(name, **properties)
        self.flavors['small'] = self.api.flavor('small')
        self.flavors['bigger'] = self.api.flavor('bigger', 224)
        for name, value in {'refuses': 'no', 'asks': 'yes'}.items():
            flavor = self.api.flavor(name, qga__channel=value)
            self.flavors[name] = flavor


@contextlib.contextmanager
def cloud(place: layout.Layout, told: report.Report) -> Iterator[Cloud]:
    """Start a cloud; kill all of it at the end, and forget its state."""
    with contextlib.ExitStack() as parts:
        parts.callback(shutil.rmtree, place.run, ignore_errors=True)
        run = programs.Programs(place, parts)
        os.environ['OS_CLIENT_CONFIG_FILE'] = f'{place.etc}/clouds.yaml'
        hosts = {
            name: compute_host.ComputeHost(run, name)
            for name in layout.ADDRESSES
        }
        broker = rabbitmq.RabbitMQ()
        _make_keys(run)
        services.together(
            lambda: parts.enter_context(broker),
            lambda: database.start(run),
            *(lambda host=host: _power_on(host) for host in hosts.values()),
        )
        told.say('RabbitMQ, MariaDB and a libvirtd on each host run')
        configuration.write_services(place, broker.url)
        heard = parts.enter_context(notifications.Listener(broker.url))
        services.create_databases(run)
        told.say('the databases are made')
        services.start(run)
        told.say('the services run')
        _start_hosts(run, hosts)
        told.say('nova-compute and nova-qga-agent run on each host')
        made = Cloud(run, hosts, heard)
        made.fill()
        told.say('images and flavors are made')
        yield made


def _make_keys(run: programs.Programs) -> None:
    """Make the ssh keys of the hosts: one to be known by, one to enter."""
    folder = run.place.run / 'ssh'
    folder.mkdir(mode=0o700)
    for name in ('host_key', 'id_ed25519'):
        options = ('-q', '-t', 'ed25519', '-N', '')
        run.run('ssh-keygen', *options, '-f', str(folder / name))
    shutil.copy(folder / 'id_ed25519.pub', folder / 'authorized_keys')


def _power_on(host: compute_host.ComputeHost) -> None:
    host.prepare()
    host.boot()


def _start_hosts(
    run: programs.Programs, hosts: dict[str, compute_host.ComputeHost]
) -> None:
    services.together(*(host.start_compute for host in hosts.values()))
    discover = ('cell_v2', 'discover_hosts')
    run.run('nova-manage', *services.nova_files(run.place), *discover)
    for host in hosts.values():
        host.start_agent()
    asked = command_line.CommandLine(run)

    def all_answer() -> bool:
        try:
            for host in hosts.values():
                asked.nova_qga(host.name, '--timeout', '5', 'guest', 'list')
        except programs.ProgramFailed:
            return False
        return True

    if not process.wait_until(all_answer, compute_host.START):
        raise report.NotAsPromised('nova-qga-agent does not answer')
