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

"""Read and set a guest's clock."""

import time
from typing import Any

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga.protocol import clock

_NANO = 1_000_000_000
#: Seconds since 1970 that a clock may be set to: until the year 2200.
MAX_TIME = 7_258_118_400


def get_time(agent: operations_agent.Agent) -> dict[str, Any]:
    """Return what the guest's clock says.

    :returns: ``seconds`` since 1970, and ``ahead`` of this host's clock, in
        seconds, as it was in the middle of asking; both are floats
    """
    asked = clock.get_time()
    agent.require(asked.name)
    before = time.time()
    told = agent.execute(asked) / _NANO
    middle = (before + time.time()) / 2
    return {'seconds': told, 'ahead': round(told - middle, 6)}


def set_time(
    agent: operations_agent.Agent, *, seconds: float | None
) -> dict[str, Any]:
    """Set the guest's clock, and read it back.

    :param seconds: since 1970; None for this host's time now, as after a
        resume
    :returns: as :func:`get_time`
    :raises CommandError: the guest refused
    :raises OutcomeUnknown: it may have been set
    """
    agent.require('guest-set-time', 'guest-get-time')
    wanted = time.time() if seconds is None else seconds
    agent.execute(clock.set_time(round(wanted * _NANO)))
    try:
        return get_time(agent)
    except errors.QgaError as error:
        raise errors.OutcomeUnknown(
            f'the clock was set, and cannot be read back: {error}'
        ) from None
