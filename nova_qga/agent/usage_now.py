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

"""Sample guests at the moment at which somebody asks what they use.

For ``nova-qga --local``, where no service samples them by itself.
"""

from collections.abc import Sequence
import queue
import threading
import time

from nova_qga.agent import usage as agent_usage
from nova_qga.collectors import usage
from nova_qga import errors
from nova_qga.rpc import host as rpc_host

#: Guests that are sampled at the same time.
AT_ONCE = 16
#: Seconds between the two samples of a guest that is seen the first time.
PAUSE = 1.0
#: Seconds for one guest's sample.
TIMEOUT = 5.0


class Measurer:
    """Samples guests when it is asked; see :class:`rpc.host.Usage`."""

    def __init__(self, samples: rpc_host.Samples) -> None:
        self._samples = samples
        self._follower = agent_usage.Follower()
        self._seen: set[str] = set()

    def of(
        self, uuids: Sequence[str], timeout: float
    ) -> dict[str, usage.Usage]:
        """Sample these guests, and return what they use.

        :param timeout: seconds; guests that are not sampled by then are left
            as they were
        """
        deadline = time.monotonic() + timeout
        new = [uuid for uuid in uuids if uuid not in self._seen]
        self._seen.update(new)
        if new:
            # A rate takes two samples.
            self._measure(new, deadline)
            time.sleep(max(0.0, min(PAUSE, deadline - time.monotonic())))
        self._measure(uuids, deadline)
        return self._follower.of(uuids)

    def _measure(self, uuids: Sequence[str], deadline: float) -> None:
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        for uuid in uuids:
            waiting.put(uuid)

        def work() -> None:
            while (left := deadline - time.monotonic()) > 0:
                try:
                    uuid = waiting.get_nowait()
                except queue.Empty:
                    return
                self._measure_one(uuid, min(left, TIMEOUT))

        threads = [
            # Not to be waited for where Ctrl-C ends the program.
            threading.Thread(target=work, name='qga-sample', daemon=True)
            for _ in range(min(AT_ONCE, len(uuids)))
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join(max(0.0, deadline - time.monotonic()))

    def _measure_one(self, uuid: str, timeout: float) -> None:
        try:
            self._follower.note(self._samples.sample_now(uuid, timeout))
        except errors.QgaError:
            # Its row says that nothing is known.
            return
