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


"""What the extension writes into the metadata of a guest's definition.

It is written for a guest that is not to be monitored, and for no other:
nothing else differs from Nova's metadata. What is in the metadata stays there
until Nova makes the definition anew, and goes along in a live migration.

A fault of this code is logged, and the guest starts without it.

Source: nova/virt/libvirt/config.py, LibvirtConfigGuest, and nova/utils.py,
get_system_metadata_from_image(), of Nova 32 to 34.
"""

from collections.abc import Iterator
from typing import Any

from nova.virt.libvirt import config as vconfig
from oslo_log import log as logging
from oslo_utils import strutils

from nova_qga.nova_extension import monitoring

LOG = logging.getLogger(__name__)


class _NotMonitored(vconfig.LibvirtConfigObject):
    """The element that says that a guest is not to be monitored."""

    def format_dom(self) -> Any:
        instance = super().format_dom()
        instance.append(self._text_node('monitoring', 'no'))
        return instance


def add(guest: Any, flavor: Any, instance: Any) -> None:
    """Note in a guest's definition if it is not to be monitored.

    :param flavor: with which the definition is made: during a resize, not
        always the instance's own
    """
    try:
        if _is_off(flavor, instance):
            note = _NotMonitored(
                root_name='instance',
                ns_prefix='qga',
                ns_uri=monitoring.NAMESPACE,
            )
            # A fault in there is to come here, not as the guest starts.
            note.format_dom()
            guest.metadata.append(note)
    except Exception:
        LOG.exception(
            'nova-qga cannot tell whether the guest is to be monitored; it is',
            instance=instance,
        )


def _is_off(flavor: Any, instance: Any) -> bool:
    # A no wins over a yes, as for the channels.
    return False in [
        _meaning(said, what, instance)
        for what, said in _sayings(flavor, instance)
    ]


def _sayings(flavor: Any, instance: Any) -> Iterator[tuple[str, str]]:
    """Yield what is said of the guest, and who says it."""
    said = flavor.extra_specs.get(monitoring.EXTRA_SPEC)
    if said is not None:
        yield f'{monitoring.EXTRA_SPEC} of flavor {flavor.flavorid}', said
    for name in monitoring.IMAGE_PROPERTIES:
        # Not from image_meta: it has what Nova knows, and no other.
        said = instance.system_metadata.get(f'image_{name}')
        if said is not None:
            yield f'{name} of the image', said


def _meaning(said: str, what: str, instance: Any) -> bool | None:
    try:
        return bool(strutils.bool_from_string(said, strict=True))
    except ValueError:
        LOG.warning(
            '%s is neither yes nor no, and is taken for unset: correct it',
            what,
            instance=instance,
        )
        return None
