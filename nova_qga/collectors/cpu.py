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

"""CPU time by mode, summed over the guest's CPUs.

The modes are those of /proc/stat, as node_exporter reports them: ``user``
includes the time that guests of this guest ran, ``nice`` that of niced ones.

The hypervisor cannot tell them apart. Where it stands in there is ``vcpu``,
the time that the virtual CPUs ran, and ``steal``, that they had to wait for
one of the host's; or ``qemu``, the time of the whole process, where QEMU has
no thread for each of them.

Source: qga/qapi-schema.json, GuestLinuxCpuStats (QEMU 7.1); proc_stat(5).
"""

from collections.abc import Mapping, Sequence
import re

from nova_qga.collectors import base
from nova_qga.collectors import proc
from nova_qga.collectors import rows
from nova_qga import errors
from nova_qga.guest import figures
from nova_qga.protocol import commands
from nova_qga.protocol import statistics

CPU_TIME = base.Metric(
    'guest.cpu.time', base.Unit.SECONDS, base.Kind.CUMULATIVE
)

#: In the order of the columns of /proc/stat and of CpuStats.
MODES = statistics.CpuStats._fields[1:]
HYPERVISOR_MODES = ('vcpu', 'steal', 'qemu')

_LABELS = [('mode', mode) for mode in MODES]
_HYPERVISOR_LABELS = [('mode', mode) for mode in HYPERVISOR_MODES]

#: The line of all CPUs comes first.
_LINE = re.compile(rb'cpu {1,8}(\d{1,20}(?: \d{1,20}){3,15})\n')
#: The kernel's unit for user space (USER_HZ), the same on what QEMU runs.
_TICKS_PER_SECOND = 100


def seconds(ticks: Sequence[int]) -> list[float]:
    """Convert what /proc/stat counts in."""
    return [count / _TICKS_PER_SECOND for count in ticks]


def _read_cpustats(cpus: Sequence[statistics.CpuStats]) -> list[base.Sample]:
    """Add up the CPUs; a mode that not all of them know is left out."""
    distinct = {cpu.cpu: cpu[1:] for cpu in reversed(cpus)}
    columns = zip(*distinct.values())
    totals = [None if None in ms else sum(ms) / 1000 for ms in columns]
    return rows.samples_by_label(CPU_TIME, _LABELS, totals)


def _read_stat(content: bytes) -> list[base.Sample]:
    line = _LINE.match(content)
    ticks = proc.uints(line[1].split()[: len(MODES)]) if line else None
    if ticks is None:
        raise errors.InvalidReply('/proc/stat has no line of all CPUs')
    return rows.samples_by_label(CPU_TIME, _LABELS, seconds(ticks))


_CPUSTATS = base.Source(commands.get_cpustats(), _read_cpustats)
_STAT = base.Source(base.ProcFile('/proc/stat'), _read_stat)


class CpuCollector(base.Collector):
    """Where the guest's CPU time goes."""

    metrics = (CPU_TIME,)

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        return base.best(enabled, _CPUSTATS, _STAT)

    def stand_in(self, known: figures.Figures) -> Sequence[base.Sample]:
        ran = waited = process = None
        if known.vcpus:
            ran = _sum_known([vcpu.time for vcpu in known.vcpus])
            waited = _sum_known([vcpu.delay for vcpu in known.vcpus])
        else:
            process = known.cpu_time
        return rows.samples_by_label(
            CPU_TIME, _HYPERVISOR_LABELS, (ran, waited, process)
        )


def _sum_known(values: Sequence[float | None]) -> float | None:
    """Add up what is known of all; what one lacks nobody knows."""
    known = [value for value in values if value is not None]
    if len(known) != len(values):
        return None
    # libvirt counts nanoseconds.
    return round(sum(known), 9)
