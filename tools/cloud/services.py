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

"""The services that the cloud has once: keystone, glance and so on."""

from collections.abc import Callable
from concurrent import futures
import pathlib
import sys

import openstack

from cloud import layout
from cloud import programs
from nova_qga.tests.fixtures import process

WSGI = str(pathlib.Path(__file__).with_name('wsgi.py'))

#: Types of the services, as the catalog has them.
CATALOG = {
    'glance': 'image',
    'placement': 'placement',
    'neutron': 'network',
    'nova': 'compute',
}


def create_databases(run: programs.Programs) -> None:
    """Fill the services' databases, and give keystone its administrator."""
    etc = run.place.etc
    nova = (f'{run.place.programs}/nova-manage', *nova_files(run.place))
    database = (
        f'mysql+pymysql://root@127.0.0.1:{run.place.ports["database"]}'
        '/nova_cell0?charset=utf8'
    )
    glance = ('glance-manage', '--config-file', f'{etc}/glance-api.conf')
    neutron = ('neutron-db-manage', '--config-file', f'{etc}/neutron.conf')
    placement = ('placement-manage', '--config-file', f'{etc}/placement.conf')
    cell0 = ('map_cell0', '--database_connection', database)
    together(
        lambda: _bootstrap(run),
        lambda: [
            run.run(*nova, *words)
            for words in (
                ('api_db', 'sync'),
                ('cell_v2', *cell0),
                ('cell_v2', 'create_cell', '--name', 'cell1'),
                ('db', 'sync'),
            )
        ],
        lambda: run.run(*neutron, 'upgrade', 'heads'),
        lambda: run.run(*glance, 'db_sync'),
        lambda: run.run(*placement, 'db', 'sync'),
    )


def start(run: programs.Programs) -> None:
    """Start them all, and return when they answer."""
    _start_api(run, 'keystone')
    _fill_catalog(run.place)
    files = nova_files(run.place)
    for name in ('nova-conductor', 'nova-scheduler'):
        run.start(name, str(run.place.programs / name), *files)
    others = [name for name in layout.APIS if name != 'keystone']
    together(*(lambda name=name: _start_api(run, name) for name in others))


def nova_files(place: layout.Layout) -> list[str]:
    """Return the options that name the files of Nova's controllers."""
    names = ('nova.conf', 'nova-databases.conf')
    return [
        word
        for name in names
        for word in ('--config-file', str(place.etc / name))
    ]


def together(*steps: Callable[[], object]) -> None:
    """Do several things at once; raise what the first of them raised."""
    with futures.ThreadPoolExecutor(len(steps)) as pool:
        for done in [pool.submit(step) for step in steps]:
            done.result()


def _bootstrap(run: programs.Programs) -> None:
    file = str(run.place.etc / 'keystone.conf')
    keystone = ('keystone-manage', '--config-file', file)
    url = run.place.url('keystone')
    (run.place.run / 'keystone').mkdir()
    run.run(*keystone, 'db_sync')
    account = ('--keystone-user', 'root', '--keystone-group', 'root')
    run.run(*keystone, 'fernet_setup', *account)
    run.run(
        *keystone,
        'bootstrap',
        *('--bootstrap-password', layout.PASSWORD),
        *('--bootstrap-admin-url', url),
        *('--bootstrap-internal-url', url),
        *('--bootstrap-public-url', url),
        *('--bootstrap-region-id', 'RegionOne'),
    )


def _start_api(run: programs.Programs, name: str) -> None:
    port = run.place.ports[name]
    module = layout.APIS[name]
    service = run.start(f'{name}-api', sys.executable, WSGI, module, str(port))
    service.wait_until(
        lambda: process.accepts(('127.0.0.1', port)),
        f'the API of {name} listens',
        300,
    )


def _fill_catalog(place: layout.Layout) -> None:
    identity = openstack.connect(layout.CLOUD).identity
    for name, kind in CATALOG.items():
        service = identity.create_service(name=name, type=kind)
        for interface in ('public', 'internal'):
            identity.create_endpoint(
                service_id=service.id,
                interface=interface,
                url=place.url(name),
                region_id='RegionOne',
            )
