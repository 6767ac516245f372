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

"""What to ask a guest for one sample, from what its agent can do.

Guests with the same agent share one plan, and those that gave their files
the same handles share the encoded batch: that keeps thousands of guests small
in memory and cheap to ask.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from oslo_log import log as logging

from nova_qga.collectors import base
from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import commands
from nova_qga.protocol import replies

LOG = logging.getLogger(__name__)

#: Batches kept; handles start at 1000 and rarely differ between guests.
MAX_BATCHES = 256

#: Seconds. An ordinary round costs less than a millisecond, over libvirt two
#: or three; what hostile guests could send within all other limits, a hundred
#: times this.
BUDGET = 0.01


class Slot(NamedTuple):
    """One source of the plan, and where its answer will be.

    :ivar slow: its collector is
    :ivar path: of the file that is read, if it is one
    :ivar command: whose reply it is; a file's read, with its seek before it
    :ivar reply: index of that reply in the batch
    :ivar then: of the source
    """

    collector: str
    slow: bool
    samples: Callable[[Any], Iterable[base.Sample]]
    path: str | None
    command: command.Command[Any]
    reply: int
    then: Callable[[Any], Sequence[base.Source]] | None = None


class Plan:
    """The sources for one kind of agent.

    :ivar silent: collector -> why it has no source
    :ivar files: paths to keep open, in order
    :ivar readers: path -> the collectors that read it
    :ivar once: files to read one time, with their source's collector
    :ivar slow: collectors that are asked more seldom, and have a source
    :ivar goes_on: some answers say what else to ask
    """

    def __init__(
        self,
        collectors: Mapping[str, base.Collector],
        enabled: Mapping[str, bool],
    ) -> None:
        self.silent: dict[str, str] = {}
        chosen = [
            (name, source)
            for name, collector in collectors.items()
            for source in self._select(name, collector, enabled)
        ]
        self.once = tuple(each for each in chosen if _once(each[1]))
        self._repeated = [each for each in chosen if not _once(each[1])]
        self.files = tuple(
            dict.fromkeys(
                source.question.path
                for _, source in self._repeated
                if isinstance(source.question, base.ProcFile)
            )
        )
        self.readers: dict[str, set[str]] = {}
        for name, source in chosen:
            if isinstance(source.question, base.ProcFile):
                self.readers.setdefault(source.question.path, set()).add(name)
        self.slow = {name for name, _ in chosen if collectors[name].slow}
        self.goes_on = any(source.then for _, source in chosen)
        self._batches: dict[
            tuple[bool, tuple[int | None, ...]],
            tuple[command.Batch, tuple[Slot, ...]],
        ] = {}

    def _select(
        self,
        name: str,
        collector: base.Collector,
        enabled: Mapping[str, bool],
    ) -> Sequence[base.Source]:
        try:
            sources = collector.select(enabled)
            if not sources:
                self.silent[name] = _why_none(collector, enabled)
        except Exception:
            # A plugin's fault costs its own metric and no other.
            LOG.exception('collector %s failed', name)
            self.silent[name] = 'the collector failed: see the log'
            return ()
        return sources

    def batch(
        self, handles: Mapping[str, int], slow: bool = True
    ) -> tuple[command.Batch, tuple[Slot, ...]]:
        """Return what to send, and where each source's answer will be.

        :param handles: path -> open handle; a file without one is left out
        :param slow: with what changes slowly
        """
        key = slow, tuple([handles.get(path) for path in self.files])
        known = self._batches.get(key)
        if known is None:
            if len(self._batches) >= MAX_BATCHES:
                self._batches.clear()
            known = self._batches[key] = self._build(handles, slow)
        return known

    def _build(
        self, handles: Mapping[str, int], slow: bool
    ) -> tuple[command.Batch, tuple[Slot, ...]]:
        asked: list[command.Command[Any]] = []
        slots: list[Slot] = []
        # What two sources ask is asked once.
        found: list[tuple[command.Command[Any] | base.ProcFile, int]] = []
        for name, source in self._repeated:
            if name in self.slow and not slow:
                continue
            question = source.question
            path = None
            if isinstance(question, base.ProcFile):
                path = question.path
                if handles.get(path) is None:
                    continue
            places = [place for known, place in found if known == question]
            if not places:
                asked += _commands(question, handles)
                places = [len(asked) - 1]
                found.append((question, places[0]))
            slots.append(
                Slot(
                    name,
                    name in self.slow,
                    source.samples,
                    path,
                    asked[places[0]],
                    places[0],
                    source.then,
                )
            )
        return command.Batch(asked), tuple(slots)


def _why_none(collector: base.Collector, enabled: Mapping[str, bool]) -> str:
    """Return why a collector has nothing to ask, and what would help."""
    # What the agent has, and was told not to do.
    allowed = collector.select(dict.fromkeys(enabled, True))
    blocked = {
        name: None
        for source in allowed
        for name in source.commands
        if enabled.get(name) is False
    }
    if not blocked:
        return 'the agent has no command that tells'
    return (
        f'the configuration of the agent blocks {", ".join(blocked)}: allow '
        'that in the guest'
    )


def _commands(
    question: command.Command[Any] | base.ProcFile, handles: Mapping[str, int]
) -> tuple[command.Command[Any], ...]:
    """Return what asks this; the last of them is answered with it."""
    if not isinstance(question, base.ProcFile):
        return (question,)
    handle = handles[question.path]
    return (
        commands.seek_file(handle, 0),
        commands.read_file(handle, question.size),
    )


def further(slots: Iterable[Slot], replies: Sequence[Any]) -> tuple[Slot, ...]:
    """Return what to ask next, given the answers.

    The new slots count on behind these replies.
    """
    asked: list[Slot] = []
    for slot in slots:
        for source in _next_sources(slot, replies[slot.reply]):
            question = source.question
            if not isinstance(question, base.ProcFile):
                place = len(replies) + len(asked)
                asked.append(
                    Slot(
                        slot.collector,
                        slot.slow,
                        source.samples,
                        None,
                        question,
                        place,
                    )
                )
    return tuple(asked)


def _next_sources(slot: Slot, reply: Any) -> Sequence[base.Source]:
    if slot.then is None or isinstance(reply, errors.CommandError):
        return ()
    try:
        return slot.then(slot.command.read(reply))
    except errors.InvalidReply:
        return ()  # who reads the samples says so
    except Exception:
        LOG.exception('collector %s failed', slot.collector)
        return ()


def _once(source: base.Source) -> bool:
    return isinstance(source.question, base.ProcFile) and source.question.once


class Plans:
    """The plans of all kinds of agents that were met.

    :param collectors: by name, in the order of the configuration
    :param slow_interval: seconds between two samples of what changes slowly
    :param budget: seconds of this host's CPU that a round may cost
    :ivar collectors: the same
    """

    def __init__(
        self,
        collectors: Mapping[str, base.Collector],
        slow_interval: float = 300.0,
        budget: float = BUDGET,
    ) -> None:
        self.collectors = collectors
        self.slow_interval = slow_interval
        self.budget = budget
        self._stand_ins = [
            name
            for name, each in collectors.items()
            if type(each).stand_in is not base.Collector.stand_in
        ]
        # Keyed by identity: equal answers of agents are one object, and
        # the tuple keeps it alive.
        self._plans: dict[int, tuple[replies.AgentInfo, Plan]] = {}

    def plan(self, info: replies.AgentInfo) -> Plan:
        """Return the plan for an agent that says this of itself."""
        known = self._plans.get(id(info))
        if known is None:
            if len(self._plans) >= MAX_BATCHES:
                self._plans.clear()
            made = Plan(self.collectors, info.commands)
            known = self._plans[id(info)] = (info, made)
        return known[1]

    def lacking(self, told: Container[str]) -> list[str]:
        """Return for which collectors the hypervisor may know something.

        :param told: collectors of which the guest told
        """
        return [name for name in self._stand_ins if name not in told]
