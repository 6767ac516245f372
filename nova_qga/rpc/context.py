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

"""What one request has while it runs: its guest, its limits, its time."""

import time

from nova_qga.guest import attachment
from nova_qga.rpc.catalog import base
from nova_qga.rpc import host as rpc_host


class Context:
    """See :class:`nova_qga.rpc.catalog.base.Context`.

    :param timeout: seconds for all of it
    :ivar host: the guest's
    """

    def __init__(
        self,
        host: rpc_host.Host,
        instance_uuid: str,
        limits: base.Limits,
        timeout: float,
    ) -> None:
        self.host = host
        self.instance_uuid = instance_uuid
        self.limits = limits
        self._deadline = time.monotonic() + timeout
        self._agent: rpc_host.Agent | None = None
        self._attaching = False

    @property
    def channel_kind(self) -> str | None:
        """``direct`` or ``standard``; None where none was used."""
        return None if self._agent is None else self._agent.channel_kind

    @property
    def may_have_begun(self) -> bool:
        """Something may have been sent to the guest."""
        return self._agent is not None or self._attaching

    def left(self) -> float:
        """Return the seconds that are left."""
        return self._deadline - time.monotonic()

    def attach_channel(self) -> attachment.Attached:
        """Hot-plug the direct channel, unless the guest has it."""
        self._attaching = True
        return self.host.attach_channel(self.instance_uuid, self.left())

    def agent(self) -> rpc_host.Agent:
        """Return the guest's agent, reached at the first call."""
        if self._agent is None:
            self._agent = self.host.agent(self.instance_uuid, self.left())
        return self._agent
