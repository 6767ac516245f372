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

"""Traffic of the guest's network interfaces, loopback left out.

The hypervisor has each by its name on the host.

Source: qga/qapi-schema.json, GuestNetworkInterfaceStat (QEMU 2.11);
proc_pid_net(5).
"""

from collections.abc import Iterable, Mapping, Sequence
import re

from nova_qga.collectors import base
from nova_qga.collectors import proc
from nova_qga.collectors import rows
from nova_qga.guest import figures
from nova_qga.protocol import commands
from nova_qga.protocol import statistics


def _bytes(name: str) -> base.Metric:
    return base.Metric(name, base.Unit.BYTES, base.Kind.CUMULATIVE)


def _count(name: str) -> base.Metric:
    return base.Metric(name, base.Unit.COUNT, base.Kind.CUMULATIVE)


RECEIVE_BYTES = _bytes('guest.network.receive.bytes')
RECEIVE_PACKETS = _count('guest.network.receive.packets')
RECEIVE_ERRORS = _count('guest.network.receive.errors')
RECEIVE_DROPS = _count('guest.network.receive.drops')
TRANSMIT_BYTES = _bytes('guest.network.transmit.bytes')
TRANSMIT_PACKETS = _count('guest.network.transmit.packets')
TRANSMIT_ERRORS = _count('guest.network.transmit.errors')
TRANSMIT_DROPS = _count('guest.network.transmit.drops')

#: As Linux, the BSDs and Windows name it.
_LOOPBACK = frozenset(('lo', 'lo0', 'Loopback Pseudo-Interface 1'))
#: Name, and the first four of the eight counters of each direction. Old
#: kernels put no blank behind the colon.
_LINE = re.compile(
    rb'\n {0,16}(?!lo:)(\S{1,256}): {0,24}%(four)s'
    rb' {1,24}\d+ {1,24}\d+ {1,24}\d+ {1,24}\d+ {1,24}%(four)s '
    % {b'four': rb' {1,24}'.join([proc.UINT] * 4)}
)


def _read_interfaces(
    interfaces: Iterable[tuple[str, statistics.InterfaceCounters]],
) -> list[base.Sample]:
    counters: dict[str, Sequence[float | None]] = {}
    for name, counted in interfaces:
        if name not in _LOOPBACK:
            counters.setdefault(name, counted)
    return rows.device_samples(NetworkCollector.metrics, counters)


def _read_proc(content: bytes) -> list[base.Sample]:
    found = proc.devices(_LINE, content, rows.MAX_DEVICES)
    return rows.device_samples(NetworkCollector.metrics, found)


_INTERFACES = base.Source(commands.get_interface_counters(), _read_interfaces)
_PROC = base.Source(base.ProcFile('/proc/net/dev'), _read_proc)


class NetworkCollector(base.Collector):
    """How much the guest sends and receives, and what is lost of it."""

    #: In the order of InterfaceCounters.
    metrics = (
        RECEIVE_BYTES,
        RECEIVE_PACKETS,
        RECEIVE_ERRORS,
        RECEIVE_DROPS,
        TRANSMIT_BYTES,
        TRANSMIT_PACKETS,
        TRANSMIT_ERRORS,
        TRANSMIT_DROPS,
    )

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        return base.best(enabled, _INTERFACES, _PROC)

    def stand_in(self, known: figures.Figures) -> Sequence[base.Sample]:
        counters = {each.name: each[1:] for each in known.interfaces}
        return rows.device_samples(self.metrics, counters)
