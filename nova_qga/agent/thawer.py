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

"""Thaw each guest when its lease ends, and do not give up before it is thawed.

One thread looks at the leases; others do what a guest may hang at, and guests
that did not answer the last time hold a few of them, however many there are.
"""

from collections.abc import Callable
import contextlib
import math
import random
import threading
import time
from typing import NamedTuple

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.journal import leases as journal_leases
from nova_qga.operations import freeze
from nova_qga.rpc import frozen_guests

LOG = logging.getLogger(__name__)

#: Guests that are thawed at once, and how many of them may be such that did
#: not answer the last time.
WORKERS = 64
RETRIED = 4
#: Seconds for one attempt.
TIMEOUT = 60.0
#: Seconds until the next one, at first and at most.
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
#: Seconds between two looks at what frozen guests there are.
LOOK = 2.0
#: Seconds between two attempts to find a guest that may have left.
SEARCH = 60.0
#: Seconds for which a guest that goes on failing is not told of again.
QUIET = 600.0

#: Ends a lease, within so many seconds; where it has still to run, only if its
#: guest has left. Raises QgaError where the guest is to be thawed later.
End = Callable[[journal_leases.Lease, float, bool], None]


class _Plan(NamedTuple):
    """When a lease's guest is thawed.

    :ivar until: of the lease, by which this was made
    :ivar due: monotonic clock, which nobody sets
    :ivar failures: attempts that have failed
    :ivar told: when the log was last told of one; monotonic clock
    :ivar search: when it may be looked for, where it seems to have left
    """

    until: float
    due: float
    failures: int = 0
    told: float = -math.inf
    search: float = -math.inf


class Thawer:
    """Ends leases.

    :param knows: tells of a UUID whether its guest may be on this host
    :param end: called on one of several threads
    """

    def __init__(
        self,
        guests: frozen_guests.FrozenGuests,
        knows: Callable[[str], bool],
        end: End,
    ) -> None:
        self._guests = guests
        self._knows = knows
        self._end = end
        self._changed = threading.Condition()
        self._news = True
        self._stopping = False
        self._plans: dict[str, _Plan] = {}
        #: Request that is worked on -> whether its last attempt has failed.
        self._active: dict[str, bool] = {}
        guests.on_change = self.wake

    def start(self) -> None:
        """Start the thread; what ran out while nobody looked, ends now."""
        threading.Thread(
            target=self._run, name='qga-thawer', daemon=True
        ).start()

    def wake(self) -> None:
        """Say that a lease may end earlier than was known."""
        with self._changed:
            self._news = True
            self._changed.notify()

    def stop(self) -> None:
        """Begin with no more; the next start thaws who is frozen then."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        with contextlib.suppress(errors.ServiceUnavailable):
            if frozen := [
                lease.instance_uuid for lease in self._guests.running()
            ]:
                LOG.warning(
                    'nova-qga-agent stops while guests are frozen, and thaws '
                    'them at its next start: %s',
                    ', '.join(frozen),
                )

    def _run(self) -> None:
        pause = 0.0
        while self._wait(pause):
            try:
                pause = self._look()
            except errors.ServiceUnavailable as error:
                LOG.error('leases of frozen guests: %s', error)
                pause = LOOK
            except Exception:
                # A guest that stays frozen is worse than a full log.
                LOG.exception('looking at the leases of frozen guests')
                pause = LOOK

    def _wait(self, pause: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._news or self._stopping, pause)
            self._news = False
            return not self._stopping

    def _look(self) -> float:
        """Begin what is due, and return the seconds until the next look."""
        running = self._guests.running()
        now = time.monotonic()
        with self._changed:
            self._plans = {
                lease.request_id: self._plan(lease, now) for lease in running
            }
            for lease in running:
                plan = self._plans[lease.request_id]
                if self._may_begin(lease, plan, now):
                    self._begin(lease, plan, plan.due > now)
            left = [
                plan.due - now
                for request_id, plan in self._plans.items()
                if request_id not in self._active
            ]
        return max(0.1, min([LOOK if running else 600.0, *left]))

    def _plan(self, lease: journal_leases.Lease, now: float) -> _Plan:
        known = self._plans.get(lease.request_id)
        if known is None or known.until != lease.until:
            # However the clock was set meanwhile.
            left = min(lease.until - time.time(), freeze.LONGEST)
            known = _Plan(lease.until, now + max(0.0, left))
        return known

    def _may_begin(
        self, lease: journal_leases.Lease, plan: _Plan, now: float
    ) -> bool:
        if lease.request_id in self._active:
            return False
        if plan.due > now and (
            # Or else it may have left this host, and is to be told of.
            plan.search > now or self._knows(lease.instance_uuid)
        ):
            return False
        if plan.failures and sum(self._active.values()) >= RETRIED:
            return False
        return len(self._active) < WORKERS

    def _begin(
        self, lease: journal_leases.Lease, plan: _Plan, early: bool
    ) -> None:
        self._active[lease.request_id] = plan.failures > 0
        threading.Thread(
            target=self._work,
            args=(lease, early),
            name='qga-thaw',
            daemon=True,
        ).start()

    def _work(self, lease: journal_leases.Lease, early: bool) -> None:
        failure: Exception | None = None
        try:
            self._end(lease, TIMEOUT, early)
        except errors.QgaError as error:
            failure = error
        except Exception as error:
            LOG.exception('thawing guest %s', lease.instance_uuid)
            failure = error
        with self._changed:
            del self._active[lease.request_id]
            plan = self._plans.get(lease.request_id)
            if plan is not None:
                if early:
                    plan = plan._replace(search=time.monotonic() + SEARCH)
                elif failure is not None:
                    plan = self._put_off(plan, lease, failure)
                self._plans[lease.request_id] = plan
        self.wake()

    def _put_off(
        self, plan: _Plan, lease: journal_leases.Lease, failure: Exception
    ) -> _Plan:
        now = time.monotonic()
        told = plan.told
        if now - told > QUIET:
            told = now
            LOG.warning(
                'guest %s, frozen by request %s, is not known to be thawed '
                'yet: %s; it is tried again and again',
                lease.instance_uuid,
                lease.request_id,
                failure,
            )
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * math.pow(2, plan.failures))
        pause *= random.uniform(0.75, 1.25)  # noqa: S311
        return _Plan(
            plan.until,
            max(plan.due, now + pause),
            min(plan.failures + 1, 16),
            told,
        )
