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

"""What a guest's operating system calls itself."""

from nova_qga.collectors import osinfo
from nova_qga import errors
from nova_qga.tests.unit.collectors import cases


class OsInfoTest(cases.CollectorTestCase):
    collector = osinfo.OsInfoCollector()
    command = 'guest-get-osinfo'

    def labels(self, reply):
        [(name, value)] = self.of_reply(reply).items()
        self.assertEqual(1, value)
        return name[1:]

    def test_real_agents_tell_all_of_it(self):
        for guest, version, code, kernel in (
            ('debian-11', '11', 'bullseye', '5.10.0-46-cloud-amd64'),
            ('debian-12', '12', 'bookworm', '6.1.0-56-cloud-amd64'),
            ('debian-13', '13', 'trixie', '6.12.118+deb13-cloud-amd64'),
        ):
            pretty = f'Debian GNU/Linux {version} ({code})'
            labels = ('debian', version, pretty, kernel, 'x86_64')
            self.assertEqual(
                {('guest.os.info', *labels): 1}, self.recorded(guest)
            )

    def test_the_labels_have_names_and_the_unknown_has_none(self):
        [source] = self.collector.select({self.command: True})
        reply = {'id': 'mswindows', 'kernel-release': '17763', 'machine': ''}
        [sample] = source.samples(source.question.read(reply))
        self.assertEqual(('id', 'mswindows', 'kernel', '17763'), sample.labels)

    def test_words_of_a_guest_are_cut_and_escaped(self):
        labels = self.labels({'id': '\x1b[2J', 'machine': 'x' * 10**6})
        self.assertEqual(('\\x1b[2J', 'x' * 256 + '...'), labels)

    def test_a_guest_that_says_nothing_gives_no_sample(self):
        for reply in ({}, {'id': ''}, {'name': 'x'}):
            with self.assertRaises(errors.InvalidReply):
                self.of_reply(reply)

    def test_it_changes_slowly(self):
        self.assertTrue(self.collector.slow)
