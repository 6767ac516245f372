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

"""What a publisher is: it sends the samples of one guest somewhere.

Loaded from the ``nova_qga.publishers`` entry points by name.
"""

import abc
from collections.abc import Mapping
import dataclasses
from typing import Any

from nova_qga.collectors import sample_set


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """What every publisher is made with.

    :ivar host: name of this host, as Nova knows it
    :ivar notifier: an ``oslo_messaging.Notifier`` with bounded retries
    :ivar options: group of options -> name -> value, of the groups that are
        for publishers
    """

    host: str
    notifier: Any
    options: Mapping[str, Mapping[str, Any]] = dataclasses.field(
        default_factory=dict
    )


class Publisher(abc.ABC):
    """One place where samples go; used on the publishing thread only."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @abc.abstractmethod
    def publish(self, samples: sample_set.SampleSet) -> None:
        """Send the samples of one guest.

        It may block for a while: samples wait meanwhile, and the oldest are
        dropped. What it raises is logged, and the next samples come.
        """

    def close(self) -> None:
        """Let go of what is held: nothing is published any more."""
