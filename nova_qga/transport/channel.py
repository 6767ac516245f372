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

"""What the direct and the standard channel have in common."""

from typing import Protocol

from nova_qga import errors
from nova_qga.transport import breaker
from nova_qga.transport import request


class Channel(Protocol):
    """A way to a guest's agent; called on the loop's thread only."""

    #: Seconds of CPU that its replies have cost here.
    spent: float

    @property
    def kind(self) -> str:
        """``direct`` or ``standard``."""

    @property
    def name(self) -> str:
        """Of the port in the guest, ``org.qemu.guest_agent.1``."""

    @property
    def contacted(self) -> bool:
        """An agent has answered, and nothing has failed since."""

    @property
    def failing(self) -> breaker.Fault | None:
        """Why the last attempt failed, if no agent has answered since."""

    @property
    def state(self) -> breaker.State:
        """Whether the guest is asked now."""

    def submit(self, asked: request.Request) -> None:
        """Queue a request; ``asked`` is told once how it ends."""

    def retry(self) -> None:
        """End a pause: something has happened, the agent may be back."""

    def close(self, reason: errors.QgaError) -> None:
        """End what is under way, and close for good."""
