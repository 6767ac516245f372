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

"""What is kept of one agent of a guest between its samples."""

from nova_qga.agent import plan as sampling_plan
from nova_qga.collectors import base
from nova_qga.protocol import replies


class Kept:
    """What is kept of the agent on one channel between samples.

    :ivar epoch: the guest's when the rest was last known to be true
    :ivar taken: samples that were begun
    :ivar info: what the agent can do
    :ivar boot: names the boot of the guest that they are of; '' for unknown
    :ivar handles: path -> handle of a file that is open
    :ivar noted: those that the journal knows
    :ivar refused: path -> why it cannot be read
    :ivar constant: path -> samples of a file that never changes
    :ivar plan: what these files are for
    """

    __slots__ = (
        'boot',
        'constant',
        'epoch',
        'handles',
        'info',
        'noted',
        'plan',
        'refused',
        'taken',
    )

    def __init__(self) -> None:
        self.epoch = -1
        self.taken = 0
        self.info: replies.AgentInfo | None = None
        self.plan: sampling_plan.Plan | None = None
        self.boot = ''
        self.handles: dict[str, int] = {}
        self.noted: dict[str, int] = {}
        self.refused: dict[str, str] = {}
        self.constant: dict[str, tuple[base.Sample, ...]] = {}
