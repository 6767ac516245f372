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

"""How long the guest has been up, and which boot this is.

Source: proc_uptime(5); random(4), boot_id.
"""

from collections.abc import Mapping, Sequence
import re

from nova_qga.collectors import base
from nova_qga import errors

#: A gauge, although it grows: nobody wants its rate.
UPTIME = base.Metric('guest.uptime', base.Unit.SECONDS, base.Kind.GAUGE)
#: Always 1: what it tells is its label ``boot_id``, new at each boot.
BOOT_INFO = base.Metric('guest.boot.info', base.Unit.COUNT, base.Kind.GAUGE)

_UPTIME = re.compile(rb'(\d{1,12}\.\d\d) ')
_BOOT_ID = re.compile(rb'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\n')


def _read_uptime(content: bytes) -> list[base.Sample]:
    match = _UPTIME.match(content)
    if match is None:
        raise errors.InvalidReply('/proc/uptime holds no uptime')
    return [base.Sample(UPTIME, float(match[1]))]


def _read_boot_id(content: bytes) -> list[base.Sample]:
    if not _BOOT_ID.fullmatch(content):
        raise errors.InvalidReply('boot_id holds no UUID')
    boot_id = content.decode('ascii').rstrip()
    return [base.Sample(BOOT_INFO, 1, ('boot_id', boot_id))]


_SOURCES = (
    base.Source(base.ProcFile('/proc/uptime'), _read_uptime),
    base.Source(
        base.ProcFile('/proc/sys/kernel/random/boot_id', once=True),
        _read_boot_id,
    ),
)


class UptimeCollector(base.Collector):
    """Since when the guest's other counters count."""

    metrics = (UPTIME, BOOT_INFO)

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        return tuple(s for s in _SOURCES if s.usable(enabled))
