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

"""The shared guest, reached over one of its channels.

What is said of an operation is true of both: each class of tests here has a
subclass that does the same over the direct channel.
"""

import unittest

import fixtures

from nova_qga.tests.fixtures import reached_guest
from nova_qga.tests.fixtures import shared


class OperationTest(fixtures.TestWithFixtures, unittest.TestCase):
    """Operations on the shared guest.

    :cvar number: of the channel: 0 is the standard one, 1 the direct one.
    :cvar timeout: seconds for a command.
    :ivar vm: its inspector tells what is really so in the guest.
    :ivar reached: the guest as an operation gets it.
    """

    number = 0
    timeout = 30.0

    def setUp(self):
        super().setUp()
        self.vm = shared.guest()
        self.reached = self.useFixture(
            reached_guest.ReachedGuest(
                self.vm, self.number, timeout=self.timeout
            )
        )

    def agent(self):
        return self.reached.agent()
