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

"""A direct channel through any sequence of requests, faults and answers.

The guest's end is played by the test itself, on a real socket and a real
loop, in one thread; only the clock is the test's own. Whatever happens:

- whoever asked is told exactly once;
- one exchange at a time is under way, on one connection;
- an effect is sent only directly after the answer to a sync of this very
  connection, and once;
- it is called unknown exactly if it may have been sent, and what is answered
  is answered with its own reply.
"""

import asyncio
import contextlib
import itertools
import json
import os
import socket
import unittest

import hypothesis
from hypothesis import stateful
from hypothesis import strategies

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.tests.fixtures import process
from nova_qga.transport import breaker
from nova_qga.transport import loop
from nova_qga.transport import request
from nova_qga.transport import unix_socket

GARBAGE = [b'{"ret', b'[]\n', b'\n', b'\xff', b'x' * 5000]
#: Times around the loop in which everything that can happen has happened.
ROUNDS = 8
#: What happens right after a request: nothing, or so many answers ...
ANSWERS = strategies.sampled_from([None, 0, 1, 2, 3, 4])
#: ... and then what.
ENDS = strategies.sampled_from(['', '', 'silence', 'garbage', 'close'])


class Clock:
    """What the channel takes for the module ``time``."""

    now = 1000.0

    def monotonic(self):
        return self.now


class Caller:
    """Who asks: a name for each command, and what it was told."""

    def __init__(self, names, has_effect, deadline):
        self.names = names
        self.has_effect = has_effect
        self.deadline = deadline
        self.told = []
        self.then = None

    def batch(self):
        return command.Batch(
            [
                command.Command(name, str, {}, self.has_effect, 4096)
                for name in self.names
            ]
        )

    def done(self, replies, error):
        self.told.append((replies, error))
        if self.then is not None:
            self.then()


class Connection:
    """The guest's end of one connection, which watches over the rules."""

    def __init__(self, client, receive):
        client.setblocking(False)
        self._client = client
        self._receive = receive
        self._buffer = b''
        self.left = False
        self.outstanding = []
        self.synced = False

    def read(self):
        """Take all that has been sent."""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            while data := self._client.recv(65536):
                self._buffer += data
            self.left = True
        *lines, self._buffer = self._buffer.split(b'\n')
        for line in lines:
            self._take(json.loads(line.lstrip(b'\xff')), line[:1] == b'\xff')

    def _take(self, asked, marked):
        name = asked['execute']
        if name == 'guest-sync-delimited':
            assert marked
            assert not self.outstanding, 'two exchanges at once'
            name = asked['arguments']['id']
        else:
            self._receive(name)
            if name.startswith('effect'):
                assert self.synced, 'an effect without a sync'
                assert not self.outstanding, 'an effect behind others'
        self.synced = False
        self.outstanding.append((name, asked.get('id')))

    def answer(self):
        """Answer the oldest that is unanswered, as a real agent would."""
        name, echo = self.outstanding.pop(0)
        message = {'return': name}
        if echo is not None:
            message['id'] = echo
        line = json.dumps(message).encode() + b'\n'
        if type(name) is int:
            line = b'\xff' + line
        self.synced = type(name) is int and not self.outstanding
        self.send(line)

    def send(self, data):
        with contextlib.suppress(OSError):
            self._client.send(data)

    def close(self):
        self._client.close()
        self.left = True


class ChannelMachine(stateful.RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.cleanup = contextlib.ExitStack()
        folder = self.cleanup.enter_context(process.ShortFolder()).path
        self.path = str(folder / 'direct')
        self.clock = Clock()
        unix_socket.time = self.clock
        self.loop = loop.Loop()
        asyncio.set_event_loop(self.loop.asyncio)
        self.channel = unix_socket.Channel(
            'org.qemu.guest_agent.1', self.path, self.loop, lambda: None, 2.0
        )
        self.listener = None
        self.connections = []
        self.received = []
        self.callers = []
        self.numbers = itertools.count()
        self.qemu_starts()

    @stateful.initialize(base=strategies.sampled_from([0.0, 5.0]))
    def choose_a_pause(self, base):
        # Without one, the channel comes back at the next turn of the loop.
        self.channel._breaker = breaker.Breaker(base)

    def teardown(self):
        unix_socket.time = self.clock
        self.channel.close(errors.ChannelClosed('the test is over'))
        self.pump()
        for caller in self.callers:
            self.check(caller)
        assert not self.loop._watched
        assert all(each.left for each in self.connections)
        self.qemu_ends(again=False)
        self.loop.asyncio.close()
        self.cleanup.close()
        unix_socket.time = __import__('time')

    def check(self, caller):
        [(replies, error)] = caller.told
        sent = [name for name in caller.names if name in self.received]
        if error is None:
            assert replies == caller.names, (replies, caller.names)
        elif isinstance(error, errors.OutcomeUnknown):
            assert caller.has_effect
        else:
            assert not (caller.has_effect and sent), error
        for name in sent if caller.has_effect else ():
            assert self.received.count(name) == 1, 'sent again'

    @property
    def served(self):
        """The connection that is open, if any."""
        open_ones = [each for each in self.connections if not each.left]
        assert len(open_ones) <= 1, 'two connections at once'
        return open_ones[0] if open_ones else None

    def pump(self):
        for _ in range(ROUNDS):
            self.loop.asyncio.run_until_complete(asyncio.sleep(0))
            if self.listener is not None:
                with contextlib.suppress(BlockingIOError):
                    client, _ = self.listener.accept()
                    fresh = Connection(client, self.receive)
                    self.connections.append(fresh)
            for each in self.connections:
                if not each.left:
                    each.read()

    def receive(self, name):
        self.received.append(name)
        for caller in self.callers:
            if caller.has_effect and name in caller.names:
                assert self.clock.now < caller.deadline, 'sent too late'

    def submit(self, names, has_effect, urgent, seconds):
        caller = Caller(names, has_effect, self.clock.now + seconds)
        self.callers.append(caller)
        asked = request.Request(
            caller.batch(), caller.deadline, caller.done, urgent
        )
        return caller, asked

    def go_on(self, answers, end):
        if answers is not None:
            self.pump()
            self.the_agent_answers(answers)
        if end == 'silence':
            self.time_passes(20.0, swept=True, pump=True)
        elif end == 'garbage':
            self.the_guest_breaks_the_rules(GARBAGE[1])
        elif end == 'close':
            self.qemu_closes()

    @stateful.rule(
        reads=strategies.integers(0, 3),
        urgent=strategies.booleans(),
        seconds=strategies.sampled_from([-1.0, 1.0, 3.0, 10.0]),
        follow=strategies.booleans(),
        answers=ANSWERS,
        end=ENDS,
    )
    def somebody_reads(self, reads, urgent, seconds, follow, answers, end):
        names = [f'read-{next(self.numbers)}' for _ in range(reads)]
        caller, asked = self.submit(names, False, urgent, seconds)
        if follow:  # as a sampler does: the next from within the answer

            def then():
                caller.then = None
                _, another = self.submit(['read-again'], False, urgent, 3.0)
                self.channel.submit(another)

            caller.then = then
        self.channel.submit(asked)
        self.go_on(answers, end)

    @stateful.rule(
        urgent=strategies.booleans(),
        seconds=strategies.sampled_from([-1.0, 1.0, 3.0, 10.0]),
        answers=ANSWERS,
        end=ENDS,
    )
    def somebody_changes_something(self, urgent, seconds, answers, end):
        name = f'effect-{next(self.numbers)}'
        _, asked = self.submit([name], True, urgent, seconds)
        self.channel.submit(asked)
        self.go_on(answers, end)

    @stateful.rule(
        seconds=strategies.sampled_from([0.5, 1.5, 4.0, 20.0]),
        swept=strategies.booleans(),
        pump=strategies.booleans(),
    )
    def time_passes(self, seconds, swept, pump):
        self.clock.now += seconds
        if swept:
            for each in list(self.loop._watched):
                if each.deadline <= self.clock.now:
                    each.expire()
            for caller in self.callers:
                assert caller.told or caller.deadline > self.clock.now, 'late'
        if pump:
            self.pump()

    @stateful.rule(count=strategies.integers(1, 4))
    def the_agent_answers(self, count):
        for _ in range(count):
            if self.served is not None and self.served.outstanding:
                self.served.answer()
                self.pump()

    @stateful.rule()
    def the_agent_answers_all_at_once(self):
        while self.served is not None and self.served.outstanding:
            self.served.answer()
        self.pump()

    @stateful.rule(data=strategies.sampled_from(GARBAGE))
    def the_guest_breaks_the_rules(self, data):
        if self.served is not None:
            self.served.send(data)
        self.pump()

    @stateful.rule()
    def qemu_closes(self):
        if self.served is not None:
            self.served.close()
        self.pump()

    def qemu_starts(self):
        if self.listener is None:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.setblocking(False)
            self.listener.bind(self.path)
            self.listener.listen(16)

    @stateful.precondition(lambda self: self.listener is None)
    @stateful.rule()
    def qemu_starts_again(self):
        self.qemu_starts()

    @stateful.rule(again=strategies.sampled_from([True, True, True, False]))
    def qemu_ends(self, again):
        if self.listener is not None:
            self.listener.close()
            self.listener = None
            os.unlink(self.path)
        for each in self.connections:
            each.close()
        if again:
            self.qemu_starts()
        self.pump()

    @stateful.invariant()
    def nobody_is_told_twice(self):
        assert all(len(caller.told) <= 1 for caller in self.callers)


class RandomSequenceTest(unittest.TestCase):
    def test_every_sequence_of_events_keeps_the_rules(self):
        stateful.run_state_machine_as_test(
            ChannelMachine,
            settings=hypothesis.settings(
                max_examples=100, stateful_step_count=40, deadline=None
            ),
        )
