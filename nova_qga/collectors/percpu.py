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

"""CPU time by CPU and mode.

The modes are those of the collector ``cpu``, which is enough for most: this is
one sample for each of them and each CPU.

Source: qga/qapi-schema.json, GuestLinuxCpuStats (QEMU 7.1); proc_stat(5).
"""

from collections.abc import Mapping, Sequence
import functools
import itertools
import re

from nova_qga.collectors import base
from nova_qga.collectors import cpu
from nova_qga.collectors import proc
from nova_qga.collectors import rows
from nova_qga import errors
from nova_qga.guest import figures
from nova_qga.protocol import commands
from nova_qga.protocol import statistics

CPU_TIME = base.Metric(
    'guest.percpu.time', base.Unit.SECONDS, base.Kind.CUMULATIVE
)

#: CPUs that are measured in one guest, the first that it names.
MAX_CPUS = 256

_LINE = re.compile(rb'\ncpu(\d{1,4}) (\d{1,20}(?: \d{1,20}){3,15})(?=\n)')


@functools.lru_cache(MAX_CPUS)
def _labels(number: int, modes: Sequence[str]) -> list[tuple[str, ...]]:
    return [('cpu', str(number), 'mode', mode) for mode in modes]


def _samples(
    cpus: Mapping[int, Sequence[float | None]], modes: Sequence[str]
) -> list[base.Sample]:
    """Return the samples of each CPU.

    :param cpus: number -> seconds in the order of ``modes``
    """
    samples: list[base.Sample] = []
    for number, seconds in itertools.islice(cpus.items(), MAX_CPUS):
        samples += rows.samples_by_label(
            CPU_TIME, _labels(number, modes), seconds
        )
    return samples


def _read_cpustats(cpus: Sequence[statistics.CpuStats]) -> list[base.Sample]:
    times: dict[int, Sequence[float | None]] = {}
    for number, *modes in cpus:
        if number not in times:
            times[number] = [ms and ms / 1000 for ms in modes]
    return _samples(times, cpu.MODES)


def _read_stat(content: bytes) -> list[base.Sample]:
    times: dict[int, Sequence[float]] = {}
    for match in itertools.islice(
        _LINE.finditer(proc.body(content)), MAX_CPUS
    ):
        ticks = proc.uints(match[2].split()[: len(cpu.MODES)])
        if ticks is not None:
            times.setdefault(int(match[1]), cpu.seconds(ticks))
    if not times:
        raise errors.InvalidReply('/proc/stat has no line of a CPU')
    return _samples(times, cpu.MODES)


_CPUSTATS = base.Source(commands.get_cpustats(), _read_cpustats)
_STAT = base.Source(base.ProcFile('/proc/stat'), _read_stat)


class PerCpuCollector(base.Collector):
    """Where the time of each of the guest's CPUs goes."""

    metrics = (CPU_TIME,)

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        return base.best(enabled, _CPUSTATS, _STAT)

    def stand_in(self, known: figures.Figures) -> Sequence[base.Sample]:
        times = {each.number: (each.time, each.delay) for each in known.vcpus}
        return _samples(times, cpu.HYPERVISOR_MODES[:2])
