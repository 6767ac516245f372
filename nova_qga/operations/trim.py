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

"""Discard the blocks that a guest's filesystems do not use."""

from typing import Any

from nova_qga.operations import agent as operations_agent
from nova_qga.protocol import filesystems


def trim(agent: operations_agent.Agent, *, minimum: int) -> dict[str, Any]:
    """Discard unused blocks of all filesystems that can.

    :param minimum: bytes; smaller free ranges are left alone
    :returns: ``trimmed``, bytes in all; ``filesystems``: ``path``,
        ``trimmed``, ``error``
    :raises CommandError: the guest refused
    :raises OutcomeUnknown: it goes on, or has ended
    """
    asked = filesystems.trim(minimum)
    agent.require(asked.name)
    found = agent.execute(asked, slow=True)
    return {
        'trimmed': sum(each.trimmed or 0 for each in found),
        'filesystems': [each._asdict() for each in found],
    }
