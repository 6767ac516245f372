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

"""Tests of the XML that the extended LibvirtDriver makes for a guest.

Nova's own code makes it, in a started nova-compute, on Nova's own fake of
libvirt.
"""

import re
import unittest

from lxml import etree

from nova_qga.tests.fixtures import nova_compute

UUID = '6f1b8c1e-4f0a-4f7d-9a9e-1a2b3c4d5e6f'
NAME = 'instance-00000001'
STANDARD = (
    'org.qemu.guest_agent.0',
    f'/var/lib/libvirt/qemu/org.qemu.guest_agent.0.{NAME}.sock',
)
DIRECT = (
    'org.qemu.guest_agent.1',
    f'/var/lib/libvirt/qemu/org.qemu.guest_agent.1.{NAME}.sock',
)


def guest_xml(properties=None, extended=True):
    return {
        'name': 'guest_xml',
        'uuid': UUID,
        'properties': properties or {},
        'extended': extended,
    }


def channels(xml):
    """Name and socket of each channel, in order."""
    return [
        (
            element.find('target').get('name'),
            element.find('source').get('path'),
        )
        for element in etree.fromstring(xml).findall('devices/channel')
        if element.get('type') == 'unix'
    ]


def without_channels(xml):
    """The same XML with no channel, and no white space."""
    tree = etree.fromstring(xml)
    devices = tree.find('devices')
    for element in devices.findall('channel'):
        devices.remove(element)
    text = etree.tostring(tree, method='c14n').decode()
    return re.sub(r'\s+', '', without_time(text))


def without_time(xml):
    return re.sub('<nova:creationTime>[^<]*', '', xml)


class GuestXmlTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.nova = nova_compute.NovaCompute()
        cls.nova.setUp()
        cls.addClassCleanup(cls.nova.cleanUp)

    def xmls(self, config, *calls):
        started = self.nova.start(config, calls=calls)
        for result in started.results:
            self.assertTrue(result['image_untouched'])
        return [result['xml'] for result in started.results]

    def xml(self, config=None, **call):
        [xml] = self.xmls(config, guest_xml(**call))
        return xml

    def test_a_guest_gets_one_standard_and_one_direct_channel(self):
        self.assertEqual([STANDARD, DIRECT], channels(self.xml()))

    def test_a_guest_whose_image_asks_for_the_agent_gets_no_second_one(self):
        xml = self.xml(properties={'hw_qemu_guest_agent': 'yes'})
        self.assertEqual([STANDARD, DIRECT], channels(xml))

    def test_an_image_that_says_no_gets_the_channels_all_the_same(self):
        xml = self.xml(properties={'hw_qemu_guest_agent': 'no'})
        self.assertEqual([STANDARD, DIRECT], channels(xml))

    def test_nova_alone_gives_that_guest_none(self):
        self.assertEqual([], channels(self.xml(extended=False)))

    def test_without_a_direct_channel_there_is_the_standard_one(self):
        xml = self.xml({'qga': {'direct_channel': ''}})
        self.assertEqual([STANDARD], channels(xml))

    def test_name_and_folder_are_the_operators(self):
        xml = self.xml(
            {
                'qga': {
                    'direct_channel': 'com.example.qga',
                    'direct_channel_dir': '/run/nova-qga',
                }
            }
        )
        direct = (
            'com.example.qga',
            f'/run/nova-qga/com.example.qga.{NAME}.sock',
        )
        self.assertEqual([STANDARD, direct], channels(xml))

    def test_nothing_but_the_channels_differs_from_novas_xml(self):
        """The metadata among it: the image's property is not in there."""
        for properties in (
            {},
            {'hw_qemu_guest_agent': 'no', 'hw_disk_bus': 'scsi'},
        ):
            with self.subTest(properties=properties):
                ours, novas = self.xmls(
                    None,
                    guest_xml(properties),
                    guest_xml(properties, extended=False),
                )
                self.assertEqual(
                    without_channels(novas), without_channels(ours)
                )

    def test_the_standard_channel_is_the_one_nova_makes(self):
        """Where the image asks for it, the same XML to the letter."""
        asks = {'hw_qemu_guest_agent': 'yes'}
        ours, novas = self.xmls(
            {'qga': {'direct_channel': ''}},
            guest_xml(asks),
            guest_xml(asks, extended=False),
        )
        self.assertEqual(without_time(novas), without_time(ours))

    def test_the_spice_channel_is_left_alone(self):
        xml = self.xml({'spice': {'enabled': 'true'}})
        names = [
            element.get('name')
            for element in etree.fromstring(xml).findall(
                'devices/channel/target'
            )
        ]
        self.assertEqual(['com.redhat.spice.0', STANDARD[0], DIRECT[0]], names)

    def test_a_port_that_somebody_else_has_added_is_not_added_again(self):
        call = {'name': 'channels_beside', 'uuid': UUID, 'port': DIRECT[0]}
        [names] = self.nova.start(calls=(call,)).results
        self.assertEqual([DIRECT[0], STANDARD[0]], names)

    def test_a_guest_whose_path_is_too_long_boots_with_one_channel(self):
        name = 'a' * 80
        started = self.nova.start(
            {'DEFAULT': {'instance_name_template': name}},
            calls=(guest_xml(),),
        )
        [(port, _)] = channels(started.results[0]['xml'])
        self.assertEqual(STANDARD[0], port)
        [active, warning] = started.lines_of_qga()
        self.assertIn('is active', active)
        self.assertRegex(warning, '^WARNING .* standard channel only: .* 107')
        self.assertIn(UUID, warning)

    def test_a_container_gets_none(self):
        started = self.nova.start(
            {'libvirt': {'virt_type': 'lxc'}}, calls=(guest_xml(),)
        )
        self.assertEqual([], channels(started.results[0]['xml']))


class NovaFeaturesTest(unittest.TestCase):
    """changePassword and quiesced snapshots, which ask for the property."""

    @classmethod
    def setUpClass(cls):
        cls.nova = nova_compute.NovaCompute()
        cls.nova.setUp()
        cls.addClassCleanup(cls.nova.cleanUp)

    def refusals(self, config=None, **arguments):
        call = {
            'name': 'refusals',
            'uuid': UUID,
            'properties': {},
            **arguments,
        }
        [found] = self.nova.start(config, calls=(call,)).results
        self.assertTrue(found.pop('image_untouched'))
        return found

    def test_nova_does_both_for_an_image_without_the_property(self):
        self.assertEqual(
            {'set_admin_password': None, 'quiesce': None}, self.refusals()
        )

    def test_nova_alone_refuses_both(self):
        self.assertEqual(
            {
                'set_admin_password': 'QemuGuestAgentNotEnabled',
                'quiesce': 'QemuGuestAgentNotEnabled',
            },
            self.refusals(extended=False),
        )

    def test_it_does_so_without_a_direct_channel_too(self):
        self.assertEqual(
            {'set_admin_password': None, 'quiesce': None},
            self.refusals({'qga': {'direct_channel': ''}}),
        )
