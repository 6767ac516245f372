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

"""All that was measured of one guest at one moment."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nova_qga.collectors import base


class SampleSet(NamedTuple):
    """The samples of one guest.

    :ivar instance_uuid: of the guest
    :ivar domain: libvirt's name of it
    :ivar name: what its owner calls it, escaped
    :ivar timestamp: seconds since the epoch, by the **host's** clock
    :ivar source: ``guest``, or ``hypervisor`` where libvirt stands in
    :ivar missing: collector -> why it gave nothing
    """

    instance_uuid: str
    domain: str
    name: str
    project_id: str
    user_id: str
    timestamp: float
    samples: Sequence[base.Sample]
    source: str
    missing: Mapping[str, str]
