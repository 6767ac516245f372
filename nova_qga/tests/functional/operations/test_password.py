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

"""Passwords as the guest's own shadow file has them afterwards."""

from passlib import hash as passlib_hash

from nova_qga import errors
from nova_qga.operations import password
from nova_qga.tests.functional.operations import base

CLEAR = 'a c1ear:pässword "\\ ☃'

#: Stands in for chpasswd, which qemu-ga starts: it stops its parent first.
STOPS_AGENT = """
echo called >> /run/chpasswd.calls
kill -STOP $PPID
exec /run/chpasswd.real "$@"
"""


class PasswordTest(base.OperationTest):
    def shadow(self, user='ubuntu'):
        return self.vm.inspect(f'grep ^{user}: /etc/shadow').split(':')[1]

    def set(self, secret, username='ubuntu', crypted=False):
        password.set_password(
            self.agent(),
            username=username,
            password=secret,
            crypted=crypted,
        )


class SetPasswordTest(PasswordTest):
    def test_a_clear_password_verifies_against_the_shadow_entry(self):
        secret = f'{CLEAR}{self.number}'
        self.set(secret)
        entry = self.shadow()
        self.assertTrue(passlib_hash.sha512_crypt.verify(secret, entry))
        self.assertFalse(passlib_hash.sha512_crypt.verify('x', entry))

    def test_a_crypted_password_is_the_shadow_entry(self):
        secret = f'{CLEAR}{self.number}'
        hashed = passlib_hash.sha512_crypt.using(rounds=5000).hash(secret)
        self.set(hashed, 'root', crypted=True)
        self.assertEqual(hashed, self.shadow('root'))

    def test_only_the_named_account_changes(self):
        before = self.vm.inspect('grep -v ^ubuntu: /etc/shadow')
        self.set('s3cret')
        self.assertEqual(
            before, self.vm.inspect('grep -v ^ubuntu: /etc/shadow')
        )

    def test_an_unknown_account_is_refused_and_changes_nothing(self):
        before = self.vm.inspect('cat /etc/shadow')
        for secret, crypted in (('s3cret', False), ('$1$salt$x2345', True)):
            with self.assertRaisesRegex(
                errors.CommandError, 'is there an account "nobody"'
            ) as caught:
                self.set(secret, 'nobody', crypted)
            self.assertNotIn(secret, str(caught.exception))
        self.assertEqual(before, self.vm.inspect('cat /etc/shadow'))

    def test_a_name_with_a_colon_never_reaches_the_guest(self):
        before = self.vm.inspect('cat /etc/shadow')
        with self.assertRaises(errors.InvalidRequest):
            self.set('s3cret', 'ubuntu:root')
        self.assertEqual(before, self.vm.inspect('cat /etc/shadow'))

    def test_a_blocked_command_says_where_to_unblock_it(self):
        before = self.shadow()
        self.reached.restart_agent('-b guest-set-user-password')
        with self.assertRaisesRegex(
            errors.CommandUnsupported, 'blocked .* /etc/sysconfig/qemu-ga'
        ):
            self.set('s3cret')
        self.assertEqual(before, self.shadow())

    def test_a_command_blocked_since_it_was_looked_up_is_found_blocked(self):
        agent = self.agent()
        agent.require('guest-set-user-password')
        self.reached.restart_agent('-b guest-set-user-password')
        with self.assertRaisesRegex(
            errors.CommandUnsupported, 'blocked .* /etc/sysconfig/qemu-ga'
        ):
            password.set_password(
                agent, username='ubuntu', password='x', crypted=False
            )


class SetPasswordDirectTest(SetPasswordTest):
    number = 1


class StoppedAgentTest(PasswordTest):
    timeout = 3.0

    def test_an_agent_that_stops_in_the_middle_leaves_it_unknown(self):
        self.vm.inspect(
            'cp /usr/sbin/chpasswd /run/chpasswd.real; '
            f"cat > /run/chpasswd <<'END'\n#!/bin/sh{STOPS_AGENT}END\n"
            'chmod 755 /run/chpasswd; '
            'mount -o bind /run/chpasswd /usr/sbin/chpasswd'
        )
        self.addCleanup(self.vm.inspect, 'umount /usr/sbin/chpasswd')
        self.addCleanup(self.vm.inspect, f'kill -CONT {self.reached.pid()}')
        self.vm.inspect('rm -f /run/chpasswd.calls')
        secret = f'unknown{self.number}'
        with self.assertRaisesRegex(
            errors.OutcomeUnknown, 'before you repeat it'
        ) as caught:
            self.set(secret)
        self.assertNotIn(secret, str(caught.exception))
        self.vm.inspect(f'kill -CONT {self.reached.pid()}')
        # It is asked once, and has happened in truth.
        self.agent().ping()
        self.assertEqual(
            'called\n', self.vm.inspect('cat /run/chpasswd.calls')
        )
        self.assertTrue(
            passlib_hash.sha512_crypt.verify(secret, self.shadow())
        )

    def test_agents_that_stopped_before_never_get_the_password(self):
        before = self.shadow()
        agent = self.agent()
        agent.info()
        self.addCleanup(self.signal_agents, 'CONT')
        self.signal_agents('STOP')
        with self.assertRaises(errors.ChannelTimeout):
            password.set_password(
                agent, username='ubuntu', password='late', crypted=False
            )
        with self.assertRaises(errors.GuestUnavailable) as caught:
            self.set('late')
        self.assertEqual('no_agent', caught.exception.reason)
        self.signal_agents('CONT')
        self.agent().ping()
        self.assertEqual(before, self.shadow())

    def signal_agents(self, signal):
        """On both channels: the other would be taken instead."""
        self.vm.inspect(f'kill -{signal} $(cat /run/qemu-ga-*.pid)')


class StoppedAgentDirectTest(StoppedAgentTest):
    number = 1
