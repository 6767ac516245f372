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

"""Which operating system the guest runs.

Source: qga/qapi-schema.json, GuestOSInfo (QEMU 2.10); os-release(5).
"""

from collections.abc import Mapping, Sequence

from nova_qga.collectors import base
from nova_qga import errors
from nova_qga.protocol import commands
from nova_qga.protocol import replies

#: Always 1: what it tells is in its labels.
OS_INFO = base.Metric('guest.os.info', base.Unit.COUNT, base.Kind.GAUGE)


def _read_osinfo(system: replies.OSInfo) -> list[base.Sample]:
    """Return one sample; what the guest does not tell has no label."""
    labels: list[str] = []
    for name, value in (
        ('id', system.id),
        ('version_id', system.version_id),
        ('pretty_name', system.pretty_name),
        ('kernel', system.kernel_release),
        ('machine', system.machine),
    ):
        if value:
            labels += (name, value)
    if not labels:
        raise errors.InvalidReply('it says nothing of its system')
    return [base.Sample(OS_INFO, 1, tuple(labels))]


_OSINFO = base.Source(commands.get_osinfo(), _read_osinfo)


class OsInfoCollector(base.Collector):
    """What the guest's operating system calls itself."""

    metrics = (OS_INFO,)
    slow = True

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        return base.best(enabled, _OSINFO)
