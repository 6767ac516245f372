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


"""How many callers may look at guests at once, each on a thread of the server.

A guest that hangs holds one for seconds; requests need some of them too.
"""

from collections.abc import Iterator
import contextlib
import threading

from nova_qga import errors

#: Together with the callers that wait for requests, fewer than there are.
MOST = 48


class Looks:
    """Looks that are under way."""

    def __init__(self) -> None:
        self._left = threading.Semaphore(MOST)

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Look in the body.

        :raises ServiceUnavailable: too many do already
        """
        if not self._left.acquire(blocking=False):
            raise errors.ServiceUnavailable(
                f'{MOST} callers look at guests of this host already: try '
                'later, and see whether its guests answer'
            )
        try:
            yield
        finally:
            self._left.release()
