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

"""Commands that shut a guest down, or suspend it.

An agent answers none of them where it succeeds; an answer is a refusal.

Source: qga/qapi-schema.json of QEMU 5.2 to 10.0, ``success-response``.
"""

from nova_qga.protocol import command
from nova_qga.protocol import replies

_SMALL = 64 * 1024


def shutdown(mode: str) -> command.Command[None]:
    """Shut the guest down (0.15).

    :param mode: ``powerdown``, ``halt`` or ``reboot``
    """
    return command.Command(
        'guest-shutdown', replies.read_nothing, {'mode': mode}, True, _SMALL
    )


def suspend(mode: str) -> command.Command[None]:
    """Suspend the guest (1.1, Linux and Windows; hybrid on Linux).

    :param mode: ``ram``, ``disk`` or ``hybrid``
    """
    return command.Command(
        f'guest-suspend-{mode}', replies.read_nothing, {}, True, _SMALL
    )
