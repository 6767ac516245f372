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

"""Every metric reaches a real Gnocchi by a real Ceilometer.

With the files that we ship, and the pipeline and the resource type that the
documentation tells an operator to make.
"""

import shlex
import unittest
import uuid

import fixtures
import oslo_messaging as messaging
import yaml

from nova_qga.collectors import base
from nova_qga.publishers import payload
from nova_qga.tests.fixtures import ceilometer
from nova_qga.tests.fixtures import doc_pages
from nova_qga.tests.fixtures import every_metric
from nova_qga.tests.fixtures import gnocchi
from nova_qga.tests.fixtures import made_samples
from nova_qga.tests.fixtures import notifications
from nova_qga.tests.fixtures import shared
from nova_qga.tests.functional.publishers import test_ceilometer

PAGE = 'admin/ceilometer.rst', 'Gnocchi'
INSTALLED = '/etc/ceilometer'
#: Else Ceilometer would ask Keystone for a project.
ALONE = 'enable_filter_project=false'
START = 1767225600


def pipeline():
    """What the documentation has pipeline.yaml say."""
    text = doc_pages.code(*PAGE, 'yaml')
    assert f'{INSTALLED}/gnocchi_resources.d' in text
    text = text.replace(INSTALLED, str(ceilometer.SHIPPED))
    text = text.replace('.yaml\n', f'.yaml&{ALONE}\n')
    return yaml.safe_load(
        text.replace('gnocchi://\n', f'gnocchi://?{ALONE}\n')
    )


def resource_type():
    """The words by which the documentation has a type made."""
    command = doc_pages.code(*PAGE, 'console').replace('\\\n', '')
    program, noun, *words = shlex.split(command.removeprefix('$ '))
    assert (program, noun) == ('openstack', 'metric'), command
    return words


def samples(guest, round_number):
    """What is measured of a guest in a round."""
    values = every_metric.samples(float(100 + 10 * round_number))
    moment = START + 60 * round_number
    return made_samples.samples(uuid=guest)._replace(
        parts=(made_samples.part(*values, moment=moment),)
    )


def disk_of(guest, name, value):
    """What is measured of a guest with one disk."""
    return made_samples.samples(
        base.Sample(made_samples.READ, value, ('device', name)), uuid=guest
    )


class GnocchiTest(fixtures.TestWithFixtures, unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # They are slow to start, and each test has a guest of its own.
        cls.broker = shared.broker()
        cls.gnocchi = cls.keep(gnocchi.Gnocchi())
        cls.gnocchi.client(*resource_type())
        cls.agent = cls.keep(
            ceilometer.NotificationAgent(
                cls.broker.url,
                pipeline(),
                [f'gnocchi://?{ALONE}'],
                cls.gnocchi.options,
            )
        )

    @classmethod
    def keep(cls, fixture):
        cls.addClassCleanup(fixture.cleanUp)
        fixture.setUp()
        return fixture

    def setUp(self):
        super().setUp()
        self.guest = str(uuid.uuid4())
        self.publisher = test_ceilometer.publisher(self, self.broker.url)

    def nova_tells_of_the_guest(self):
        """As Nova does when it has built one; Ceilometer listens."""
        conf = self.useFixture(notifications.Messaging(self.broker.url)).conf
        transport = messaging.get_notification_transport(conf)
        self.addCleanup(transport.cleanup)
        nova = messaging.Notifier(
            transport,
            publisher_id=f'compute.{test_ceilometer.HOST}',
            driver='messagingv2',
            topics=['notifications'],
            retry=0,
        )
        nova.info(
            {},
            'compute.instance.create.end',
            {
                'instance_id': self.guest,
                'display_name': 'built',
                'tenant_id': 'project-1',
                'user_id': 'user-1',
                'instance_type': 'm1.small',
                'instance_flavor_id': '1',
                'state': 'active',
                'availability_zone': 'nova',
            },
        )
        self.gnocchi.wait_until(
            lambda: self.gnocchi.get(f'resource/instance/{self.guest}'),
            'Ceilometer has made the instance',
        )

    def publish(self, rounds):
        """Send what is measured, and wait until Ceilometer is done with it."""
        count = 0
        for number in range(rounds):
            taken = samples(self.guest, number)
            self.publisher.publish([taken])
            count += len(taken.parts[0].samples)
        # What it writes to the file it has sent to Gnocchi before.
        self.agent.wait_for(self.guest, count)
        return payload.of(taken, test_ceilometer.HOST)['samples']

    def names_of_guest(self, kind):
        """Names of the guest's resources of a type."""
        return {
            each['name']
            for each in self.gnocchi.get(f'resource/{kind}')
            if each['instance_id'] == self.guest
        }

    def complaints(self):
        """What Ceilometer has logged of the guest, or of any metric."""
        return [
            line
            for line in self.agent.logged().splitlines()
            if self.guest in line or 'not handled by Gnocchi' in line
        ]

    def test_every_metric_is_at_a_resource_of_the_guest(self):
        self.nova_tells_of_the_guest()
        sent = self.publish(2)
        self.assertEqual([], self.complaints())
        found = set()
        for original in {each['resource_id'] for each in sent}:
            resource = self.gnocchi.get(f'resource/generic/{original}')
            self.assertEqual('project-1', resource['project_id'])
            found |= {(original, name) for name in resource['metrics']}
        self.assertEqual(
            {(each['resource_id'], each['name']) for each in sent}, found
        )

    def test_resources_say_what_they_are_of(self):
        self.nova_tells_of_the_guest()
        self.publish(1)
        instance = self.gnocchi.get(f'resource/instance/{self.guest}')
        self.assertEqual('web', instance['display_name'])
        self.assertEqual(test_ceilometer.HOST, instance['host'])
        for kind, names in (
            ('nova_qga_cpu', {'cpu-user', 'cpu-0-user'}),
            ('instance_disk', {'vda1'}),
            ('instance_network_interface', {'eth0'}),
        ):
            with self.subTest(type=kind):
                self.assertEqual(names, self.names_of_guest(kind))

    def test_what_only_grows_has_a_rate(self):
        self.nova_tells_of_the_guest()
        self.publish(2)
        resource = f'{self.guest}-vda1'
        self.assertEqual(
            [10.0],
            self.gnocchi.measures(
                resource, 'guest.disk.read.bytes', 'rate:mean'
            ),
        )
        self.assertEqual(
            [105.0],
            self.gnocchi.measures(resource, 'guest.filesystem.used', 'mean'),
        )

    def test_devices_are_kept_of_a_guest_that_ceilometer_does_not_know(self):
        self.publish(1)
        self.assertIn(
            f'Error creating resource {self.guest}',
            '\n'.join(self.complaints()),
        )
        self.assertIsNone(self.gnocchi.get(f'resource/generic/{self.guest}'))
        self.assertEqual({'vda1'}, self.names_of_guest('instance_disk'))

    def test_guests_of_one_message_have_their_own_resources(self):
        other = str(uuid.uuid4())
        self.publish_together(
            disk_of(self.guest, 'vda', 1.0), disk_of(other, 'vda', 2.0)
        )
        self.assertEqual({'vda'}, self.names_of_guest('instance_disk'))
        for guest, value in ((self.guest, 1.0), (other, 2.0)):
            self.assertEqual([value], self.read_bytes(guest, 'vda'))

    def test_a_guest_with_a_name_that_is_too_long_costs_no_other_a_thing(self):
        hostile = str(uuid.uuid4())
        self.publish_together(
            disk_of(hostile, 'x' * 256, 1.0), disk_of(self.guest, 'vda', 2.0)
        )
        self.assertEqual([2.0], self.read_bytes(self.guest, 'vda'))

    def publish_together(self, *guests):
        """Send the samples of guests, one each, in one message."""
        together = test_ceilometer.publisher(
            self, self.broker.url, batch_size=len(guests)
        )
        together.publish(guests)
        for each in guests:
            self.agent.wait_for_resources(each.instance_uuid, 1)

    def read_bytes(self, guest, disk):
        return self.gnocchi.measures(
            f'{guest}-{disk}', made_samples.READ.name, 'mean'
        )
