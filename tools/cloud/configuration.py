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

"""Write the configuration of every service from the templates in etc/."""

import pathlib
import string
import uuid

from cloud import layout

TEMPLATES = pathlib.Path(__file__).with_name('etc')

#: How a service signs in to the others.
CREDENTIALS = """\
auth_type = password
auth_url = {keystone}
username = admin
password = {password}
project_name = admin
user_domain_id = default
project_domain_id = default
region_name = RegionOne"""

SERVICES = (
    'keystone.conf',
    'glance-api.conf',
    'placement.conf',
    'neutron.conf',
    'ml2_conf.ini',
    'nova.conf',
    'nova-databases.conf',
    'nova-qga.conf',
    'clouds.yaml',
)


def write_services(place: layout.Layout, broker: str) -> None:
    """Write the files of the services that the cloud has once.

    :param broker: its URL
    """
    values = _values(place, broker)
    place.etc.mkdir(parents=True, exist_ok=True)
    for name in SERVICES:
        (place.etc / name).write_text(_rendered(name, values))
    paste = place.folder / 'venv/etc/nova/api-paste.ini'
    (place.etc / paste.name).write_text(paste.read_text())


def write_host(place: layout.Layout, host: str, root: pathlib.Path) -> None:
    """Write the files of one compute host.

    :param root: folder of what is the host's own
    """
    address = layout.ADDRESSES[host]
    privsep = (
        f'{place.programs}/privsep-helper --config-file {place.etc}/nova.conf '
        f'--config-file {place.etc}/{host}.conf'
    )
    values = _values(place, '') | {
        'host': host,
        'address': address,
        'uuid': str(uuid.uuid5(uuid.NAMESPACE_DNS, host)),
        'privsep': privsep,
    }
    for template, target in (
        ('nova-compute.conf', place.etc / f'{host}.conf'),
        ('libvirtd.conf', root / 'etc/libvirtd.conf'),
        ('qemu.conf', root / 'etc/qemu.conf'),
        ('sshd_config', root / 'sshd_config'),
        ('ssh_config', root / 'ssh/config'),
    ):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_rendered(template, values))
    (root / 'etc/virtlogd.conf').write_text('')
    hosts = pathlib.Path('/etc/hosts').read_text()
    for name, its_address in layout.ADDRESSES.items():
        hosts += f'{its_address} {name}\n'
    (root / 'hosts').write_text(hosts)


def _values(place: layout.Layout, broker: str) -> dict[str, str]:
    values = {
        'broker': broker,
        'cloud': layout.CLOUD,
        'database': (
            f'mysql+pymysql://root@127.0.0.1:{place.ports["database"]}'
        ),
        'keystone': place.url('keystone'),
        'libvirt_port': str(place.ports['libvirt']),
        'microversion': layout.MICROVERSION,
        'password': layout.PASSWORD,
        'run': str(place.run),
        'ssh_port': str(place.ports['ssh']),
        'venv': str(place.folder / 'venv'),
    }
    values['credentials'] = CREDENTIALS.format(**values)
    values['authtoken'] = _rendered('keystone_authtoken.conf', values)
    return values


def _rendered(name: str, values: dict[str, str]) -> str:
    text = (TEMPLATES / name).read_text()
    return string.Template(text).substitute(values)
