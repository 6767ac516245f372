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

"""Tests of the plugin in processes that are not nova-compute."""

import sys
import unittest

import os_vif
from os_vif import objects

from nova_qga.nova_extension import plugin


class OtherProcessTest(unittest.TestCase):
    """This test's own process is one: it loads os_vif and not Nova."""

    def test_it_loads_with_the_other_plugins_and_does_nothing(self):
        with self.assertNoLogs('nova_qga'):
            os_vif.initialize(reset=True)
        self.assertNotIn('nova.virt.libvirt', sys.modules)

    def test_it_claims_no_vif(self):
        objects.register_all()
        described = plugin.NovaQgaPlugin.load('nova_qga').describe()
        self.assertEqual('nova_qga', described.plugin_name)
        self.assertEqual([], described.vif_info)

    def test_the_host_describes_itself_with_it(self):
        os_vif.initialize(reset=True)
        names = {info.plugin_name for info in os_vif.host_info().plugin_info}
        self.assertIn('nova_qga', names)

    def test_it_plugs_nothing(self):
        loaded = plugin.NovaQgaPlugin.load('nova_qga')
        for method in (loaded.plug, loaded.unplug):
            with self.subTest(method=method.__name__):
                with self.assertRaises(NotImplementedError):
                    method(None, None)
