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

from collections.abc import Sequence
import time

from nova_qga.guest import attachment
from nova_qga.guest import guest as guest_module
from nova_qga.journal import key_pairs
from nova_qga.journal import owned_keys
from nova_qga.rpc.catalog import base
from nova_qga.rpc import freezer as rpc_freezer
from nova_qga.rpc import host as rpc_host
from nova_qga.rpc import request
from nova_qga.rpc import sealing


class Context:
    """See :class:`nova_qga.rpc.catalog.base.Context`.

    :param timeout: seconds for all of it
    :param keys: what secrets are sealed to
    :param owned: the public keys that we have added to guests
    :ivar host: the guest's
    """

    def __init__(
        self,
        host: rpc_host.Host,
        freezer: rpc_freezer.Freezer,
        asked: request.Request,
        limits: base.Limits,
        timeout: float,
        keys: key_pairs.KeyPairs,
        owned: owned_keys.OwnedKeys,
    ) -> None:
        self.host = host
        self.instance_uuid = asked.instance_uuid
        self.limits = limits
        self._freezer = freezer
        self._request_id = asked.request_id
        self._expires_at = asked.expires_at
        #: It must not be run in a guest that is frozen.
        self._changes = (
            asked.operation.has_effect and not asked.operation.while_frozen
        )
        #: A freeze of the guest waits for its end; None where none need.
        self._counted: bool | None = False if self._changes else None
        self._keys = keys
        self._owned = owned
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

    def close(self) -> None:
        """Say that the request does nothing more in the guest."""
        if self._counted:
            self._counted = None
            self._freezer.changes.end(self.instance_uuid)

    def left(self) -> float:
        """Return the seconds that are left."""
        return self._deadline - time.monotonic()

    def attach_channel(self) -> attachment.Attached:
        """Hot-plug the direct channel, unless the guest has it."""
        self._attaching = True
        return self.host.attach_channel(self.instance_uuid, self.left())

    def freeze(
        self, mountpoints: Sequence[str] | None, duration: float
    ) -> base.Result:
        """Freeze the guest, for so many seconds at most."""
        # It does not wait for itself.
        self._counted = None
        return self._freezer.freeze(
            self, self._request_id, mountpoints, duration
        )

    def thaw(self) -> base.Result:
        """Thaw the guest."""
        return self._freezer.thaw(self)

    def freeze_state(self) -> base.Result:
        """Return whether the guest is frozen."""
        return self._freezer.state(self.instance_uuid, self.left())

    def guest(self) -> guest_module.Guest:
        """Return the guest as libvirt sees it now."""
        return self.host.find(self.instance_uuid)

    def agent(self, *kinds: str, direct_first: bool = False) -> rpc_host.Agent:
        """Return the guest's agent, reached at the first call.

        :param kinds: reach one on a channel of these, the first at best
        """
        missed = direct_first and self.channel_kind != 'direct'
        if self._agent is None or missed or kinds:
            if self._counted is False:
                self._counted = True
                self._freezer.changes.begin(self.instance_uuid)
            if self._changes:
                self._freezer.check(self.instance_uuid)
            self._agent = self.host.agent(
                self.instance_uuid,
                self.left(),
                kinds,
                changes=self._changes,
                direct_first=direct_first,
            )
        return self._agent

    def owned_keys(self, username: str) -> owned_keys.Account:
        """Return which keys of an account of the guest are ours."""
        return self._owned.account(self.instance_uuid, username)

    def unseal(self, sealed: bytes, key_id: str, username: str) -> str:
        """Return a secret that was sealed for this request and account."""
        return sealing.unseal(
            self._keys.find(key_id).private_key,
            sealed,
            sealing.Binding(
                self.instance_uuid,
                username,
                self._request_id,
                self._expires_at,
            ),
        )
