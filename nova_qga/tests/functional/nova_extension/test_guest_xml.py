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
import tempfile
import unittest

from lxml import etree

from nova_qga.tests.fixtures import shared

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


def guest_xml(properties=None, extended=True, flavor=None):
    return {
        'name': 'guest_xml',
        'uuid': UUID,
        'properties': properties or {},
        'extended': extended,
        'flavor': flavor,
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
    eventlet = False

    def setUp(self):
        self.nova = shared.nova_compute(eventlet=self.eventlet)

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
                    'direct_channel_dir': '/var',
                }
            }
        )
        direct = (
            'com.example.qga',
            f'/var/com.example.qga.{NAME}.sock',
        )
        self.assertEqual([STANDARD, direct], channels(xml))

    def test_nothing_but_the_channels_differs_from_novas_xml(self):
        """The metadata among it: the image's property is not in there."""
        for properties in (
            {},
            {'hw_qemu_guest_agent': 'yes', 'hw_disk_bus': 'scsi'},
            {'hw_qemu_guest_agent': 'no', 'hw_disk_bus': 'scsi'},
            {'os_type': 'windows', 'hw_disk_bus': 'sata'},
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


class GuestXmlWithEventletTest(GuestXmlTest):
    eventlet = True


class PolicyTest(unittest.TestCase):
    """Each policy, and what image and flavor say."""

    eventlet = False

    def setUp(self):
        self.nova = shared.nova_compute(eventlet=self.eventlet)

    def assert_obeyed(self, started, gets):
        """The guest has both channels and Nova's features, or has none."""
        xml, refused = started.results
        self.assertEqual(
            [STANDARD, DIRECT] if gets else [], channels(xml['xml'])
        )
        reason = None if gets else 'QemuGuestAgentNotEnabled'
        self.assertEqual(
            {'set_admin_password': reason, 'quiesce': reason},
            {k: v for k, v in refused.items() if k != 'image_untouched'},
        )
        self.assertTrue(xml['image_untouched'])
        self.assertTrue(refused['image_untouched'])

    def start(self, config, properties, flavor, sabotage=None):
        given = {'uuid': UUID, 'properties': properties, 'flavor': flavor}
        calls = ({'name': 'guest_xml', **given}, {'name': 'refusals', **given})
        return self.nova.start({'qga': config}, calls=calls, sabotage=sabotage)

    def test_policy_image_and_flavor_decide_together(self):
        yes, no = {'hw_qemu_guest_agent': 'yes'}, {'hw_qemu_guest_agent': 'no'}
        f_yes, f_no = {'qga:channel': 'yes'}, {'qga:channel': 'no'}
        for policy, properties, flavor, gets in (
            ('all', {}, {}, True),
            ('all', no, {}, False),
            ('all', {}, f_no, False),
            ('all', yes, f_no, False),
            ('all', no, f_yes, False),
            ('image', {}, {}, False),
            ('image', yes, {}, True),
            ('image', {}, f_yes, True),
            ('image', yes, f_no, False),
            ('none', {}, {}, False),
            ('none', yes, f_yes, False),
        ):
            with self.subTest(policy=policy, image=properties, flavor=flavor):
                started = self.start(
                    {'channel_policy': policy}, properties, flavor
                )
                self.assert_obeyed(started, gets)
                [line] = started.lines_of_qga()
                self.assertIn(f'[qga]channel_policy is {policy}', line)

    def test_switched_off_nova_decides_as_without_us(self):
        for properties, gets in (
            ({'hw_qemu_guest_agent': 'yes'}, True),
            ({}, False),
        ):
            with self.subTest(properties=properties):
                started = self.start({'enabled': 'false'}, properties, {})
                xml, refused = started.results
                self.assertEqual(
                    [STANDARD] if gets else [], channels(xml['xml'])
                )
                self.assertEqual(
                    None if gets else 'QemuGuestAgentNotEnabled',
                    refused['quiesce'],
                )

    def test_an_extra_spec_that_is_neither_is_said_and_taken_for_unset(self):
        started = self.start({}, {}, {'qga:channel': 'maybe'})
        self.assert_obeyed(started, True)
        warnings = [
            line
            for line in started.lines_of_qga()
            if line.startswith('WARNING')
        ]
        self.assertTrue(warnings)
        for line in warnings:
            self.assertIn('qga:channel of flavor tiny', line)

    def test_a_fault_of_ours_leaves_the_guest_to_nova(self):
        for sabotage in (
            'policy_fails',
            'metadata_cannot_be_copied',
            'flavor_cannot_be_read',
            'direct_channel_fails',
        ):
            for properties in ({}, {'hw_qemu_guest_agent': 'yes'}):
                with self.subTest(sabotage=sabotage, image=properties):
                    started = self.start({}, properties, {}, sabotage)
                    xml, refused = started.results
                    beside = sabotage == 'direct_channel_fails'
                    novas = bool(properties) or beside
                    self.assertEqual(
                        [STANDARD] if novas else [], channels(xml['xml'])
                    )
                    self.assertEqual(novas, refused['quiesce'] is None)
                    self.assertIn('nobody thought of', started.log)

    def test_a_folder_that_goes_missing_costs_the_direct_channel_only(self):
        with tempfile.TemporaryDirectory() as folder:
            started = self.nova.start(
                {'qga': {'direct_channel_dir': folder}},
                calls=(
                    {'name': 'remove_folder', 'path': folder},
                    guest_xml(),
                    {'name': 'make_folder', 'path': folder},
                    guest_xml(),
                ),
            )
        _, missing, _, there = started.results
        self.assertEqual([STANDARD], channels(missing['xml']))
        self.assertEqual(2, len(channels(there['xml'])))
        [_, warning] = started.lines_of_qga()
        self.assertRegex(warning, '^WARNING .*make it, writable')


class PolicyWithEventletTest(PolicyTest):
    eventlet = True


class NovaFeaturesTest(unittest.TestCase):
    """changePassword and quiesced snapshots, which ask for the property."""

    eventlet = False

    def setUp(self):
        self.nova = shared.nova_compute(eventlet=self.eventlet)

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


class NovaFeaturesWithEventletTest(NovaFeaturesTest):
    eventlet = True
