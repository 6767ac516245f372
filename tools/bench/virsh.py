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

"""What a sample costs with a process a command: one virsh after another.

For running guests behind a real libvirtd, whose own CPU is told apart from
ours: libvirtd_cpu_ms. The commands and kept handles are the same as
everywhere in the benchmark; libvirt adds a sync of its own to each command.
"""

import json
import resource
import subprocess
import time
from typing import Any

import libvirt_python
import measure
import wire

TIMEOUT = 10  # seconds, for one command


class Guest:
    """One domain and its kept handles."""

    def __init__(self, uri: str, name: str, sample: wire.Sample) -> None:
        self._virsh = ['virsh', '-q', '-c', uri, 'qemu-agent-command', name]
        self._commands = sample.commands(
            [
                self._ask(wire.file_command('open', path=path))
                for path in sample.files
            ]
        )

    def _ask(self, command: dict[str, Any]) -> Any:
        reply = subprocess.run(
            [*self._virsh, json.dumps(command), '--timeout', str(TIMEOUT)],
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(reply.stdout)['return']

    def sample(self) -> list[Any]:
        """Take one sample."""
        return [self._ask(command) for command in self._commands]


def children_cpu_ms() -> float:
    """CPU that the processes used that have ended, in milliseconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1e3


def main() -> None:
    """Measure, and print the report; no pace is kept."""
    args = measure.parser(__doc__).parse_args()
    libvirtd = libvirt_python.libvirtd_pid(args.place)
    listed = subprocess.run(
        ['virsh', '-q', '-c', args.place, 'list', '--name'],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    sample = wire.Sample(args.template.read_bytes(), args.files)
    names = listed.stdout.split()[: args.count]
    guests = [Guest(args.place, name, sample) for name in names]
    before = measure.cpu_ms() + children_cpu_ms()
    libvirtd_before = measure.cpu_ms_of(libvirtd)
    began = time.monotonic()
    for _ in range(args.rounds):
        for guest in guests:
            guest.sample()
    print(
        json.dumps(
            {
                'samples': args.rounds * len(guests),
                'failed': 0,
                'cpu_ms': measure.cpu_ms() + children_cpu_ms() - before,
                'wall_ms': (time.monotonic() - began) * 1e3,
                'rss_kib': measure.rss_kib(),
                'libvirtd_cpu_ms': measure.cpu_ms_of(libvirtd)
                - libvirtd_before,
            }
        )
    )


if __name__ == '__main__':
    main()
