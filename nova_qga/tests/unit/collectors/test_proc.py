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

"""Finding devices in a file below /proc."""

import re
import unittest

from nova_qga.collectors import proc

LINE = re.compile(rb'\n(\w+) ' + proc.UINT + b' ')


class DevicesTest(unittest.TestCase):
    def test_no_more_are_read_than_asked_for(self):
        content = b'a 1 \nb 2 \nc 3 \n'
        self.assertEqual({'a': [1]}, proc.devices(LINE, content, 1))
        self.assertEqual(
            {'a': [1], 'b': [2], 'c': [3]}, proc.devices(LINE, content, 3)
        )

    def test_one_that_is_skipped_takes_no_place(self):
        content = b'a 1 \na 2 \nb %d \nc 3 \n' % 2**64
        self.assertEqual({'a': [1], 'c': [3]}, proc.devices(LINE, content, 2))
