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


"""What image and flavor say of monitoring stands in a guest's definition.

Nova's own code makes it, in a started nova-compute, on Nova's own fake of
libvirt.
"""

import unittest

import libvirt
from lxml import etree

from nova_qga.guest import description
from nova_qga.nova_extension import monitoring
from nova_qga.tests.fixtures import shared

UUID = '6f1b8c1e-4f0a-4f7d-9a9e-1a2b3c4d5e6f'
NOVA = 'http://openstack.org/xmlns/libvirt/nova/1.1'
FLAVOR, IMAGE = 'qga:monitoring', 'qga_monitoring'


def guest_xml(properties=None, flavor=None, extended=True):
    return {
        'name': 'guest_xml',
        'uuid': UUID,
        'properties': properties or {},
        'flavor': flavor,
        'extended': extended,
    }


def notes(xml):
    """What of ours is in a definition's metadata."""
    found = etree.fromstring(xml).findall('metadata/*')
    return [each for each in found if monitoring.NAMESPACE in each.tag]


class MonitoringTest(unittest.TestCase):
    eventlet = False

    def setUp(self):
        self.nova = shared.nova_compute(eventlet=self.eventlet)

    def start(self, *calls, sabotage=None, config=None):
        started = self.nova.start(config, calls=calls, sabotage=sabotage)
        self.assertTrue(
            all(each['image_untouched'] for each in started.results)
        )
        return started

    def assert_off(self, off, xml):
        """The definition says that the guest is not monitored; or nothing."""
        self.assertIs(not off, description.parse(xml).monitored)
        self.assertEqual(off, bool(notes(xml)))

    def test_image_and_flavor_decide_together(self):
        cases = (
            ({}, {}, False),
            ({IMAGE: 'yes'}, {FLAVOR: 'yes'}, False),
            ({}, {FLAVOR: 'no'}, True),
            ({IMAGE: 'no'}, {}, True),
            ({FLAVOR: 'no'}, {}, True),
            ({IMAGE: 'yes', FLAVOR: 'no'}, {FLAVOR: 'yes'}, True),
            ({IMAGE: 'yes'}, {FLAVOR: 'no'}, True),
        )
        started = self.start(
            *(guest_xml(image, flavor) for image, flavor, _ in cases)
        )
        for case, result in zip(cases, started.results, strict=True):
            with self.subTest(case=case):
                self.assert_off(case[2], result['xml'])

    def test_every_word_for_no_is_taken(self):
        words = ('no', 'No', 'false', 'False', 'off', '0', 'n', 'f')
        started = self.start(
            *(guest_xml({IMAGE: word}) for word in words),
            *(guest_xml({}, {FLAVOR: word}) for word in words),
        )
        for result in started.results:
            self.assert_off(True, result['xml'])

    def test_what_is_neither_is_said_and_taken_for_unset(self):
        started = self.start(
            guest_xml({IMAGE: 'maybe'}), guest_xml({}, {FLAVOR: ''})
        )
        for result in started.results:
            self.assert_off(False, result['xml'])
        [_, image, flavor] = started.lines_of_qga()
        self.assertRegex(image, f'^WARNING .*{IMAGE} of the image is neither')
        self.assertRegex(flavor, f'^WARNING .*{FLAVOR} of flavor tiny')
        self.assertIn(UUID, image)

    def test_libvirt_is_given_one_element_in_a_namespace_of_ours(self):
        [result] = self.start(guest_xml({IMAGE: 'no'}, {FLAVOR: 'no'})).results
        [note] = notes(result['xml'])
        self.assertEqual('qga', note.prefix)
        self.assertEqual('no', ''.join(note.itertext()).strip())

    def test_libvirt_keeps_it_also_where_nova_changes_its_own_metadata(self):
        [result] = self.start(guest_xml({IMAGE: 'no'})).results
        metadata = etree.fromstring(result['xml']).find('metadata')
        connection = libvirt.open('test:///default')
        self.addCleanup(connection.close)
        domain = connection.defineXML(
            f"""<domain type='test'><name>x</name><uuid>{UUID}</uuid>
            {etree.tostring(metadata, encoding='unicode')}
            <memory>1024</memory><os><type>hvm</type></os></domain>"""
        )
        self.addCleanup(domain.undefine)
        # As Nova does when an interface is attached.
        domain.setMetadata(
            libvirt.VIR_DOMAIN_METADATA_ELEMENT,
            f"<instance xmlns='{NOVA}'><name>changed</name></instance>",
            'instance',
            NOVA,
            0,
        )
        found = description.parse(domain.XMLDesc(0))
        self.assertEqual('changed', found.name)
        self.assertFalse(found.monitored)

    def test_it_is_said_also_of_a_guest_without_channels(self):
        [result] = self.start(
            guest_xml({'hw_qemu_guest_agent': 'no', IMAGE: 'no'})
        ).results
        self.assert_off(True, result['xml'])

    def test_what_nova_itself_writes_of_the_flavor_is_understood(self):
        started = self.start(
            guest_xml({}, {FLAVOR: 'no'}, extended=False),
            guest_xml({}, {FLAVOR: 'yes'}, extended=False),
        )
        no, yes = (result['xml'] for result in started.results)
        self.assertEqual([], notes(no))
        self.assertFalse(description.parse(no).monitored)
        self.assertTrue(description.parse(yes).monitored)

    def test_a_fault_of_ours_lets_the_guest_start_and_is_said(self):
        for sabotage in (
            'monitoring_cannot_be_read',
            'metadata_cannot_be_written',
        ):
            with self.subTest(sabotage=sabotage):
                started = self.start(
                    guest_xml({IMAGE: 'no'}), sabotage=sabotage
                )
                [result] = started.results
                self.assert_off(False, result['xml'])
                self.assertIn('nobody thought of', started.log)
                ports = description.parse(result['xml']).ports
                self.assertEqual(2, len(ports))


class MonitoringWithEventletTest(MonitoringTest):
    eventlet = True
