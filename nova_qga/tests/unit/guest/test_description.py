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

"""What a domain's XML tells, in the forms that Nova and libvirt write."""

import unittest

from nova_qga import errors
from nova_qga.guest import description
from nova_qga.nova_extension import monitoring
from nova_qga.tests.fixtures import guest_xml

NS = 'http://openstack.org/xmlns/libvirt/nova/1.1'
NOVA = guest_xml.Owner(
    display_name='web <1> & "co"',
    flavor_name='m1.tiny',
    user_uuid='user-1',
    project_uuid='project-1',
).xml(512, 1)


def domain(metadata='', devices=''):
    return f"""\
<domain type='kvm' id='7'>
  <name>instance-0000000a</name>
  <uuid>6e8a3e6f-7b5c-4c0e-9d0b-0d2d6b0f7a31</uuid>{metadata}
  <devices>
    <serial type='pty'><target port='0'/></serial>{devices}
  </devices>
</domain>
"""


def channel(target, source="<source mode='bind' path='/run/a.sock'/>"):
    return f"<channel type='unix'>{source}{target}</channel>"


def ports(*channels):
    return description.parse(domain(devices=''.join(channels))).ports


class VcpuTest(unittest.TestCase):
    def vcpus(self, element):
        return description.parse(domain(element)).vcpus

    def test_they_are_those_that_the_guest_has_now(self):
        self.assertEqual(4, self.vcpus('<vcpu>4</vcpu>'))
        self.assertEqual(4, self.vcpus("<vcpu placement='static'> 4 </vcpu>"))
        self.assertEqual(2, self.vcpus("<vcpu current='2'>4</vcpu>"))

    def test_what_is_no_number_is_not_known(self):
        for element in ('', '<vcpu/>', '<vcpu>many</vcpu>'):
            self.assertIsNone(self.vcpus(element))


class OwnerTest(unittest.TestCase):
    def check(self, metadata):
        guest = description.parse(domain(metadata))
        self.assertEqual('6e8a3e6f-7b5c-4c0e-9d0b-0d2d6b0f7a31', guest.uuid)
        self.assertEqual('instance-0000000a', guest.domain)
        self.assertEqual('web <1> & "co"', guest.name)
        self.assertEqual('m1.tiny', guest.flavor)
        self.assertEqual('project-1', guest.project_id)
        self.assertEqual('user-1', guest.user_id)

    def test_it_is_what_nova_wrote(self):
        self.check(NOVA)

    def test_any_prefix_names_novas_namespace(self):
        for prefix in ('instance', 'ns0', 'n'):
            with self.subTest(prefix=prefix):
                self.check(
                    NOVA.replace('nova:', f'{prefix}:').replace(
                        'xmlns:nova', f'xmlns:{prefix}'
                    )
                )

    def test_so_does_none(self):
        self.check(NOVA.replace('nova:', '').replace('xmlns:nova', 'xmlns'))

    def test_what_others_keep_in_the_metadata_is_passed_over(self):
        other = '<x:instance xmlns:x="urn:x"><x:name>not it</x:name>'
        self.check(
            NOVA.replace('<metadata>', f'<metadata>{other}</x:instance>')
        )

    def test_a_guest_of_nobodys_goes_by_its_domain(self):
        for metadata in ('', '<metadata/>', '<metadata>text</metadata>'):
            guest = description.parse(domain(metadata))
            self.assertEqual('instance-0000000a', guest.name)
            self.assertEqual('', guest.flavor)
            self.assertEqual('', guest.project_id)
            self.assertEqual('', guest.user_id)

    def test_an_owner_may_be_missing_in_part(self):
        guest = description.parse(
            domain(
                f'<metadata><a:instance xmlns:a="{NS}"><a:name/>'
                '<a:owner><a:user/></a:owner></a:instance></metadata>'
            )
        )
        self.assertEqual('instance-0000000a', guest.name)
        self.assertEqual('', guest.project_id)
        self.assertEqual('', guest.user_id)

    def test_a_name_of_its_owners_is_safe_to_print(self):
        name = 'a&#10;b\u202ec&#9;' + 'x' * 300
        guest = description.parse(
            domain(
                f'<metadata><a:instance xmlns:a="{NS}"><a:name>{name}'
                '</a:name></a:instance></metadata>'
            )
        )
        self.assertTrue(guest.name.isprintable())
        self.assertLess(len(guest.name), 300)

    def test_what_many_guests_have_in_common_is_kept_once(self):
        first, second = (description.parse(domain(NOVA)) for _ in range(2))
        for name in ('flavor', 'project_id', 'user_id'):
            self.assertIs(getattr(first, name), getattr(second, name))


class MonitoringTest(unittest.TestCase):
    """What extension and Nova note of whether a guest is monitored."""

    def monitored(self, ours='', novas=''):
        return description.parse(
            domain(f"""<metadata>
              <n:instance xmlns:n='{NS}'><n:flavor name='m1.tiny'>
                <n:extraSpecs>{novas}</n:extraSpecs>
              </n:flavor></n:instance>{ours}
            </metadata>""")
        ).monitored

    def ours(self, text, namespace=monitoring.NAMESPACE):
        return (
            f"<q:instance xmlns:q='{namespace}'>"
            f'<q:monitoring>{text}</q:monitoring></q:instance>'
        )

    def novas(self, text):
        return f"<n:extraSpec name='qga:monitoring'>{text}</n:extraSpec>"

    def test_a_guest_of_which_nothing_is_said_is(self):
        self.assertTrue(self.monitored())
        self.assertTrue(description.parse(domain()).monitored)

    def test_a_no_of_either_is_obeyed(self):
        for words in (
            {'ours': self.ours('no')},
            {'novas': self.novas('no')},
            {'novas': self.novas('False')},
            {'ours': self.ours('no'), 'novas': self.novas('yes')},
            {'ours': self.ours('yes'), 'novas': self.novas('no')},
        ):
            with self.subTest(words=words):
                self.assertFalse(self.monitored(**words))

    def test_what_is_no_no_is_not(self):
        for words in (
            {'ours': self.ours('yes'), 'novas': self.novas('yes')},
            {'ours': self.ours(''), 'novas': self.novas('maybe')},
            {'ours': self.ours('no', namespace='urn:x')},
            {'novas': "<n:extraSpec name='qga:channel'>no</n:extraSpec>"},
        ):
            with self.subTest(words=words):
                self.assertTrue(self.monitored(**words))


class WishTest(unittest.TestCase):
    """What image and flavor say of the channels."""

    def said(self, image, flavor):
        properties = specs = ''
        if image is not None:
            properties = f"""<n:properties>
              <n:property name='hw_disk_bus'>scsi</n:property>
              <n:property name='hw_qemu_guest_agent'>{image}</n:property>
            </n:properties>"""
        if flavor is not None:
            specs = f"""<n:extraSpecs>
              <n:extraSpec name='hw:cpu_policy'>dedicated</n:extraSpec>
              <n:extraSpec name='qga:channel'>{flavor}</n:extraSpec>
            </n:extraSpecs>"""
        found = description.parse(
            domain(f"""<metadata><n:instance xmlns:n='{NS}'>
              <n:flavor name='m1.tiny'>{specs}</n:flavor>
              <n:image>{properties}</n:image>
            </n:instance></metadata>""")
        )
        return found.image_says, found.flavor_says

    def test_a_yes_and_a_no_are_understood(self):
        self.assertEqual((True, False), self.said('True', 'no'))
        self.assertEqual((False, True), self.said('False', ' YES '))

    def test_what_is_neither_is_nothing(self):
        self.assertEqual((None, None), self.said('', 'perhaps'))

    def test_older_novas_say_nothing(self):
        self.assertEqual((None, None), self.said(None, None))
        found = description.parse(domain())
        self.assertEqual((None, None), (found.image_says, found.flavor_says))


class PortsTest(unittest.TestCase):
    NAME = 'org.qemu.guest_agent.1'

    def test_a_guest_may_have_none(self):
        self.assertEqual((), ports())
        bare = description.parse('<domain><name>a</name></domain>')
        self.assertEqual((), bare.ports)

    def test_its_state_says_whether_the_guest_has_it_open(self):
        for state, is_open in (
            (" state='connected'", True),
            (" state='disconnected'", False),
            ('', None),
        ):
            target = f"<target type='virtio' name='{self.NAME}'{state}/>"
            self.assertEqual(
                (description.Port(self.NAME, '/run/a.sock', is_open),),
                ports(channel(target)),
            )

    def test_a_path_may_be_missing(self):
        target = f"<target type='virtio' name='{self.NAME}'/>"
        for source in ('', "<source mode='bind'/>"):
            [port] = ports(channel(target, source))
            self.assertIsNone(port.path)

    def test_only_a_unix_socket_has_a_path_of_ours(self):
        [port] = ports(
            "<channel type='pty'><source path='/dev/pts/3'/>"
            f"<target type='virtio' name='{self.NAME}'/></channel>"
        )
        self.assertEqual(description.Port(self.NAME, None, None), port)

    def test_other_kinds_of_channels_are_none(self):
        others = (
            channel("<target type='guestfwd' address='10.0.2.1' port='4'/>"),
            channel("<target type='xen' name='org.qemu.guest_agent.0'/>"),
            channel(''),
        )
        self.assertEqual((), ports(*others))

    def test_they_are_found_by_name(self):
        guest = description.parse(
            domain(
                devices=channel(
                    "<target type='virtio' name='com.redhat.spice.0'/>"
                )
                + channel(f"<target type='virtio' name='{self.NAME}'/>")
            )
        )
        self.assertEqual(self.NAME, guest.port(self.NAME).name)
        self.assertIsNone(guest.port('org.qemu.guest_agent.0'))
        self.assertIsNone(guest.port(''))


class BrokenTest(unittest.TestCase):
    def test_what_is_no_xml_is_said_to_be_none(self):
        for text in ('', 'nonsense', '<domain>', '<domain></other>'):
            with self.assertRaises(errors.ServiceUnavailable):
                description.parse(text)

    def test_it_reads_no_other_file(self):
        text = (
            '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
            '<domain><name>&x;</name></domain>'
        )
        self.assertEqual('', description.parse(text).domain)
