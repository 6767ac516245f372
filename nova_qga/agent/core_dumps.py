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

"""Keep what this process has in memory out of files.

A core dump holds a password that was being set. It is asked for in two ways:
the limit stops cores that the kernel writes, and being not dumpable stops
those that it pipes to a program such as systemd-coredump, which get no limit.
No other process of the same user can look into the memory then, by ptrace(2)
or /proc. Root still can.

Source: core(5), prctl(2), PR_SET_DUMPABLE.
"""

import ctypes
import resource

from oslo_log import log as logging

LOG = logging.getLogger(__name__)

_PR_SET_DUMPABLE = 4


def forbid() -> None:
    """Let this process leave no core; say where it cannot be had."""
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except OSError:
        # A unit may forbid to change limits, and has set it itself then.
        if resource.getrlimit(resource.RLIMIT_CORE)[0]:
            LOG.warning(
                'core dumps cannot be limited: set LimitCORE=0 in the unit '
                'of nova-qga-agent'
            )
    if ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        LOG.warning(
            'the memory of nova-qga-agent may be written to a core dump: '
            'prctl(PR_SET_DUMPABLE) failed'
        )
