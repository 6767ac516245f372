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

"""What the hypervisor's figures cost: getAllDomainStats, read as we do.

For running guests behind a real libvirtd, whose own CPU is told apart from
ours: libvirtd_cpu_ms. A sample is one guest's part of a call for all.
"""

# First, as in the agent: it keeps eventlet out.
from nova_qga import cmd  # noqa: F401

import time

import libvirt

from nova_qga.guest import figures
from nova_qga.guest import hypervisor

import libvirt_python
import measure


def main() -> None:
    """Measure, and print the report; no pace is kept."""
    args = measure.parser(__doc__).parse_args()
    libvirtd = libvirt_python.libvirtd_pid(args.place)
    connection = libvirt.open(args.place)

    def ask() -> list[figures.Figures]:
        found = connection.getAllDomainStats(
            hypervisor.STATS, hypervisor.FLAGS
        )
        return [figures.read(stats, time.time()) for _, stats in found]

    ask()
    before = measure.cpu_ms_of(libvirtd)
    period = measure.Period()
    samples = sum(len(ask()) for _ in range(args.rounds))
    period.report(
        samples, 0, libvirtd_cpu_ms=measure.cpu_ms_of(libvirtd) - before
    )


if __name__ == '__main__':
    main()
