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

"""Requests to one guest that wait their turn."""

import math

from nova_qga.transport import request


class Queue:
    """The urgent ones first, otherwise in the order in which they came."""

    __slots__ = ('_requests',)

    def __init__(self) -> None:
        self._requests: list[request.Request] = []

    def __bool__(self) -> bool:
        return bool(self._requests)

    @property
    def deadline(self) -> float:
        """When the first of them must be told; monotonic clock."""
        if not self._requests:
            return math.inf
        return min([each.deadline for each in self._requests])

    def put(self, asked: request.Request) -> None:
        """Let a request wait."""
        at = len(self._requests)
        if asked.urgent:
            at = sum([each.urgent for each in self._requests])
        self._requests.insert(at, asked)

    def take(self) -> request.Request:
        """Return whose turn it is."""
        return self._requests.pop(0)

    def take_all(self) -> list[request.Request]:
        """Return all of them."""
        taken, self._requests = self._requests, []
        return taken

    def take_overdue(self, now: float) -> list[request.Request]:
        """Return those whose deadline has passed."""
        overdue = [each for each in self._requests if each.deadline <= now]
        if overdue:
            self._requests = [
                each for each in self._requests if each.deadline > now
            ]
        return overdue
