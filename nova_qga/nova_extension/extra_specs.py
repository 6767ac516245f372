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

"""The flavor extra specs of nova-qga, as nova-api checks them.

Since microversion 2.86 nova-api refuses an extra spec of a namespace that it
knows whose name or value is wrong. Without this module it takes any.

Source: nova/api/validation/extra_specs/base.py.
"""

from nova.api.validation.extra_specs import base

from nova_qga.nova_extension import channel
from nova_qga.nova_extension import monitoring


def register() -> list[base.ExtraSpecValidator]:
    """Return the validators that nova-api adds to its own."""
    return [
        base.ExtraSpecValidator(
            name=channel.EXTRA_SPEC,
            description=(
                'Whether guests get the channels of the QEMU guest agent. '
                '``no`` is respected whatever the image says. ``yes`` asks '
                'for them as the image property ``hw_qemu_guest_agent`` '
                'does. Unset, ``[qga]channel_policy`` of the compute host '
                'decides.'
            ),
            value={'type': bool},
        ),
        base.ExtraSpecValidator(
            name=monitoring.EXTRA_SPEC,
            description=(
                'Whether nova-qga-agent monitors guests. ``no`` is respected '
                'whatever the image says. Unset or ``yes``, a guest is '
                'monitored unless its image property ``qga_monitoring`` or '
                'the options of the compute host forbid it.'
            ),
            value={'type': bool},
        ),
    ]
