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


"""Hold requests until their guest's agent is there, or they expire.

A guest for which something is held has a thread of its own, which looks when
libvirt tells of a change, and now and then: of the direct channel's port it
tells nothing.
"""

from collections.abc import Callable
import threading

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.rpc import host as rpc_host
from nova_qga.rpc import work as rpc_work

LOG = logging.getLogger(__name__)

#: Seconds between two looks where nothing is told.
PAUSE = 5.0
#: Seconds for an agent to show that it is there.
PATIENCE = 15.0


class WaitingRoom:
    """What is held on this host; what is held for a guest goes on together.

    :param each: requests that are held for one guest
    :param most: requests that are held in all
    :param go_on: takes what need not be held any longer
    :param expire: takes what has expired, and why it was still held
    """

    def __init__(
        self,
        host: rpc_host.Host,
        each: int,
        most: int,
        go_on: Callable[[rpc_work.Work], None],
        expire: Callable[[rpc_work.Work, str], None],
    ) -> None:
        self._host = host
        self._each = each
        self._most = most
        self._go_on = go_on
        self._expire = expire
        self._changed = threading.Condition()
        self._held: dict[str, list[rpc_work.Work]] = {}
        self._woken: set[str] = set()

    def hold(
        self, held: rpc_work.Work, reason: errors.GuestUnavailable
    ) -> None:
        """Hold a request.

        :param reason: why it cannot be run now
        :raises GuestUnavailable: too much is held already
        """
        uuid = held.asked.instance_uuid
        # What only looks, which more may ask for, leaves the rest to others.
        part = 1 if held.asked.operation.has_effect else 2
        with self._changed:
            if sum(map(len, self._held.values())) >= self._most // part:
                raise _too_many(f'{self._most // part} on this host', reason)
            each = -(-self._each // part)
            if len(self._held.get(uuid, ())) >= each:
                raise _too_many(f'{each} for this guest', reason)
            queue = self._held.setdefault(uuid, [])
            queue.append(held)
            held.hold(True)
            if len(queue) == 1:
                threading.Thread(
                    target=self._watch,
                    args=(uuid, str(reason)),
                    name='qga-waiting',
                    daemon=True,
                ).start()

    def look(self, uuid: str) -> None:
        """Look at a guest soon: something has happened to it."""
        with self._changed:
            if uuid in self._held:
                self._woken.add(uuid)
                self._changed.notify_all()

    def _watch(self, uuid: str, reason: str) -> None:
        """Serve one guest, until nothing is held for it."""
        while True:
            expired, soonest = self._wait(uuid)
            for each in expired:
                try:
                    self._expire(each, reason)
                except Exception:
                    # The others that are held wait for this thread.
                    LOG.exception(
                        'expired while guest %s was waited for', uuid
                    )
            if soonest is None:
                return
            found = self._unreachable(uuid, min(PATIENCE, soonest))
            if found is None:
                break
            reason = found
        with self._changed:
            freed = self._held.pop(uuid)
        for each in freed:
            each.hold(False)
            self._go_on(each)

    def _wait(self, uuid: str) -> tuple[list[rpc_work.Work], float | None]:
        """Wait for a reason to look; return what expired.

        :returns: and the seconds until another expires; None where none is
            left, and the guest is forgotten
        """
        with self._changed:
            soonest = min(each.asked.left() for each in self._held[uuid])
            self._changed.wait_for(
                lambda: uuid in self._woken, max(0.0, min(PAUSE, soonest))
            )
            self._woken.discard(uuid)
            held = self._held[uuid]
            expired = [each for each in held if each.asked.left() <= 0]
            held[:] = [each for each in held if each not in expired]
            if not held:
                del self._held[uuid]
                return expired, None
            return expired, min(each.asked.left() for each in held)

    def _unreachable(self, uuid: str, patience: float) -> str | None:
        """Return why there is no agent; None where nothing more is awaited.

        :param patience: seconds: whoever expires meanwhile is told after it
        """
        try:
            self._host.agent(uuid, patience)
        except errors.GuestNotFound:
            # That is for the request to tell.
            return None
        except errors.QgaError as error:
            return str(error)
        except Exception:
            LOG.exception('waiting for the agent of guest %s', uuid)
            return 'nova-qga-agent failed: see its log'
        return None


def _too_many(
    most: str, reason: errors.GuestUnavailable
) -> errors.GuestUnavailable:
    return errors.GuestUnavailable(
        'too_many_waiting',
        f'{reason}. The request is not held until then, for others are held '
        f'already, {most}: see [qga_operations]max_waiting and '
        'max_waiting_per_guest',
    )
