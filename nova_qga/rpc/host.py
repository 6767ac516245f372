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

"""What requests need of the host whose guests they are for.

:class:`nova_qga.guest.host.Host` has it, and of samples
:class:`nova_qga.agent.on_demand.OnDemand`; so may a test's own.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from nova_qga.collectors import sample_set
from nova_qga.collectors import usage
from nova_qga.guest import attachment
from nova_qga.guest import freeze_states
from nova_qga.guest import guest as guest_module
from nova_qga.guest import survey
from nova_qga.operations import agent as operations_agent


class Agent(operations_agent.Agent, Protocol):
    """A guest's agent, as reached for one operation."""

    @property
    def channel_kind(self) -> str:
        """``direct`` or ``standard``."""


class Directory(Protocol):
    """The guests that are known."""

    def get(self, uuid: str) -> guest_module.Guest:
        """Return a guest, or raise GuestNotFound."""

    def guests(self) -> Sequence[guest_module.Guest]:
        """Return all of them."""


class Host(Protocol):
    """This host's guests."""

    @property
    def directory(self) -> Directory:
        """The guests that are known, also while libvirtd is away."""

    def guests(self) -> Sequence[guest_module.Guest]:
        """Return all guests, or raise ServiceUnavailable."""

    def find(self, uuid: str) -> guest_module.Guest:
        """Return a guest as libvirt sees it now."""

    def agent(
        self,
        uuid: str,
        timeout: float,
        kinds: Sequence[str] = (),
        *,
        changes: bool = False,
        direct_first: bool = False,
    ) -> Agent:
        """Reach a guest's agent within so many seconds.

        :param kinds: of channels that may be used, the preferred one first
        :param changes: refuse a guest that is frozen
        """

    def freeze_states(
        self, uuid: str, timeout: float
    ) -> Sequence[freeze_states.State]:
        """Ask all agents of a guest whether it is frozen."""

    def attach_channel(self, uuid: str, timeout: float) -> attachment.Attached:
        """Hot-plug the direct channel."""

    def survey(self, timeout: float) -> Sequence[survey.Finding]:
        """Ask all agents at once, or raise ServiceUnavailable."""


class Samples(Protocol):
    """Who measures."""

    def sample_now(self, uuid: str, timeout: float) -> sample_set.SampleSet:
        """Sample one guest at once, within so many seconds."""


class Usage(Protocol):
    """Who follows what guests use."""

    def of(
        self, uuids: Sequence[str], timeout: float
    ) -> Mapping[str, usage.Usage]:
        """Return it of these guests, of those of which it is known.

        :param timeout: seconds for guests that must be sampled for it
        """
