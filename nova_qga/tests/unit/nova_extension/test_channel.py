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

"""Tests of which channels a guest gets."""

import subprocess
import sys
import unittest

from nova_qga import errors
from nova_qga.nova_extension import channel


YES, NO, UNSET = True, False, None


def settings(name='org.qemu.guest_agent.1', folder='/var/lib/libvirt/qemu'):
    return channel.ChannelSettings(
        channel_policy=channel.Policy.ALL,
        direct_channel=name,
        direct_channel_dir=folder,
    )


class PolicyTest(unittest.TestCase):
    def wanted(self, policy):
        """The answers (image, flavor) for which a guest gets channels."""
        return {
            (image, flavor)
            for image in (YES, NO, UNSET)
            for flavor in (YES, NO, UNSET)
            if channel.is_wanted(
                channel.Policy(policy), image=image, flavor=flavor
            )
        }

    def test_all_means_every_guest_that_does_not_say_no(self):
        self.assertEqual(
            {(YES, YES), (YES, UNSET), (UNSET, YES), (UNSET, UNSET)},
            self.wanted('all'),
        )

    def test_image_means_every_guest_that_asks(self):
        self.assertEqual(
            {(YES, YES), (YES, UNSET), (UNSET, YES)}, self.wanted('image')
        )

    def test_none_means_no_guest_even_if_it_asks(self):
        self.assertEqual(set(), self.wanted('none'))


class ChannelsTest(unittest.TestCase):
    def test_a_guest_gets_the_standard_channel_and_the_direct_one(self):
        self.assertEqual(
            [
                channel.Channel('org.qemu.guest_agent.0', None),
                channel.Channel(
                    'org.qemu.guest_agent.1',
                    '/var/lib/libvirt/qemu/'
                    'org.qemu.guest_agent.1.instance-0000002a.sock',
                ),
            ],
            channel.channels_of(settings(), 'instance-0000002a'),
        )

    def test_without_a_name_there_is_no_direct_channel(self):
        [standard] = channel.channels_of(settings(name=''), 'vm')
        self.assertEqual('org.qemu.guest_agent.0', standard.target_name)

    def test_a_folder_with_a_slash_at_its_end_is_the_same_folder(self):
        self.assertEqual(
            channel.channels_of(settings(folder='/run/qga'), 'vm'),
            channel.channels_of(settings(folder='/run/qga/'), 'vm'),
        )

    def test_a_path_may_have_107_bytes_and_not_one_more(self):
        fixed = len('/run/org.qemu.guest_agent.1..sock')
        name = 'x' * (107 - fixed)
        path = channel.direct_channel_path(settings(folder='/run'), name)
        self.assertEqual(107, len(path))
        with self.assertRaises(channel.ChannelPathTooLong) as caught:
            channel.channels_of(settings(folder='/run'), name + 'x')
        self.assertEqual(108, caught.exception.size)
        self.assertIn('[qga]direct_channel_dir', str(caught.exception))
        self.assertIsInstance(caught.exception, errors.ConfigurationError)

    def test_the_limit_is_in_bytes_not_in_characters(self):
        fixed = len('/run/org.qemu.guest_agent.1..sock')
        name = 'ä' * ((107 - fixed) // 2 + 1)
        with self.assertRaises(channel.ChannelPathTooLong):
            channel.direct_channel_path(settings(folder='/run'), name)

    def test_it_is_pure(self):
        script = (
            'import sys; from nova_qga.nova_extension import channel; '
            'print(*sys.modules)'
        )
        done = subprocess.run(
            [sys.executable, '-c', script],
            check=True,
            capture_output=True,
            text=True,
        )
        loaded = {name.partition('.')[0] for name in done.stdout.split()}
        self.assertFalse(loaded & {'nova', 'libvirt', 'oslo_config'})
