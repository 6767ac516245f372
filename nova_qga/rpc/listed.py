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

"""Say of a guest what a list of a host's guests has of it. Pure."""

from collections.abc import Mapping
from typing import Any

from nova_qga.guest import guest as guest_module


def of(guest: guest_module.Guest, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return a row of the list.

    :param kinds: port name -> ``direct`` or ``standard``
    """
    described = guest.description
    answering = {each.name for each in guest.channels if each.contacted}
    info = guest.info
    return {
        'instance_uuid': described.uuid,
        'name': described.name,
        'domain': described.domain,
        'state': guest.state,
        'project_id': described.project_id,
        'user_id': described.user_id,
        'flavor': described.flavor,
        'channels': [
            {
                'name': port.name,
                'kind': kinds[port.name],
                # A guest that is off has them in its definition only.
                'open': guest.alive and (port.name in answering or port.open),
            }
            for port in described.ports
            if port.name in kinds
        ],
        'agent_version': None if info is None else info.version,
    }
