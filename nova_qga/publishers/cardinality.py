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

"""How many different labels a guest may have within a day.

A guest names its devices and mount points itself. One that gives them other
names at each sample would make new series without end, of which each is kept
for as long as everything else is.
"""

import array
import bisect
from typing import NamedTuple

from nova_qga.collectors import agent
from nova_qga.collectors import base
from nova_qga.collectors import sample_set

#: Seconds after which a guest may have other labels.
PERIOD = 86400.0


class _Known(NamedTuple):
    """Of one guest: since when, and digests of its labels, in order."""

    since: float
    digests: 'array.array[int]'


class Cardinality:
    """Leaves out what has labels beyond the most that are allowed.

    Those that came first stay for the day, whatever comes later.

    :param most: different labels of a guest; 8 bytes are kept for each
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[str, _Known] = {}
        self._looked = 0.0

    def with_most(self, most: int) -> 'Cardinality':
        """Return one that allows another number, and knows the same."""
        made = Cardinality(most)
        made._known = self._known
        return made

    def admit(
        self, samples: sample_set.SampleSet, now: float
    ) -> tuple[sample_set.SampleSet, int]:
        """Return what is left of samples, and how many were left out.

        :param now: seconds of a clock that never goes back
        """
        self._forget(now)
        known = self._known.setdefault(
            samples.instance_uuid, _Known(now, array.array('q'))
        )
        parts = []
        left_out = 0
        for part in samples.parts:
            admitted = [
                each
                for each in part.samples
                if _is_the_hosts(part, each)
                or self._is_admitted(each, known.digests)
            ]
            left_out += len(part.samples) - len(admitted)
            parts.append(part._replace(samples=admitted))
        if not left_out:
            return samples, 0
        return samples._replace(parts=tuple(parts)), left_out

    def _is_admitted(
        self, sample: base.Sample, digests: 'array.array[int]'
    ) -> bool:
        if not sample.labels:
            return True
        digest = hash(sample.labels)
        place = bisect.bisect_left(digests, digest)
        if place < len(digests) and digests[place] == digest:
            return True
        if len(digests) >= self._most:
            return False
        digests.insert(place, digest)
        return True

    def _forget(self, now: float) -> None:
        """Forget, each hour, what is older than a day."""
        if now - self._looked < PERIOD / 24:
            return
        self._looked = now
        self._known = {
            uuid: known
            for uuid, known in self._known.items()
            if now - known.since < PERIOD
        }


def _is_the_hosts(part: sample_set.Part, sample: base.Sample) -> bool:
    """Tell whether no word of the guest's is in its labels.

    Else a guest could use its labels up, and be dark for the rest of the day.
    """
    return part.source == sample_set.HYPERVISOR and sample.metric != agent.INFO
