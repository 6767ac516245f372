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

"""What was measured of one guest in one round."""

from collections.abc import Iterable, Mapping, Sequence
import itertools
from typing import NamedTuple

from nova_qga.collectors import base

GUEST = 'guest'
HYPERVISOR = 'hypervisor'


class Part(NamedTuple):
    """Samples that were taken together.

    :ivar source: ``guest``, or ``hypervisor`` where libvirt stands in, and
        for what only the host can tell
    :ivar timestamp: seconds since the epoch, by the **host's** clock
    :ivar slow: of collectors that are asked more seldom than the others
    """

    source: str
    timestamp: float
    samples: Sequence[base.Sample]
    slow: bool = False


class SampleSet(NamedTuple):
    """The samples of one guest.

    :ivar instance_uuid: of the guest
    :ivar domain: libvirt's name of it
    :ivar name: what its owner calls it, escaped
    :ivar missing: collector -> why the guest itself gave nothing
    """

    instance_uuid: str
    domain: str
    name: str
    project_id: str
    user_id: str
    parts: tuple[Part, ...]
    missing: Mapping[str, str]

    @property
    def samples(self) -> Iterable[base.Sample]:
        """All of them, whatever their source."""
        return itertools.chain.from_iterable(
            part.samples for part in self.parts
        )
