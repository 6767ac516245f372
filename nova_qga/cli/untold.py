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

"""Say what a guest itself did not tell, and why: a line a reason. Pure."""

from collections.abc import Mapping
from typing import Any

#: What only the host can tell, and tells of every guest.
_SEEN = ('guest.agent.', 'guest.sampling.')


def lines(result: Mapping[str, Any]) -> list[str]:
    """Return what is to be said of a measurement beside its samples.

    :param result: of ``get_metrics``
    """
    names: dict[str, list[str]] = {}
    for collector, reason in sorted(result.get('missing', {}).items()):
        names.setdefault(reason, []).append(collector)
    said = [
        f'The guest itself tells nothing of {", ".join(collectors)}: {reason}'
        for reason, collectors in names.items()
    ]
    if said and _stands_in(result):
        said.append(
            'What libvirt knows of that is shown instead, with the source '
            'hypervisor'
        )
    return said


def _stands_in(result: Mapping[str, Any]) -> bool:
    return any(
        sample.get('source') == 'hypervisor'
        and not sample['name'].startswith(_SEEN)
        for sample in result['samples']
    )
