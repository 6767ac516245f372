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

"""Follow what the guests of this host use, in the samples that are taken.

In memory alone, and about a kilobyte a guest.
"""

from collections.abc import Sequence
import threading

from oslo_log import log as logging

from nova_qga.collectors import sample_set
from nova_qga.collectors import usage

LOG = logging.getLogger(__name__)

#: Seconds after which a guest of which nothing more is heard is forgotten:
#: twice the longest period that samples can be taken in.
FORGET = 2 * 86400.0


class Follower:
    """What guests used when they were last sampled."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: The one that was sampled longest ago comes first.
        self._followed: dict[str, usage.Followed] = {}

    def note(self, samples: sample_set.SampleSet) -> None:
        """Take a round of samples of one guest; it never blocks."""
        with self._lock:
            before = self._followed.pop(samples.instance_uuid, None)
            followed = _follow(before, samples)
            if followed is not None:
                self._followed[samples.instance_uuid] = followed
                self._forget(followed.usage.timestamp - FORGET)

    def _forget(self, before: float) -> None:
        """Forget guests that have left this host."""
        while self._followed:
            uuid, oldest = next(iter(self._followed.items()))
            if oldest.usage.timestamp >= before:
                return
            del self._followed[uuid]

    def of(
        self, uuids: Sequence[str], timeout: float = 0.0
    ) -> dict[str, usage.Usage]:
        """Return what these guests use, of those of which it is known.

        :param timeout: nothing here takes time
        """
        with self._lock:
            return {
                uuid: self._followed[uuid].usage
                for uuid in uuids
                if uuid in self._followed
            }


def _follow(
    before: usage.Followed | None, samples: sample_set.SampleSet
) -> usage.Followed | None:
    try:
        return usage.follow(before, samples)
    except Exception:
        # A plugin's samples may be anything; the poller is to go on.
        LOG.exception('following guest %s', samples.instance_uuid)
        return None
