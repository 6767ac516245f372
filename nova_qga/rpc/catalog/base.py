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

"""What an operation is, and what it is given when it runs."""

from collections.abc import Callable, Mapping, Sequence
import dataclasses
import enum
from typing import Any, Protocol

from nova_qga.guest import attachment
from nova_qga.guest import guest as guest_module
from nova_qga.operations import agent as operations_agent
from nova_qga.operations import ssh_keys
from nova_qga.rpc import validation

#: Name -> value, checked.
Arguments = Mapping[str, Any]
#: What an operation returns; what JSON can carry.
Result = dict[str, Any]


class Access(enum.StrEnum):
    """What class of rules an operation is under."""

    AUDIT = 'audit'
    FILE_READ = 'file_read'
    FILE_WRITE = 'file_write'
    FILESYSTEM_MANAGEMENT = 'filesystem_management'
    UNRESTRICTED = 'unrestricted'


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What requests may ask for on this host.

    :ivar max_file_size: bytes
    :ivar allowed_commands: guest commands that ``run_command`` may run
    """

    max_file_size: int
    allowed_commands: frozenset[str] = frozenset()


class Context(Protocol):
    """What an operation may use."""

    @property
    def limits(self) -> Limits:
        """What this host allows."""

    def left(self) -> float:
        """Return the seconds that are left for all of it."""

    def attach_channel(self) -> attachment.Attached:
        """Hot-plug the direct channel, unless the guest has it."""

    def freeze(
        self, mountpoints: Sequence[str] | None, duration: float
    ) -> Result:
        """Freeze the guest, for so many seconds at most."""

    def thaw(self) -> Result:
        """Thaw the guest."""

    def freeze_state(self) -> Result:
        """Return whether the guest is frozen."""

    def guest(self) -> guest_module.Guest:
        """Return the guest as libvirt sees it now.

        :raises GuestNotFound, ServiceUnavailable: it cannot be seen
        """

    def agent(self, *, direct_first: bool = False) -> operations_agent.Agent:
        """Return the guest's agent, reached at the first call.

        A guest that is frozen is refused, unless the operation may run
        ``while_frozen``.

        :param direct_first: over the direct channel, also where that failed
            the last time: libvirtd may log what goes over the other
        :raises GuestNotFound, GuestUnavailable, ServiceUnavailable: the
            message says why it cannot be
        """

    def owned_keys(self, username: str) -> ssh_keys.Owned:
        """Return which keys of an account of the guest are ours.

        Its methods raise ServiceUnavailable where the journal is away.
        """

    def unseal(self, sealed: bytes, key_id: str, username: str) -> str:
        """Return a secret that was sealed for this request and account.

        :raises UnknownKey: it is sealed to a key that this host has not
        :raises InvalidRequest: it is damaged, or for another use
        :raises ServiceUnavailable: this host cannot read its keys
        """


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    :ivar has_effect: it changes the guest, and so never runs twice
    :ivar arguments: name -> check and default
    :ivar run: does it
    :ivar check: what the arguments must be to each other and to the limits
    :ivar access: who may run it, unless the operator says otherwise
    :ivar off_by_default: nobody may, unless the operator says otherwise
    :ivar needs: commands of the guest's agent without which it cannot work;
        one that only a form of it takes, such as seeking to an offset, is
        not among them
    :ivar while_frozen: it changes no filesystem of the guest, and so need not
        wait until it is thawed; what has no effect never does
    """

    name: str
    has_effect: bool
    arguments: Mapping[str, tuple[validation.Check, Any]]
    run: Callable[[Context, Arguments], Result]
    check: Callable[[Arguments, Limits], None] = lambda given, limits: None
    access: Access = Access.UNRESTRICTED
    off_by_default: bool = False
    needs: tuple[str, ...] = ()
    while_frozen: bool = False
