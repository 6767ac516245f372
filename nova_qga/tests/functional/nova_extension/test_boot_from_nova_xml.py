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

"""Tests of a real guest that boots from the XML of the extended driver."""

import json
import socket
import unittest

import libvirt_qemu
from passlib import hash

from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import guest_xml
from nova_qga.tests.fixtures import libvirtd
from nova_qga.tests.fixtures import nova_guest_xml

PING = json.dumps({'execute': 'guest-ping'})


class BootTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = libvirtd.Libvirtd()
        cls.host.setUp()
        cls.addClassCleanup(cls.host.cleanUp)
        cls.guest = nova_guest_xml.NovaGuestVM(cls.host)
        cls.guest.setUp()
        cls.addClassCleanup(cls.guest.cleanUp)

    def test_an_agent_is_connected_to_each_of_its_two_channels(self):
        self.assertEqual(
            {guest_vm.STANDARD, guest_vm.DIRECT},
            guest_xml.open_ports(self.guest.live_xml()),
        )

    def test_the_standard_channel_answers_through_libvirt(self):
        with self.guest.domain() as domain:
            answer = libvirt_qemu.qemuAgentCommand(domain, PING, 5, 0)
        self.assertEqual({'return': {}}, json.loads(answer))

    def test_the_direct_channel_answers_on_its_socket(self):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(str(self.guest.direct_socket))
            client.sendall(PING.encode() + b'\n')
            with client.makefile('rb') as stream:
                answer = stream.readline()
        self.assertEqual({'return': {}}, json.loads(answer))

    def test_the_owner_stands_in_the_domains_metadata(self):
        xml = self.guest.live_xml()
        self.assertIn('<nova:project uuid="', xml)
        self.assertNotIn('hw_qemu_guest_agent', xml)

    def test_nova_changes_a_password_in_it(self):
        for eventlet in (False, True):
            with self.subTest(eventlet=eventlet):
                new = f'a new one, {eventlet}'
                self.guest.ask_nova(
                    'set_admin_password', eventlet, password=new
                )
                entry = self.guest.inspect('grep ^root: /etc/shadow')
                self.assertTrue(
                    hash.sha512_crypt.verify(new, entry.split(':')[1])
                )

    def test_nova_freezes_and_thaws_it(self):
        status = json.dumps({'execute': 'guest-fsfreeze-status'})
        for call, expected, eventlet in (
            ('freeze', 'frozen', False),
            ('thaw', 'thawed', False),
            ('freeze', 'frozen', True),
            ('thaw', 'thawed', True),
        ):
            self.guest.ask_nova(call, eventlet)
            with self.guest.domain() as domain:
                answer = libvirt_qemu.qemuAgentCommand(domain, status, 5, 0)
            self.assertEqual({'return': expected}, json.loads(answer))
