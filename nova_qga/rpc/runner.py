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


"""Take requests, run each at most once, and say how each ended.

A request is noted before anything else is done with it, then run by a worker.
Whatever happens, there is an outcome: no exception leaves :meth:`Runner.run`.
"""

from collections.abc import Callable, Mapping
import dataclasses
import functools
import threading
from typing import Any

from nova_qga import errors
from nova_qga.guest import freeze_states
from nova_qga.journal import key_pairs
from nova_qga.journal import owned_keys
from nova_qga.journal import requests
from nova_qga.rpc.catalog import base
from nova_qga.rpc import context as rpc_context
from nova_qga.rpc import fault
from nova_qga.rpc import freezer as rpc_freezer
from nova_qga.rpc import host as rpc_host
from nova_qga.rpc import ledger as rpc_ledger
from nova_qga.rpc import outcome
from nova_qga.rpc import performer
from nova_qga.rpc import policy as rpc_policy
from nova_qga.rpc import recent
from nova_qga.rpc import request
from nova_qga.rpc import user as rpc_user
from nova_qga.rpc import waiting
from nova_qga.rpc import work as rpc_work
from nova_qga.rpc import workers as rpc_workers

#: Seconds past its expiry for which an end is waited for: it may just come.
GRACE = 1.0
#: A hung guest may hold this part of the workers.
SHARE = 4
#: Callers that may wait for an end, each on a thread of the server; the
#: others are told at once that it is to come.
CALLERS = 192


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """How requests are run.

    :ivar host: name of this host
    :ivar operation_timeout: seconds for an operation in all
    :ivar keys: what secrets are sealed to
    :ivar owned: the public keys that we have added to guests
    :ivar workers: requests that are worked on at once
    :ivar max_waiting: that are held until an agent is there, in all
    :ivar max_waiting_per_guest: and for one guest
    """

    host: str
    operation_timeout: float
    limits: base.Limits
    keys: key_pairs.KeyPairs
    owned: owned_keys.OwnedKeys
    workers: int = 16
    max_waiting: int = 128
    max_waiting_per_guest: int = 8


def _nothing() -> None:
    """Stand in for who need not be told."""


class Runner:
    """Runs the operations of the catalog.

    :ivar operations: by name
    """

    def __init__(
        self,
        host: rpc_host.Host,
        ledger: rpc_ledger.Ledger,
        operations: Mapping[str, base.Operation],
        policy: rpc_policy.Policy,
        freezer: rpc_freezer.Freezer,
        settings: Settings,
    ) -> None:
        self._ledger = ledger
        self.operations = operations
        self._policy = policy
        self._settings = settings
        self._performer = performer.Performer(
            host,
            freezer,
            settings.host,
            settings.limits,
            settings.operation_timeout,
            settings.keys,
            settings.owned,
        )
        self._workers = rpc_workers.Workers(
            settings.workers, -(-settings.workers // SHARE)
        )
        self._room = waiting.WaitingRoom(
            host,
            settings.max_waiting_per_guest,
            settings.max_waiting,
            self._submit,
            self._expire,
        )
        self._recent = recent.Recent()
        self._callers = threading.Semaphore(CALLERS)
        self._lock = threading.Lock()
        #: What was accepted by this process and has not ended.
        self._works: dict[str, rpc_work.Work] = {}

    def run(
        self,
        name: str,
        user: rpc_user.User,
        given: Mapping[str, Any],
        noted: Callable[[], None] = _nothing,
        cast: bool = False,
    ) -> outcome.Outcome:
        """Run one request, or find out how it ended before.

        :param noted: called when the request cannot be lost any more
        :param cast: nobody waits for the outcome
        :returns: the outcome; with state ``accepted`` where it is still to
            come: ask again with the same request id
        """
        try:
            asked = request.parse(
                user, self.operations[name], given, self._settings.limits
            )
            owner = self._ledger.owner(asked.instance_uuid)
            self._policy.check(name, user, owner.project_id)
            found = self._accept(asked)
        except errors.QgaError as error:
            return self._refused(name, user, given, error)
        except Exception as error:
            return self._refused(name, user, given, fault.log(name, error))
        finally:
            noted()
        if cast or not self._callers.acquire(blocking=False):
            return self._performer.accepted(asked)
        try:
            return self._answer(asked, found)
        finally:
            self._callers.release()

    def look(self, uuid: str) -> None:
        """Look at a guest again for which requests may be held."""
        self._room.look(uuid)

    def drain(self, timeout: float) -> None:
        """Begin nothing more; wait for what runs, or ``timeout`` seconds.

        What has not begun is told at the next start.
        """
        self._workers.stop(timeout)

    def _accept(
        self, asked: request.Request
    ) -> rpc_work.Work | requests.Record:
        """Note it and have it run; or return what is known of it."""
        with self._lock:
            work = self._works.get(asked.request_id)
            if work is None and self._ledger.find(asked.request_id) is None:
                self._workers.check_room(asked.instance_uuid)
                waits = asked.wait_for_agent or self._workers.would_wait(
                    asked.instance_uuid
                )
                begun = self._ledger.begin(asked, waits)
                if begun is not None:
                    accepted = rpc_work.Work(asked, begun)
                    self._works[asked.request_id] = accepted
                    self._submit(accepted)
                    return accepted
            known = work.begun if work else self._ledger.find(asked.request_id)
        if known is None:
            raise errors.ServiceUnavailable('the journal has lost a request')
        if known[1:3] != (asked.operation.name, asked.instance_uuid):
            raise errors.InvalidRequest(
                'this request_id was used for another operation or guest: '
                'give every request an id of its own'
            )
        return known if work is None else work

    def _answer(
        self, asked: request.Request, found: rpc_work.Work | requests.Record
    ) -> outcome.Outcome:
        """Wait for the end of a request that is noted."""
        left = max(0.0, asked.left())
        if isinstance(found, requests.Record):
            return self._again(asked, found, left)
        return found.wait(left + GRACE) or self._performer.accepted(asked)

    def _again(
        self, asked: request.Request, known: requests.Record, left: float
    ) -> outcome.Outcome:
        """Answer a request that was seen before: it has its one end."""
        read = not asked.operation.has_effect
        if read and known.state == outcome.SUCCEEDED and left > 0:
            # What was read is not kept.
            context = self._performer.context(asked)
            return self._performer.perform(asked, context)
        kept = self._recent.find(asked.request_id)
        kept = kept or self._ledger.wait(asked.request_id, left)
        return kept or self._performer.accepted(asked)

    # On a worker's thread, from here on.

    def _submit(self, work: rpc_work.Work) -> None:
        self._workers.submit(
            work.asked.instance_uuid,
            functools.partial(self._work, work),
            work.asked.size,
        )

    def _work(self, work: rpc_work.Work) -> None:
        """Run it, or have it held."""
        asked = work.asked
        context = self._performer.context(asked)
        try:
            if self._is_held(work, context):
                return
            if work.begun.state == requests.ACCEPTED:
                work.begun = self._ledger.start(work.begun)
            ended = self._performer.perform(asked, context)
        except errors.QgaError as error:
            ended = self._performer.failed(asked, error)
        except Exception as error:
            ended = self._performer.failed(
                asked, fault.log(asked.operation.name, error)
            )
        finally:
            context.close()
        self._end(work, ended)

    def _is_held(
        self, work: rpc_work.Work, context: rpc_context.Context
    ) -> bool:
        """Hold it where it waits for an agent that is not there."""
        if not work.asked.wait_for_agent or work.asked.left() <= 0:
            return False
        try:
            context.agent()
        except errors.GuestUnavailable as error:
            if error.reason == freeze_states.FROZEN:
                # That ends when whoever froze it wants it to.
                return False
            self._room.hold(work, error)
            return True
        return False

    def _expire(self, work: rpc_work.Work, why: str) -> None:
        self._end(work, self._performer.expired(work.asked, why))

    def _end(self, work: rpc_work.Work, ended: outcome.Outcome) -> None:
        if work.asked.operation.has_effect:
            self._recent.keep(ended)
        self._ledger.end(work.begun, ended)
        with self._lock:
            del self._works[work.asked.request_id]
        work.end(ended)

    def _refused(
        self,
        name: str,
        user: rpc_user.User,
        given: Mapping[str, Any],
        error: errors.QgaError,
    ) -> outcome.Outcome:
        """End a request of which nothing was done."""
        request_id, instance_uuid = request.identity(given)
        return self._ledger.refuse(
            outcome.Outcome(
                request_id,
                name,
                instance_uuid,
                self._settings.host,
                outcome.state_after(error),
                error=outcome.describe(error),
            ),
            user,
        )
