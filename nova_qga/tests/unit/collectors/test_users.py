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

"""How many users are logged in."""

from nova_qga.collectors import users
from nova_qga.tests.fixtures import recordings
from nova_qga.tests.unit.collectors import cases


def user(name, **more):
    return {'user': name, 'login-time': 1795537316.049308, **more}


class UserTest(cases.CollectorTestCase):
    collector = users.UserCollector()
    command = 'guest-get-users'

    def test_real_agents_tell_of_one(self):
        for guest in ('debian-11', 'debian-12'):
            self.assertEqual(
                {('guest.users.logged_in',): 1}, self.recorded(guest)
            )

    def test_nobody_may_mean_that_there_is_no_record(self):
        # Root is logged in there.
        self.assertEqual([], recordings.reply('debian-13', self.command))
        self.assertEqual({}, self.recorded('debian-13'))

    def test_a_user_counts_once_and_no_name_is_told(self):
        reply = [user('root'), user('bob'), user('root')]
        reply += [user('bob', domain='A'), user('bob', domain='B')]
        self.assertEqual({('guest.users.logged_in',): 4}, self.of_reply(reply))

    def test_it_changes_slowly(self):
        self.assertTrue(self.collector.slow)
