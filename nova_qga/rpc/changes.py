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


"""What is being changed in guests now: a freeze waits for it to end."""

import collections
import threading


class Changes:
    """Requests that change guests; used from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way: collections.Counter[str] = collections.Counter()

    def begin(self, uuid: str) -> None:
        """Note that a request begins to change a guest."""
        with self._changed:
            self._under_way[uuid] += 1

    def end(self, uuid: str) -> None:
        """Note that it has ended."""
        with self._changed:
            self._under_way[uuid] -= 1
            if not self._under_way[uuid]:
                del self._under_way[uuid]
            self._changed.notify_all()

    def wait(self, uuid: str, timeout: float) -> bool:
        """Wait until nothing changes a guest; return whether that came.

        :param timeout: seconds
        """
        with self._changed:
            return self._changed.wait_for(
                lambda: uuid not in self._under_way, max(0.0, timeout)
            )
