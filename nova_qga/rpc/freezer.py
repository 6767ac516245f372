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

"""Freeze guests, each with a lease that says until when, and thaw them.

Guests are frozen over the standard channel where that works. An agent knows
of its own freeze only, and thaws what others froze: so Nova's snapshots,
which use that channel too, find a guest frozen that we froze, and end no
freeze of ours. Samples go on over the direct one.
"""

from collections.abc import Sequence
import datetime
import time
from typing import Any

from nova_qga import errors
from nova_qga.guest import freeze_states
from nova_qga.journal import leases as journal_leases
from nova_qga.operations import freeze
from nova_qga.rpc import changes
from nova_qga.rpc import frozen_guests
from nova_qga.rpc import host as rpc_host
from nova_qga.rpc import thawing

Result = dict[str, Any]


class Freezer:
    """Freezes and thaws the guests of a host.

    :param guests: None for a process that does not live until they are
        thawed: it freezes none
    :ivar changes: what is being changed: a freeze waits for its end
    """

    def __init__(
        self, host: rpc_host.Host, guests: frozen_guests.FrozenGuests | None
    ) -> None:
        self._host = host
        self._guests = guests
        self.changes = changes.Changes()

    def check(self, uuid: str) -> None:
        """Refuse to change a guest that we have frozen, or may have.

        :raises GuestUnavailable: we have
        """
        lease = self._running(uuid)
        if lease is not None:
            raise freeze_states.refusal(
                f'by request {lease.request_id} until {_iso(lease.until)}'
            )

    def freeze(
        self,
        way: thawing.Way,
        request_id: str,
        mountpoints: Sequence[str] | None,
        duration: float,
    ) -> Result:
        """Freeze a guest until it is thawed, ``duration`` seconds at most.

        :param mountpoints: of these filesystems; None for all
        :returns: ``frozen``, how many, and ``until``
        :raises OutcomeUnknown: it may be frozen, or be later; it is thawed as
            soon as its agent answers
        """
        guests = self._guests
        if guests is None:
            raise errors.InvalidRequest(
                'nothing here would thaw the guest in time: have '
                'nova-qga-agent freeze it'
            )
        agent = way.agent(*thawing.ORDER)
        freeze.check_agent(agent, mountpoints)
        with guests.alone(way.instance_uuid, way.left()):
            lease = journal_leases.Lease(
                way.instance_uuid,
                agent.channel_kind,
                # Later than the freeze can end.
                time.time() + max(0.0, way.left()) + duration,
                request_id,
            )
            if not guests.add(lease):
                self.check(way.instance_uuid)
                raise errors.ChannelBusy('the guest was frozen: try again')
            # No other change begins now that the lease is there.
            if not self.changes.wait(way.instance_uuid, way.left()):
                guests.forget(lease)
                raise errors.ChannelBusy(
                    'the guest is not frozen, for other requests still '
                    'change it: try again, with more time'
                )
            frozen = _freeze(guests, agent, lease, mountpoints)
            until = time.time() + duration
            _keep(guests, lease._replace(frozen=frozen, until=until))
        return {'frozen': frozen, 'until': _iso(until)}

    def thaw(self, way: thawing.Way) -> Result:
        """Thaw a guest, whoever has frozen it.

        :returns: ``thawed``, how many filesystems were frozen
        :raises OperationFailed: it was not frozen to the end; the reason is
            ``freeze_expired``
        """
        guests = self._guests
        if guests is None:
            return {'thawed': thawing.thaw_others(self._host, way)}
        with guests.alone(way.instance_uuid, way.left()):
            lease = guests.get(way.instance_uuid)
            if lease is None:
                return {'thawed': thawing.thaw_others(self._host, way)}
            if lease.ended is not None:
                guests.forget(lease)
                raise freeze.expired(
                    f'request {lease.request_id} froze the guest, which was '
                    f'thawed at {_iso(lease.ended)}, before this request'
                )
            try:
                thawed = thawing.thaw_ours(guests, way, lease)
            except errors.OperationFailed:
                guests.forget(lease)
                raise
            except errors.QgaError:
                guests.hurry(lease)
                raise
            guests.forget(lease)
            return {'thawed': thawed}

    def state(self, uuid: str, timeout: float) -> Result:
        """Return whether a guest is frozen, and what each agent says.

        :returns: ``frozen``; ``until`` and ``request_id`` of the freeze where
            it is ours; ``channels``: ``channel``, ``status``, ``message``
        """
        states = self._host.freeze_states(uuid, timeout)
        lease = self._running(uuid)
        return {
            'frozen': lease is not None
            or any(each.status == freeze_states.FROZEN for each in states),
            'until': None if lease is None else _iso(lease.until),
            'request_id': None if lease is None else lease.request_id,
            'channels': [each._asdict() for each in states],
        }

    def _running(self, uuid: str) -> journal_leases.Lease | None:
        lease = None if self._guests is None else self._guests.get(uuid)
        return None if lease is None or lease.ended is not None else lease


def _freeze(
    guests: frozen_guests.FrozenGuests,
    agent: rpc_host.Agent,
    lease: journal_leases.Lease,
    mountpoints: Sequence[str] | None,
) -> int:
    """Send the freeze; where it fails, see that the guest is thawed."""
    try:
        frozen = freeze.freeze(agent, mountpoints)
        if frozen:
            return frozen
        raise errors.OperationFailed(
            'the guest froze no filesystem: none that is mounted, or none at '
            'the mount points that were named, can be frozen'
        )
    except (errors.GuestUnavailable, errors.ChannelError):
        # Nothing was run.
        guests.forget(lease)
        raise
    except (errors.CommandError, errors.OperationFailed):
        if _is_thawed(agent):
            guests.forget(lease)
        else:
            guests.hurry(lease)
        raise
    except errors.OutcomeUnknown as error:
        guests.hurry(lease)
        raise errors.OutcomeUnknown(
            f'{error}. The guest is thawed as soon as its agent answers'
        ) from None
    except BaseException:
        guests.hurry(lease)
        raise


def _keep(
    guests: frozen_guests.FrozenGuests, lease: journal_leases.Lease
) -> None:
    """Note until when a guest is frozen."""
    try:
        guests.change(lease)
    except errors.ServiceUnavailable as error:
        guests.hurry(lease)
        raise errors.OperationFailed(
            f'the guest was frozen, and is thawed at once: {error}'
        ) from None


def _is_thawed(agent: rpc_host.Agent) -> bool:
    try:
        return not freeze.is_frozen(agent)
    except errors.QgaError:
        return False


def _iso(moment: float) -> str:
    known = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    return known.isoformat(timespec='milliseconds')
