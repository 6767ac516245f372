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

"""Which host a command is for: as the options say, or as Nova says."""

import json
import unittest

from nova_qga.cli import compute_api
from nova_qga.cli import outcome
from nova_qga import errors
from nova_qga.tests.fixtures import fake_api
from nova_qga.tests.fixtures import fake_nova
from nova_qga.tests.fixtures import run_cli

UUID = fake_api.UUID
OTHER = '00000000-0000-4000-8000-000000000009'


class HostsApi(fake_api.FakeApi):
    """Several hosts.

    :ivar away: host -> what its agent's call raises
    :ivar hosts: that were asked
    """

    def __init__(self, **away):
        super().__init__()
        self.away = away
        self.hosts = []

    def list_guests(self, host):
        self.hosts.append(host)
        if host in self.away:
            raise self.away[host]
        return super().list_guests(host)

    def ping(self, host, instance_uuid):
        self.hosts.append(host)
        return super().ping(host, instance_uuid)


class OneGuestTest(unittest.TestCase):
    def setUp(self):
        self.api = HostsApi()
        self.nova = fake_nova.FakeNova()

    def ping(self, *words, host=()):
        return run_cli.run(
            'guest', 'ping', *words, api=self.api, nova=self.nova, host=host
        )

    def test_nova_is_asked_for_the_host(self):
        ended = self.ping(UUID)
        self.assertEqual((0, ''), (ended.code, ended.err))
        self.assertEqual([fake_api.HOST], self.api.hosts)
        self.assertEqual(['find'], self.nova.asked)

    def test_a_name_is_looked_up_too(self):
        ended = self.ping('web', '-f', 'value', '-c', 'uuid')
        self.assertEqual((0, f'{UUID}\n'), ended[:2])
        self.assertEqual(['find_by_name', 'find'], self.nova.asked)

    def test_nova_is_not_asked_where_the_host_is_known(self):
        for host in (('--local',), ('--host', 'c7')):
            with self.subTest(host=host):
                self.assertEqual(0, self.ping(UUID, host=host).code)
        self.assertEqual(['here', 'c7'], self.api.hosts)
        self.assertEqual([], self.nova.asked)

    def test_names_are_for_nova_alone(self):
        for host in (('--local',), ('--host', 'c7')):
            with self.subTest(host=host):
                ended = self.ping('web', host=host)
                self.assertEqual(2, ended.code)
                self.assertIn('"web" is no UUID', ended.err)
        self.assertEqual([], self.nova.asked)

    def test_a_guest_is_not_on_two_hosts(self):
        ended = self.ping(UUID, host=('--host', 'c1', '--host', 'c2'))
        self.assertEqual(2, ended.code)
        self.assertIn('--host once', ended.err)
        self.assertEqual([], self.api.hosts)

    def test_what_nova_does_not_know_is_asked_of_no_host(self):
        self.assertEqual(3, self.ping(OTHER).code)
        self.assertEqual([], self.api.hosts)


class EveryHostTest(unittest.TestCase):
    def setUp(self):
        self.nova = fake_nova.FakeNova(
            compute_api.ComputeHost('c1', None),
            compute_api.ComputeHost('c2', None),
            compute_api.ComputeHost('c3', None),
        )

    def list(self, api, *host):
        ended = run_cli.run(
            *('guest', 'list', '-f', 'json', '-c', 'Host'),
            api=api,
            nova=self.nova,
            host=host,
        )
        found = json.loads(ended.out) if ended.out else []
        return ended, sorted({row['Host'] for row in found})

    def test_all_hosts_that_nova_has_are_asked(self):
        ended, hosts = self.list(HostsApi())
        self.assertEqual((0, ''), (ended.code, ended.err))
        self.assertEqual(['c1', 'c2', 'c3'], hosts)

    def test_hosts_that_are_named_are_asked_and_nova_is_not(self):
        ended, hosts = self.list(
            HostsApi(), *('--host', 'c9', '--host', 'c8', '--host', 'c9')
        )
        self.assertEqual(0, ended.code)
        self.assertEqual(['c8', 'c9'], hosts)
        self.assertEqual([], self.nova.asked)

    def test_one_that_fails_spoils_no_other(self):
        api = HostsApi(c2=errors.ServiceUnavailable('no agent\x1b there'))
        ended, hosts = self.list(api)
        self.assertEqual(7, ended.code)
        self.assertEqual(['c1', 'c3'], hosts)
        self.assertEqual('No answer of c2: no agent\\x1b there\n', ended.err)

    def test_one_that_is_down_is_named_and_not_asked(self):
        self.nova.known[1] = compute_api.ComputeHost('c2', 'it is down')
        api = HostsApi()
        ended, hosts = self.list(api)
        self.assertEqual(7, ended.code)
        self.assertEqual(['c1', 'c3'], hosts)
        self.assertEqual(['c1', 'c3'], sorted(api.hosts))
        self.assertEqual('No answer of c2: it is down\n', ended.err)

    def test_where_none_answers_it_has_failed(self):
        away = errors.ServiceUnavailable('no broker')
        ended, _ = self.list(HostsApi(c1=away, c2=away, c3=away))
        self.assertEqual((4, ''), ended[:2])
        self.assertEqual(
            'No answer of c1, c2, c3: no broker\n'
            'nova-qga: none of 3 hosts answered\n',
            ended.err,
        )

    def test_where_all_are_down_it_has_failed(self):
        self.nova.known = [compute_api.ComputeHost('c1', 'down')]
        ended, _ = self.list(HostsApi())
        self.assertEqual((4, ''), ended[:2])

    def test_a_host_alone_fails_with_its_own_words(self):
        api = HostsApi(c1=errors.ServiceUnavailable('no broker'))
        ended, _ = self.list(api, '--host', 'c1')
        self.assertEqual((4, '', 'nova-qga: no broker\n'), ended[:3])

    def test_hundreds_are_asked_and_few_are_named(self):
        self.nova.known = [
            compute_api.ComputeHost(f'c{n:03}', 'down' if n % 2 else None)
            for n in range(300)
        ]
        ended, hosts = self.list(HostsApi())
        self.assertEqual(150, len(hosts))
        self.assertEqual(1, ended.err.count('\n'))
        self.assertIn('c019 and 140 more: down', ended.err)

    def test_a_bug_is_not_taken_for_a_host_that_is_away(self):
        ended, _ = self.list(HostsApi(c2=RuntimeError('hunter2')))
        self.assertEqual(1, ended.code)
        self.assertIn('this is a bug', ended.err)
        self.assertNotIn('hunter2', ended.err)

    def test_a_nova_without_hosts_is_said(self):
        self.nova.known = []
        ended, _ = self.list(HostsApi())
        self.assertEqual(4, ended.code)
        self.assertIn('--host', ended.err)

    def test_why_nova_does_not_tell_is_said(self):
        self.nova.failure = outcome.Failure(
            'no credentials', outcome.ExitCode.USAGE
        )
        api = HostsApi()
        ended, _ = self.list(api)
        self.assertEqual((2, '', 'nova-qga: no credentials\n'), ended[:3])
        self.assertEqual([], api.hosts)
