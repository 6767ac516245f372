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

"""A publisher that takes samples and does nothing with them.

``no_op-0.dist-info`` beside it makes it a plugin of everything that is run
from this folder.
"""

from collections.abc import Sequence

from nova_qga.collectors import sample_set
from nova_qga.publishers import base


class NoOp(base.Publisher):
    """Publishes nothing."""

    def publish(self, batch: Sequence[sample_set.SampleSet]) -> None:
        pass
