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

"""What a publisher is: it sends the samples of guests somewhere.

Loaded from the ``nova_qga.publishers`` entry points by name.
"""

import abc
from collections.abc import Callable, Mapping, Sequence
import dataclasses
import os
from typing import Any, ClassVar

from nova_qga.collectors import base as collectors_base
from nova_qga.collectors import sample_set

#: What the agent says of itself, now: of no guest.
Internals = Callable[[], Sequence[collectors_base.Sample]]


def _none() -> Sequence[collectors_base.Sample]:
    return ()


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """What every publisher is made with.

    :ivar host: name of this host, as Nova knows it
    :ivar notifier: a :class:`nova_qga.publishers.sender.Notifier`
    :ivar options: group of options -> name -> value, of the groups that are
        for publishers
    :ivar internals: asked for what the agent says of itself; on any thread
    """

    host: str
    notifier: Any
    options: Mapping[str, Mapping[str, Any]] = dataclasses.field(
        default_factory=dict, repr=False
    )
    internals: Internals = _none


class Publisher(abc.ABC):
    """One place where samples go.

    :cvar group: of its options, where it has some
    :cvar files: its options that name files; at SIGHUP a file that is another
        one by then counts as an option that was changed
    :ivar batch_size: guests' samples that it is given at once, at most
    :ivar batch_wait: seconds that the first of them may wait for others
    """

    group: ClassVar[str] = ''
    files: ClassVar[Sequence[str]] = ()
    batch_size: int = 1
    batch_wait: float = 0.0

    def __init__(self, context: Context) -> None:
        self.context = context
        self._made_of = self._made_with(context)

    def is_current(self, context: Context) -> bool:
        """Tell whether nothing has changed for it."""
        return self._made_of == self._made_with(context)

    def renewed(self, context: Context) -> 'Publisher':
        """Return another one, for what has changed; this one still works.

        :raises ConfigurationError: an option does not fit
        """
        return type(self)(context)

    def route(self, samples: sample_set.SampleSet) -> str | None:
        """Return a name for where these go; None where nowhere.

        What goes one way is published in its order. Each way has a thread of
        its own, so that one that is held up holds up no other.
        """
        return ''

    @abc.abstractmethod
    def publish(self, batch: Sequence[sample_set.SampleSet]) -> None:
        """Send samples of guests, all of one route.

        It may block for a while: other samples wait meanwhile, and where too
        many do the oldest are dropped.

        :raises ServiceUnavailable: nothing takes them now; they are given
            again after a pause, a few times. After any other exception they
            are lost. Either is counted and logged.
        """

    def close(self) -> None:
        """Let go of what is held: nothing is published any more."""

    def _made_with(self, context: Context) -> object:
        options = context.options.get(self.group, {})
        named = [options[name] for name in self.files if options.get(name)]
        return context.host, dict(options), [_stamp(file) for file in named]


def _stamp(file: str) -> object:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
