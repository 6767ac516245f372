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

"""The guests of this host that we have frozen, or may have.

Their leases are on disk; beside them stands what only this process knows.
"""

from collections.abc import Callable, Iterator
import contextlib
import threading
import time

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.journal import leases as journal_leases
from nova_qga.journal import outbox
from nova_qga.rpc import host as rpc_host

LOG = logging.getLogger(__name__)


class FrozenGuests:
    """Used from any thread.

    :param directory: whose guests are marked, so that samples spare them
    :ivar on_change: called when there is another first lease to end than
        before, or none; must not block
    """

    def __init__(
        self, leases: journal_leases.Leases, directory: rpc_host.Directory
    ) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._leases = leases
        self._directory = directory
        self._began = time.time()
        self._changed = threading.Condition()
        self._busy: set[str] = set()
        # Requests that freeze now; since when leases are to end, and those
        # whose guests may be thawed, also where that cannot be noted.
        self._freezing: set[str] = set()
        self._hurried: dict[str, float] = {}
        self._thawed: set[str] = set()
        self._marked: set[str] = set()
        #: The leases that had not ended at the last look.
        self._known: dict[str, journal_leases.Lease] = {}

    def get(self, uuid: str) -> journal_leases.Lease | None:
        """Return a guest's lease, also one that has ended.

        :raises ServiceUnavailable: the journal cannot be read
        """
        lease = self._leases.get(uuid)
        return None if lease is None else self._now(lease)

    def running(self) -> list[journal_leases.Lease]:
        """Return the leases that have not ended.

        :raises ServiceUnavailable: the journal cannot be read
        """
        self._write_missing()
        found = [self._now(lease) for lease in self._leases.running()]
        self._known = {lease.instance_uuid: lease for lease in found}
        # A guest may have come since, and a lease have ended meanwhile.
        frozen = {lease.instance_uuid for lease in found}
        for uuid in self._marked - frozen:
            self._mark(uuid, False)
        for uuid in frozen:
            self._mark(uuid, True)
        self._marked = frozen
        return found

    def _write_missing(self) -> None:
        """Note again what a journal that was moved away has taken along."""
        for uuid, lease in list(self._known.items()):
            if self._leases.get(uuid) is None and uuid in self._known:
                LOG.warning(
                    'the journal has lost the lease of guest %s, which is '
                    'noted again',
                    uuid,
                )
                self._leases.add(lease)

    def _now(self, lease: journal_leases.Lease) -> journal_leases.Lease:
        """Return a lease with what this process knows of it."""
        ends = self._hurried.get(lease.request_id)
        if lease.frozen is None and lease.request_id not in self._freezing:
            # An earlier agent died while it froze it: nobody waits for that.
            ends = self._began if ends is None else ends
        if ends is not None:
            lease = lease._replace(until=ends)
        if lease.request_id in self._thawed:
            lease = lease._replace(frozen=0)
        return lease

    def add(self, lease: journal_leases.Lease) -> bool:
        """Note a lease before its guest is frozen.

        :returns: False where the guest has one: do not freeze it
        :raises ServiceUnavailable: it cannot be noted: do not freeze it
        """
        self._freezing.add(lease.request_id)
        added = False
        try:
            added = self._leases.add(lease)
        finally:
            if not added:
                self._freezing.discard(lease.request_id)
        if added:
            self._mark(lease.instance_uuid, True)
        return added

    def change(self, lease: journal_leases.Lease) -> None:
        """Note what is known of a lease now.

        :raises ServiceUnavailable: it cannot be noted
        """
        self._leases.change(lease)
        self.on_change()

    def hurry(self, lease: journal_leases.Lease) -> None:
        """Have a guest thawed as soon as it can be."""
        self._hurried[lease.request_id] = time.time()
        self._try_to_change(lease)
        self.on_change()

    def note_thaw(self, lease: journal_leases.Lease) -> None:
        """Note that a guest may be thawed: who thaws it next may find none."""
        self._thawed.add(lease.request_id)
        self._try_to_change(lease)

    def _try_to_change(self, lease: journal_leases.Lease) -> None:
        try:
            self._leases.change(self._now(lease))
        except errors.ServiceUnavailable as error:
            LOG.error('the lease of guest %s: %s', lease.instance_uuid, error)

    def end(self, lease: journal_leases.Lease, event: outbox.Event) -> None:
        """Note that a guest is thawed at its lease's end, and have it told.

        :raises ServiceUnavailable: it cannot be noted
        """
        self._leases.end(lease, event)
        self._over(lease)

    def forget(self, lease: journal_leases.Lease) -> None:
        """Note that a guest is thawed, as who asked will know.

        Where it cannot be noted, the guest is thawed once more later.
        """
        # Else it would be taken for lost.
        self._known.pop(lease.instance_uuid, None)
        try:
            self._leases.remove(lease)
        except errors.ServiceUnavailable:
            self.note_thaw(lease)
            self.hurry(lease)
            return
        self._over(lease)

    @contextlib.contextmanager
    def alone(self, uuid: str, timeout: float) -> Iterator[None]:
        """Keep others from freezing or thawing a guest meanwhile.

        :raises ChannelBusy: somebody does so for all the time there is
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: uuid not in self._busy, max(0.0, timeout)
            ):
                raise errors.ChannelBusy(
                    'the guest is being frozen or thawed by another request: '
                    'try again when that has ended'
                )
            self._busy.add(uuid)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(uuid)
                self._changed.notify_all()

    def _over(self, lease: journal_leases.Lease) -> None:
        self._hurried.pop(lease.request_id, None)
        self._freezing.discard(lease.request_id)
        self._thawed.discard(lease.request_id)
        self._mark(lease.instance_uuid, False)
        self.on_change()

    def _mark(self, uuid: str, frozen: bool) -> None:
        with contextlib.suppress(errors.GuestNotFound):
            self._directory.get(uuid).frozen = frozen
