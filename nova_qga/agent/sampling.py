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

:func:`steps` is a generator that yields what to ask and is sent what was
answered, so that it can be read and tested from top to bottom, without a
socket. In the steady state it yields once.
"""

from collections.abc import Generator
from typing import Any

from oslo_log import log as logging

from nova_qga.agent import kept as agent_kept
from nova_qga.agent import plan as sampling_plan
from nova_qga.agent import told as agent_told
from nova_qga.collectors import base
from nova_qga import errors
from nova_qga.guest import capabilities
from nova_qga.guest import guest as guest_module
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.protocol import replies

LOG = logging.getLogger(__name__)

Steps = Generator[command.Batch, list[Any], agent_told.Told]

#: A file that was refused is tried again after so many samples.
FORGIVE = 10

_INFO = command.Batch((capabilities.INFO,))
_FROZEN = 'the guest is frozen: no file is opened until it is thawed'


def steps(
    guest: guest_module.Guest,
    kept: agent_kept.Kept,
    plans: sampling_plan.Plans,
    slow: bool = True,
) -> Steps:
    """Yield what to ask, be sent the replies, return what was told.

    :param kept: of the agent on the channel that is used: another has
        another agent, with files and abilities of its own
    :param slow: ask for what changes slowly too
    """
    # A new contact, or the news of a restart, takes the guest's away.
    if kept.info is None or guest.info is None:
        kept.info = yield from _ask_info(guest)
        kept.refused = {}
    plan = plans.plan(kept.info)
    kept.taken += 1
    if guest.frozen:
        return (yield from _spare(guest, kept, plan, slow))
    if kept.taken % FORGIVE == 0:
        kept.refused = {}
    if kept.epoch != guest.epoch:
        yield from _check_boot(guest, kept, plan)
    if kept.plan is not plan:
        yield from _change_plan(kept, plan)
    if len(kept.handles) != len(plan.files):
        yield from _open_files(kept, plan)
    if len(kept.constant) != len(plan.once):
        yield from _read_constant(kept, plan)
    batch, slots = plan.batch(kept.handles, slow)
    replies = yield batch
    if _drop_stale(kept, slots, replies):
        # The agent has restarted, and its successor knows no handles. What
        # that one can do is asked next time.
        kept.info = None
        yield from _open_files(kept, plan)
        batch, slots = plan.batch(kept.handles, slow)
        replies = yield batch
    return (yield from _finish(kept, plan, slots, replies, slow))


def _finish(
    kept: agent_kept.Kept,
    plan: sampling_plan.Plan,
    slots: tuple[sampling_plan.Slot, ...],
    replies: list[Any],
    slow: bool,
) -> Steps:
    """Ask what the answers say is to be asked next, and read all."""
    later = None if slow else plan.slow
    more = sampling_plan.further(slots, replies) if plan.goes_on else ()
    if more:
        try:
            answers = yield command.Batch([slot.command for slot in more])
        except errors.QgaError as error:
            # What was told before it counts.
            LOG.debug('no further answers: %s', error)
        else:
            slots, replies = slots + more, replies + answers
    return agent_told.read(kept, plan, slots, replies, later)


def _ask_info(
    guest: guest_module.Guest,
) -> Generator[command.Batch, list[Any], replies.AgentInfo]:
    [reply] = yield _INFO
    if isinstance(reply, errors.CommandError):
        raise reply
    info = capabilities.read(reply)
    # A frozen agent lists six commands, which is not what it can do.
    if capabilities.looks_frozen(info):
        raise errors.GuestUnavailable(
            'frozen',
            'filesystems in the guest are frozen: thaw them, or wait until '
            'the snapshot or backup that froze them has ended',
        )
    guest.info = info
    return info


def _spare(
    guest: guest_module.Guest,
    kept: agent_kept.Kept,
    plan: sampling_plan.Plan,
    slow: bool,
) -> Steps:
    """Sample a guest that is frozen, over an agent that does not know.

    An agent notes the files that it opens, and closes, in one of its own: if
    that is frozen it hangs, and nothing is sampled until the thaw.
    """
    same = kept.plan is plan and kept.epoch == guest.epoch
    handles = kept.handles if same else {}
    batch, slots = plan.batch(handles, slow)
    replies = yield batch
    taken = yield from _finish(kept, plan, slots, replies, slow)
    closed = {
        name: _FROZEN
        for path in plan.files
        if path not in handles
        for name in plan.readers[path]
    }
    return taken._replace(missing={**closed, **taken.missing})


def _check_boot(
    guest: guest_module.Guest, kept: agent_kept.Kept, plan: sampling_plan.Plan
) -> Generator[command.Batch, list[Any], None]:
    """Drop handles unless the guest still runs the same boot.

    After a reboot a number may be somebody else's file; before one, an
    open file that is dropped is lost to the agent, which can hold some
    1,000. A new agent in the same boot counts on from the old one's.
    """
    epoch = guest.epoch
    before, kept.constant = kept.boot, {}
    kept.refused = {}
    yield from _read_constant(kept, plan)
    kept.boot = _boot(kept)
    if not before or kept.boot != before:
        kept.handles = {}
    # Not before: where that look failed, it is due again.
    kept.epoch = epoch


def _boot(kept: agent_kept.Kept) -> str:
    """Return what is the same all through a boot, as one word of text."""
    return ' '.join(
        str(value)
        for samples in kept.constant.values()
        for sample in samples
        for value in (*sample.labels, sample.value)
    )


def _change_plan(
    kept: agent_kept.Kept, plan: sampling_plan.Plan
) -> Generator[command.Batch, list[Any], None]:
    """Let go of what other collectors, or another agent, had a use for."""
    once = [
        source.question.path
        for _, source in plan.once
        if isinstance(source.question, base.ProcFile)
    ]
    kept.plan = plan
    kept.refused = {}
    kept.constant = {
        path: samples
        for path, samples in kept.constant.items()
        if path in once
    }
    for path in [path for path in kept.handles if path not in plan.files]:
        handle = kept.handles.pop(path)
        yield command.Batch((commands.close_file(handle),))


def _open_files(
    kept: agent_kept.Kept, plan: sampling_plan.Plan
) -> Generator[command.Batch, list[Any], None]:
    for path in plan.files:
        if path not in kept.handles and path not in kept.refused:
            handle = yield from _open(kept, path)
            if handle is not None:
                kept.handles[path] = handle


def _open(
    kept: agent_kept.Kept, path: str
) -> Generator[command.Batch, list[Any], int | None]:
    opening = commands.open_file(path, 'r')
    [reply] = yield command.Batch((opening,))
    try:
        if isinstance(reply, errors.CommandError):
            raise reply
        return opening.read(reply)
    except (errors.CommandError, errors.InvalidReply) as error:
        _refuse(kept, path, error)
        return None


def _refuse(kept: agent_kept.Kept, path: str, error: errors.QgaError) -> None:
    kept.refused[path] = str(error)
    if isinstance(error, errors.CommandUnsupported):
        # Frozen since, or blocked by another configuration: ask which.
        kept.info = None


def _read_constant(
    kept: agent_kept.Kept, plan: sampling_plan.Plan
) -> Generator[command.Batch, list[Any], None]:
    for name, source in plan.once:
        asked = source.question
        assert isinstance(asked, base.ProcFile)  # noqa: S101
        path = asked.path
        if path in kept.constant or path in kept.refused:
            continue
        handle = yield from _open(kept, path)
        if handle is None:
            continue
        reading = commands.read_file(handle, asked.size)
        [reply] = yield command.Batch((reading,))
        yield command.Batch((commands.close_file(handle),))
        try:
            if isinstance(reply, errors.CommandError):
                raise reply
            text = reading.read(reply).data
            kept.constant[path] = tuple(source.samples(text))
        except (errors.CommandError, errors.InvalidReply) as error:
            _refuse(kept, path, error)
        except Exception:
            LOG.exception('collector %s failed', name)
            kept.refused[path] = agent_told.FAULT


def _drop_stale(
    kept: agent_kept.Kept,
    slots: tuple[sampling_plan.Slot, ...],
    replies: list[Any],
) -> bool:
    """Forget handles that the agent no longer knows.

    One that is frozen still has them, and says that seeking is disabled.
    """
    stale = [
        slot.path
        for slot in slots
        if slot.path is not None
        and isinstance(replies[slot.reply - 1], errors.CommandError)
        and not isinstance(replies[slot.reply - 1], errors.CommandUnsupported)
    ]
    for path in stale:
        kept.handles.pop(path, None)
    return bool(stale)
