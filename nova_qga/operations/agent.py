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

"""What an operation needs of a guest's agent.

:class:`nova_qga.guest.agent.GuestAgent` has it; so may a test's own guest.
"""

from typing import Protocol, TypeVar

from nova_qga.protocol import command
from nova_qga.protocol import replies

ReplyT = TypeVar('ReplyT')


class Agent(Protocol):
    """Commands to one guest, one after another."""

    def ping(self) -> float:
        """Let the agent answer a sync; return the seconds it took."""

    def execute(
        self,
        single: command.Command[ReplyT],
        *,
        cleanup: bool = False,
        slow: bool = False,
        patience: float | None = None,
    ) -> ReplyT:
        """Run one command and return its checked reply.

        :param cleanup: it gets time of its own after the deadline
        :param slow: it may take all the time until the deadline
        :param patience: seconds at most for an answer
        """

    def info(self) -> replies.AgentInfo:
        """Return the agent's version and commands."""

    def require(self, *names: str) -> None:
        """Raise CommandUnsupported unless the agent has these commands."""
