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

"""The end of a lease: its guest is thawed, and somebody is told.

Nobody waits for an answer, so there is a notification, as if somebody had
asked to thaw the guest, and a line in the log.
"""

from collections.abc import Callable
import time

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.guest import guest as guest_module
from nova_qga.journal import leases as journal_leases
from nova_qga.journal import outbox
from nova_qga.journal import requests
from nova_qga.publishers import outcome as outcome_event
from nova_qga.rpc import frozen_guests
from nova_qga.rpc import host as rpc_host
from nova_qga.rpc import ledger as rpc_ledger
from nova_qga.rpc import outcome
from nova_qga.rpc import thawing

LOG = logging.getLogger(__name__)

#: Behind the id of the request that froze, in the notification.
SUFFIX = ':thaw'


class LeaseEnd:
    """Ends the leases of a host.

    :param host_name: its name
    :param wake: told that a notification waits in the outbox
    """

    def __init__(
        self,
        host: rpc_host.Host,
        guests: frozen_guests.FrozenGuests,
        ledger: rpc_ledger.Ledger,
        host_name: str,
        wake: Callable[[], None],
    ) -> None:
        self._host = host
        self._guests = guests
        self._ledger = ledger
        self._host_name = host_name
        self._wake = wake
        # How leases ended that could not be noted.
        self._unwritten: dict[str, outbox.Event] = {}

    def __call__(
        self,
        lease: journal_leases.Lease,
        timeout: float,
        early: bool = False,
    ) -> None:
        """Thaw a guest, and have it told.

        :param early: only if it has left this host
        :raises QgaError: it is not known to be thawed, or that could not be
            noted
        """
        way = _Way(self._host, lease.instance_uuid, timeout)
        if early and not _has_left(way):
            return
        with self._guests.alone(lease.instance_uuid, timeout):
            now = self._guests.get(lease.instance_uuid)
            if (
                now is None
                or now.ended is not None
                or now.request_id != lease.request_id
            ):
                # Somebody has thawed it meanwhile.
                return
            event = self._unwritten.get(now.request_id)
            if event is None:
                event = self._told(now, self._thaw(way, now))
                self._unwritten[now.request_id] = event
            self._guests.end(now, event)
            del self._unwritten[now.request_id]
        self._wake()

    def _thaw(
        self, way: '_Way', lease: journal_leases.Lease
    ) -> outcome.Outcome:
        """Thaw it, and return how that ended.

        :raises QgaError: it is not known to be thawed
        """
        result = None
        failure: errors.QgaError | None = None
        try:
            thawed = thawing.thaw_ours(self._guests, way, lease)
            result = {'thawed': thawed}
        except errors.OperationFailed as error:
            failure = error
        except errors.GuestNotFound:
            uuid = lease.instance_uuid
            failure = errors.GuestNotFound(
                f'guest {uuid} left this host while it was frozen: if it was '
                f'migrated, thaw it where it is now: nova-qga thaw {uuid}'
            )
        except errors.GuestUnavailable as error:
            if error.reason not in guest_module.OFF:
                raise
            # There is no QEMU process, and so nothing is frozen.
            failure = error
        return outcome.Outcome(
            f'{lease.request_id}{SUFFIX}',
            'thaw',
            lease.instance_uuid,
            self._host_name,
            outcome.FAILED if failure else outcome.SUCCEEDED,
            lease.channel,
            result,
            outcome.describe(failure) if failure else None,
        )

    def _told(
        self, lease: journal_leases.Lease, ended: outcome.Outcome
    ) -> outbox.Event:
        """Write it to the log, and return its notification."""
        froze = self._ledger.find(lease.request_id)
        owner = self._ledger.owner(lease.instance_uuid)
        requester = requests.Requester()
        if froze is not None:
            requester = froze.requester
            owner = owner if any(owner) else froze.owner
        level = logging.ERROR if ended.error else logging.INFO
        LOG.log(
            level,
            'thaw in guest %(guest)s, request %(id)s, at the end of its '
            'lease: %(state)s%(reason)s',
            {
                'guest': lease.instance_uuid,
                'id': ended.request_id,
                'state': ended.state,
                'reason': f', {ended.error["message"]}' if ended.error else '',
            },
        )
        return outcome_event.event(ended.to_dict(), owner, requester)


class _Way:
    """See :class:`nova_qga.rpc.thawing.Way`."""

    def __init__(
        self, host: rpc_host.Host, instance_uuid: str, timeout: float
    ) -> None:
        self.instance_uuid = instance_uuid
        self._host = host
        self._deadline = time.monotonic() + timeout

    def left(self) -> float:
        return self._deadline - time.monotonic()

    def agent(self, *kinds: str) -> rpc_host.Agent:
        return self._host.agent(self.instance_uuid, self.left(), kinds)


def _has_left(way: _Way) -> bool:
    try:
        way.agent()
    except errors.GuestNotFound:
        return True
    except errors.QgaError:
        return False
    return False
