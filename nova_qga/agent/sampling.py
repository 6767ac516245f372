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

"""Sample one guest: capabilities, open files, one batch, samples.

:meth:`Sampler.steps` is a generator that yields what to ask and is sent what
was answered, so that it can be read and tested from top to bottom, without a
socket. In the steady state it yields once.
"""

from collections.abc import Callable, Generator, Mapping
import time
from typing import Any

from oslo_log import log as logging

from nova_qga.agent import plan as sampling_plan
from nova_qga.collectors import base
from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.guest import capabilities
from nova_qga.guest import guest as guest_module
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.transport import channel as guest_channel
from nova_qga.transport import request

LOG = logging.getLogger(__name__)

Done = Callable[[sample_set.SampleSet | None, errors.QgaError | None], None]
Steps = Generator[command.Batch, list[Any], sample_set.SampleSet]

_INFO = command.Batch((capabilities.INFO,))
_NOTHING: Mapping[str, str] = {}


class Sampler:
    """What is kept of one guest between its samples.

    Used on the loop's thread only.
    """

    __slots__ = (
        '_channel',
        '_constant',
        '_epoch',
        '_handles',
        '_refused',
        '_running',
        '_waiting',
        'guest',
    )

    def __init__(self, guest: guest_module.Guest) -> None:
        self.guest = guest
        self._channel: guest_channel.Channel | None = None
        self._epoch = guest.epoch
        self._handles: dict[str, int] = {}
        #: path -> why it cannot be opened
        self._refused: dict[str, str] = {}
        #: path -> samples of a file that never changes
        self._constant: dict[str, tuple[base.Sample, ...]] = {}
        self._running = False
        self._waiting: list[Done] = []

    @property
    def running(self) -> bool:
        """A sample is under way."""
        return self._running

    def run(
        self,
        plans: sampling_plan.Plans,
        deadline: float,
        done: Done,
        urgent: bool = False,
    ) -> None:
        """Take a sample; who asks during one is told of that one.

        :param deadline: monotonic clock
        :param done: told once
        """
        self._waiting.append(done)
        if self._running:
            return
        try:
            self.guest.check_reachable()
        except errors.GuestUnavailable as error:
            self._end(None, error)
            return
        self._running = True
        self._use(self.guest.preferred())
        steps = self.steps(plans)
        channel = self._channel

        def step(
            replies: list[Any] | None, error: errors.QgaError | None
        ) -> None:
            try:
                if error is not None:
                    batch = steps.throw(error)
                elif replies is None:
                    batch = next(steps)
                else:
                    batch = steps.send(replies)
            except StopIteration as stop:
                self._end(stop.value, None)
            except errors.QgaError as failure:
                self._end(None, failure)
            else:
                asked = request.Request(batch, deadline, step, urgent)
                channel.submit(asked)  # type: ignore[union-attr]

        step(None, None)

    def close_files(self, deadline: float) -> None:
        """Close the files kept open in the guest, as far as time allows."""
        handles, self._handles = self._handles, {}
        if self._channel is None or not self._channel.contacted:
            return
        for handle in handles.values():
            batch = command.Batch((commands.close_file(handle),))
            self._channel.submit(request.Request(batch, deadline, _ignore))

    def _end(
        self,
        samples: sample_set.SampleSet | None,
        error: errors.QgaError | None,
    ) -> None:
        self._running = False
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done(samples, error)

    def _use(self, channel: guest_channel.Channel) -> None:
        """Forget what belongs to another agent process than this one's.

        After a reboot the same number may be another user's file.
        """
        if channel is self._channel and self.guest.epoch == self._epoch:
            return
        self._channel = channel
        self._epoch = self.guest.epoch
        self._handles = {}
        self._refused = {}
        self._constant = {}

    # What to ask, in order, from here on.

    def steps(self, plans: sampling_plan.Plans) -> Steps:
        """Yield what to ask, be sent the replies, return the samples."""
        if self.guest.info is None:
            yield from self._ask_info()
        info = self.guest.info
        if info is None:
            raise errors.GuestUnavailable('frozen', 'the guest is frozen')
        plan = plans.plan(info)
        if len(self._handles) != len(plan.files):
            yield from self._open_files(plan)
        if len(self._constant) != len(plan.once):
            yield from self._read_constant(plan)
        batch, slots = plan.batch(self._handles)
        replies = yield batch
        if self._drop_stale(slots, replies):
            # The agent has restarted, and its successor knows no handles.
            yield from self._open_files(plan)
            batch, slots = plan.batch(self._handles)
            replies = yield batch
        return self._read(plan, slots, replies)

    def _ask_info(self) -> Generator[command.Batch, list[Any], None]:
        [reply] = yield _INFO
        if isinstance(reply, errors.CommandError):
            raise reply
        info = capabilities.read(reply)
        # A frozen agent lists six commands, which is not what it can do.
        if not capabilities.looks_frozen(info):
            self.guest.info = info
            self._refused = {}

    def _open_files(
        self, plan: sampling_plan.Plan
    ) -> Generator[command.Batch, list[Any], None]:
        for path in plan.files:
            if path not in self._handles and path not in self._refused:
                handle = yield from self._open(path)
                if handle is not None:
                    self._handles[path] = handle

    def _open(
        self, path: str
    ) -> Generator[command.Batch, list[Any], int | None]:
        opening = commands.open_file(path, 'r')
        [reply] = yield command.Batch((opening,))
        if isinstance(reply, errors.CommandError):
            self._refused[path] = str(reply)
            return None
        return opening.read(reply)

    def _read_constant(
        self, plan: sampling_plan.Plan
    ) -> Generator[command.Batch, list[Any], None]:
        for _, source in plan.once:
            asked = source.question
            assert isinstance(asked, base.ProcFile)  # noqa: S101
            path = asked.path
            if path in self._constant or path in self._refused:
                continue
            handle = yield from self._open(path)
            if handle is None:
                continue
            reading = commands.read_file(handle, asked.size)
            [reply] = yield command.Batch((reading,))
            yield command.Batch((commands.close_file(handle),))
            try:
                if isinstance(reply, errors.CommandError):
                    raise reply
                text = reading.read(reply).data
                self._constant[path] = tuple(source.samples(text))
            except (errors.CommandError, errors.InvalidReply) as error:
                self._refused[path] = str(error)

    def _drop_stale(
        self, slots: tuple[sampling_plan.Slot, ...], replies: list[Any]
    ) -> bool:
        """Forget handles that the agent no longer knows."""
        stale = [
            slot.path
            for slot in slots
            if slot.path is not None
            and isinstance(replies[slot.reply - 1], errors.CommandError)
        ]
        for path in stale:
            self._handles.pop(path, None)
        return bool(stale)

    def _read(
        self,
        plan: sampling_plan.Plan,
        slots: tuple[sampling_plan.Slot, ...],
        replies: list[Any],
    ) -> sample_set.SampleSet:
        samples: list[base.Sample] = []
        missing: dict[str, str] = {}
        for name, samples_of, path, asked, index in slots:
            reply = replies[index]
            if isinstance(reply, errors.CommandError):
                missing[name] = str(reply)
                continue
            try:
                value = asked.read(reply)
                samples += samples_of(value if path is None else value.data)
            except errors.InvalidReply as error:
                missing[name] = f'the guest sent nonsense: {error}'
            except Exception:
                # A plugin's fault costs its own metric and no other.
                LOG.exception('collector %s failed', name)
                missing[name] = 'the collector failed: see the log'
        for constant in self._constant.values():
            samples.extend(constant)
        for path, reason in self._refused.items():
            if path in plan.readers:
                missing[plan.readers[path]] = reason
        for name in plan.silent:
            missing[name] = 'the agent has no command that tells'
        return self._sample_set(samples, missing)

    def _sample_set(
        self, samples: list[base.Sample], missing: dict[str, str]
    ) -> sample_set.SampleSet:
        description = self.guest.description
        return sample_set.SampleSet(
            description.uuid,
            description.name,
            description.project_id,
            description.user_id,
            time.time(),
            samples,
            'guest',
            missing or _NOTHING,
        )


def _ignore(_: list[Any] | None, __: errors.QgaError | None) -> None:
    """Take the answer of a close that nobody waits for."""
