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


"""One request that was accepted, until it has ended."""

import threading

from nova_qga.journal import requests
from nova_qga.rpc import outcome
from nova_qga.rpc import request


class Work:
    """A request, and who waits for its end.

    :ivar asked: what is asked
    :ivar begun: as the journal has it
    """

    def __init__(self, asked: request.Request, begun: requests.Record) -> None:
        self.asked = asked
        self.begun = begun
        self._changed = threading.Condition()
        self._held = False
        self._ended: outcome.Outcome | None = None

    def hold(self, held: bool) -> None:
        """Note whether it is held until the guest's agent is there."""
        with self._changed:
            self._held = held
            self._changed.notify_all()

    def end(self, ended: outcome.Outcome) -> None:
        """Say how it ended, to all who wait."""
        with self._changed:
            self._ended = ended
            self._changed.notify_all()

    def wait(self, timeout: float) -> outcome.Outcome | None:
        """Return how it ended; None while it is held, or after ``timeout``.

        :param timeout: seconds
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._held or self._ended is not None, timeout
            )
            return self._ended
