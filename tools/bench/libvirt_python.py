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

"""What the standard channel costs: qemuAgentCommand from 32 threads.

For running guests behind a real libvirtd, whose own CPU is told apart from
ours: libvirtd_cpu_ms. The commands and kept handles are the same as
everywhere in the benchmark; libvirt adds a sync of its own to each command.
"""

import concurrent.futures
import json
import socket
import struct
from typing import Any

import libvirt
import libvirt_qemu
import measure
import wire

THREADS = 32
TIMEOUT = 10  # seconds, for one command


class Guest:
    """One domain and its kept handles."""

    def __init__(self, domain: libvirt.virDomain, sample: wire.Sample) -> None:
        self._domain = domain
        self._commands = sample.commands(
            [
                self._ask(wire.file_command('open', path=path))
                for path in sample.files
            ]
        )

    def _ask(self, command: dict[str, Any]) -> Any:
        reply = libvirt_qemu.qemuAgentCommand(
            self._domain, json.dumps(command), TIMEOUT, 0
        )
        return json.loads(reply)['return']

    def sample(self) -> list[Any]:
        """Take one sample."""
        return [self._ask(command) for command in self._commands]


def libvirtd_pid(uri: str) -> int:
    """Process id of who listens on the socket that a URI names."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(uri.partition('socket=')[2])
        credentials = client.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize('3i')
        )
    pid: int = struct.unpack('3i', credentials)[0]
    return pid


def main() -> None:
    """Measure, and print the report."""
    args = measure.parser(__doc__).parse_args()
    libvirtd = libvirtd_pid(args.place)
    domains = libvirt.open(args.place).listAllDomains(
        libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
    )
    sample = wire.Sample(args.template.read_bytes(), args.files)
    guests = [Guest(domain, sample) for domain in domains[: args.count]]
    pace = measure.Pace(args.interval, args.group)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        measure.sample_all(pool, guests, pace, 1)
        before = measure.cpu_ms_of(libvirtd)
        period = measure.Period()
        failed = measure.sample_all(pool, guests, pace, args.rounds)
        period.report(
            args.rounds * len(guests) - failed,
            failed,
            libvirtd_cpu_ms=measure.cpu_ms_of(libvirtd) - before,
        )


if __name__ == '__main__':
    main()
