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

"""Commands that read and set a guest's clock.

Source: qga/qapi-schema.json of QEMU 5.2 to 10.0.
"""

from typing import Any

from nova_qga.protocol import command
from nova_qga.protocol import reading
from nova_qga.protocol import replies

_SMALL = 64 * 1024


def get_time() -> command.Command[int]:
    """Ask for the time: nanoseconds since 1970 (1.5)."""
    return command.Command('guest-get-time', read_time, {}, False, _SMALL)


def set_time(nanoseconds: int | None) -> command.Command[None]:
    """Set the clock (1.5).

    :param nanoseconds: since 1970; None for what the hardware clock says
    """
    given = {} if nanoseconds is None else {'time': nanoseconds}
    return command.Command(
        'guest-set-time', replies.read_nothing, given, True, _SMALL
    )


def read_time(value: Any) -> int:
    """Read the reply to guest-get-time; a guest may live before 1970."""
    limit = reading.INT63_MAX
    if type(value) is not int or not -limit <= value <= limit:
        return reading.uint({'time': value}, 'time', limit)
    return value
