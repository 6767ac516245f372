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

"""What a collector is: sources to choose from, each with its reader.

Collectors are pure: no I/O, no clock, no state between samples. They are
loaded from the ``nova_qga.collectors`` entry points by name.
"""

import abc
import dataclasses
import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from nova_qga.guest import figures
from nova_qga.protocol import command


class Unit(enum.Enum):
    """Base units only: convert at the edge, never in a consumer."""

    SECONDS = 's'
    BYTES = 'B'
    COUNT = '1'


class Kind(enum.Enum):
    """How a value moves."""

    GAUGE = 'gauge'  # may go up or down
    CUMULATIVE = 'cumulative'  # only grows; back to 0 when the guest boots


class Metric(NamedTuple):
    """A name with its unit and kind; ours alone, never a guest's words.

    :ivar name: Ceilometer's dotted style, ``guest.cpu.time``
    """

    name: str
    unit: Unit
    kind: Kind


class Sample(NamedTuple):
    """One measured value. The poller adds the guest and the host's time.

    :ivar labels: name and value in turn, values escaped and cut:
        ``('cpu', '0', 'mode', 'user')``
    """

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


class ProcFile(NamedTuple):
    """A file of the guest's kernel, read through a kept handle.

    :ivar once: it does not change before the next boot
    :ivar size: bytes read of its head; the whole, for all but huge guests
    """

    path: str
    once: bool = False
    size: int = 65536


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """One way to measure.

    :ivar question: a read-only guest command, or a file to read
    :ivar samples: reads what was answered: the command's checked reply, or
        the file's bytes. Raises InvalidReply where it cannot be read.
    :ivar then: says, given the command's checked reply, what else to ask in
        the same round: commands alone
    """

    question: command.Command[Any] | ProcFile
    samples: Callable[[Any], Iterable[Sample]]
    then: Callable[[Any], Sequence['Source']] | None = None

    def usable(self, enabled: Mapping[str, bool]) -> bool:
        """Tell whether an agent that has these commands can be asked.

        :param enabled: as in AgentInfo.commands
        """
        return all(enabled.get(name, False) for name in self.commands)

    @property
    def commands(self) -> Sequence[str]:
        """What the agent must have for it."""
        if isinstance(self.question, ProcFile):
            return FILE_COMMANDS
        return (self.question.name,)


#: What an agent must allow for a ProcFile to be read.
FILE_COMMANDS = (
    'guest-file-open',
    'guest-file-seek',
    'guest-file-read',
    'guest-file-close',
)


class Collector(abc.ABC):
    """One kind of measurement.

    :cvar metrics: every metric that it may give
    :cvar slow: what it measures changes slowly: it is asked more seldom
    """

    metrics: Sequence[Metric]
    slow: ClassVar[bool] = False

    @abc.abstractmethod
    def select(self, enabled: Mapping[str, bool]) -> Sequence[Source]:
        """Return what to ask an agent that has these commands.

        :param enabled: as in AgentInfo.commands: name -> enabled
        :returns: usually one source, the best that is usable; none where
            the guest cannot tell.
        """

    def stand_in(self, known: figures.Figures) -> Sequence[Sample]:
        """Return what the hypervisor knows, for where the guest tells nothing.

        :returns: none where it does not know either
        """
        return ()


def best(enabled: Mapping[str, bool], *sources: Source) -> tuple[Source, ...]:
    """Return the first usable source, or none."""
    for source in sources:
        if source.usable(enabled):
            return (source,)
    return ()
