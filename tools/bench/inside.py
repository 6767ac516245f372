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

"""What monitoring costs inside a guest: qemu-ga, or node_exporter.

Either runs on this machine, as it would in a guest, and answers as often as
asked: qemu-ga what nova-qga's poller sends, node_exporter a fetch of all that
it measures by default. What is told is the CPU that it uses itself, and its
memory. Its kernel's part of a network or a virtio port is not in it.
"""

import argparse
from collections.abc import Callable
import json
import pathlib
import subprocess
import tempfile
import time
from urllib import request

from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import rabbitmq

import agents
import measure
import scrape
import thread_pool
import wire

EXPORTER = 'prometheus-node-exporter'


def rss_kib_of(pid: int) -> int:
    """Resident memory of a process, in KiB."""
    status = pathlib.Path(f'/proc/{pid}/status').read_text()
    [line] = [each for each in status.splitlines() if 'VmRSS' in each]
    return int(line.split()[1])


def ask_agent(count: int, sample: wire.Sample) -> None:
    """Have a qemu-ga asked so often, and report."""
    with tempfile.TemporaryDirectory() as folder:
        with agents.real(pathlib.Path(folder), 1) as [agent]:
            guest = thread_pool.Guest(str(agent.socket), sample)
            guest.sample()
            report(agent.pid, count, guest.sample)


def fetch(count: int) -> None:
    """Have node_exporter fetched from so often, and report."""
    port = rabbitmq.free_port()
    # Debian's has it on by default, and here is no systemd to ask.
    command = [process.program(EXPORTER), '--no-collector.systemd']
    command += [f'--web.listen-address=127.0.0.1:{port}']
    asked = request.Request(
        f'http://127.0.0.1:{port}/metrics', headers=scrape.HEADERS
    )
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as exporter:
        while not process.accepts(('127.0.0.1', port)):
            time.sleep(0.05)

        def once() -> None:
            with request.urlopen(asked) as answer:
                answer.read()

        once()
        report(exporter.pid, count, once)
        exporter.terminate()


def report(pid: int, count: int, ask: Callable[[], object]) -> None:
    """Ask so often, and tell what that cost."""
    before = measure.cpu_ms_of(pid)
    began = time.monotonic()
    for _ in range(count):
        ask()
    print(
        json.dumps(
            {
                'samples': count,
                'failed': 0,
                'cpu_ms': measure.cpu_ms_of(pid) - before,
                'wall_ms': (time.monotonic() - began) * 1e3,
                'rss_kib': rss_kib_of(pid),
            }
        )
    )


def main() -> None:
    """Measure one of them, and print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('what', choices=('qemu-ga', EXPORTER))
    parser.add_argument('count', type=int, help='samples')
    parser.add_argument('template', type=pathlib.Path, help='what to send')
    parser.add_argument('files', nargs='*', help='to open in the guest')
    args = parser.parse_args()
    if args.what == EXPORTER:
        fetch(args.count)
    else:
        sample = wire.Sample(args.template.read_bytes(), args.files)
        ask_agent(args.count, sample)


if __name__ == '__main__':
    main()
