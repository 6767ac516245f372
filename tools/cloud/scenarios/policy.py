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

"""Which servers get channels: images, flavors and the hosts' policy."""

from collections.abc import Iterator

from openstack import exceptions

from cloud import deployment
from cloud import guest
from cloud import programs
from cloud import report

BOTH = (guest.STANDARD, guest.DIRECT)

#: Options of the host, image, flavor, what the server gets.
CASES = (
    ('', 'refuses', 'small', ()),
    ('', 'plain', 'refuses', ()),
    ('channel_policy = image', 'plain', 'small', ()),
    ('channel_policy = image', 'agent', 'small', BOTH),
    ('channel_policy = image', 'plain', 'asks', BOTH),
    ('channel_policy = none', 'agent', 'asks', ()),
    ('enabled = false', 'agent', 'small', (guest.STANDARD,)),
)


def run(cloud: deployment.Cloud) -> Iterator[str]:
    """Each on cmp2, with nova-compute restarted for its options."""
    yield 'nova-api refuses the extra spec qga:channel=maybe'
    _refused(cloud, 'qga:channel=maybe')
    yield 'nova-api refuses the extra spec qga:chanel=no'
    _refused(cloud, 'qga:chanel=no')
    before = ''
    for options, image, flavor, channels in CASES:
        yield (
            f'with "{options}" image "{image}" and flavor "{flavor}" give '
            f'{len(channels)} channels'
        )
        if options != before:
            cloud.hosts['cmp2'].restart_compute(options)
            before = options
        server = cloud.create(
            'policy', host='cmp2', image=image, flavor=flavor
        )
        server.expect(*channels)
        if not channels:
            _no_password(cloud, server)
        cloud.api.delete_server(server.id)
    yield 'cmp2 has the defaults again'
    cloud.hosts['cmp2'].restart_compute('')


def _refused(cloud: deployment.Cloud, spec: str) -> None:
    try:
        cloud.qga.openstack('flavor', 'set', '--property', spec, 'small')
    except programs.ProgramFailed as failed:
        if 'Validation failed' not in str(failed):
            raise
    else:
        raise report.NotAsPromised('it takes it')


def _no_password(cloud: deployment.Cloud, server: guest.Guest) -> None:
    """Nova's changePassword follows the same rule."""
    try:
        cloud.api.compute.change_server_password(server.id, 'none-of-it')
    except exceptions.ConflictException as conflict:
        if 'QEMU guest agent is not enabled' not in str(conflict):
            raise
    else:
        raise report.NotAsPromised('changePassword was taken')
