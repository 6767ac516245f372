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

"""Load averages, and how many tasks there are.

Tasks are what the kernel schedules: processes and their threads. The guest
command for the load does not tell them: the kernel's file is read too, if it
can be. The hypervisor knows nothing of either.

Source: qga/qapi-schema.json, GuestLoadAverage (QEMU 10.0); proc_loadavg(5).
"""

from collections.abc import Mapping, Sequence
import re

from nova_qga.collectors import base
from nova_qga.collectors import rows
from nova_qga import errors
from nova_qga.protocol import commands
from nova_qga.protocol import statistics

LOAD_1M = base.Metric('guest.load.1m', base.Unit.COUNT, base.Kind.GAUGE)
LOAD_5M = base.Metric('guest.load.5m', base.Unit.COUNT, base.Kind.GAUGE)
LOAD_15M = base.Metric('guest.load.15m', base.Unit.COUNT, base.Kind.GAUGE)
TASKS_RUNNING = base.Metric(
    'guest.tasks.running', base.Unit.COUNT, base.Kind.GAUGE
)
TASKS_TOTAL = base.Metric(
    'guest.tasks.total', base.Unit.COUNT, base.Kind.GAUGE
)

#: In the order of LoadAverage and of /proc/loadavg.
_AVERAGES = (LOAD_1M, LOAD_5M, LOAD_15M)
_TASKS = (TASKS_RUNNING, TASKS_TOTAL)
_LOADAVG = re.compile(
    rb'(\d{1,10}\.\d\d) (\d{1,10}\.\d\d) (\d{1,10}\.\d\d) '
    rb'(\d{1,10})/(\d{1,10}) '
)


def _read_load(load: statistics.LoadAverage) -> list[base.Sample]:
    return rows.samples(_AVERAGES, load)


def _columns(content: bytes) -> tuple[bytes, ...]:
    match = _LOADAVG.match(content)
    if match is None:
        raise errors.InvalidReply('/proc/loadavg holds no load averages')
    return match.groups()


def _read_loadavg(content: bytes) -> list[base.Sample]:
    *averages, running, total = _columns(content)
    values = (*map(float, averages), int(running), int(total))
    return rows.samples(LoadCollector.metrics, values)


def _read_tasks(content: bytes) -> list[base.Sample]:
    return rows.samples(_TASKS, list(map(int, _columns(content)[3:])))


_FILE = base.ProcFile('/proc/loadavg')
_LOAD = base.Source(commands.get_load(), _read_load)
_PROC = base.Source(_FILE, _read_loadavg)
_PROC_TASKS = base.Source(_FILE, _read_tasks)


class LoadCollector(base.Collector):
    """How much work waits for the guest's CPUs and disks."""

    metrics = (*_AVERAGES, *_TASKS)

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        if _LOAD.usable(enabled):
            return (_LOAD, *base.best(enabled, _PROC_TASKS))
        return base.best(enabled, _PROC)
