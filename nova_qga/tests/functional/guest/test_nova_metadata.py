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

"""What Nova itself writes of image and flavor into a domain is understood."""

import unittest

from nova_qga.guest import description
from nova_qga.tests.fixtures import shared

UUID = '6f1b8c1e-4f0a-4f7d-9a9e-1a2b3c4d5e6f'


class MetadataTest(unittest.TestCase):
    def test_image_and_flavor_are_understood_as_nova_writes_them(self):
        said = (
            (None, None),
            ('no', None),
            (None, 'no'),
            ('yes', 'no'),
            ('no', 'yes'),
        )
        calls = [
            {
                'name': 'guest_xml',
                'uuid': UUID,
                'properties': {'hw_qemu_guest_agent': image} if image else {},
                'extended': True,
                'flavor': {'qga:channel': flavor} if flavor else None,
            }
            for image, flavor in said
        ]
        meant = {'yes': True, 'no': False, None: None}
        started = shared.nova_compute().start(calls=calls)
        for (image, flavor), result in zip(said, started.results, strict=True):
            with self.subTest(image=image, flavor=flavor):
                found = description.parse(result['xml'])
                self.assertIs(meant[image], found.image_says)
                self.assertIs(meant[flavor], found.flavor_says)
