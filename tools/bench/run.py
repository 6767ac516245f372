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

"""Measure what nova-qga costs: whole agents, and its poller beside others.

It judges nothing: the aims stand beside the figures, in the documentation.
Needs root, gcc, what the functional tests need, prometheus-node-exporter, and
20,000 open files (``ulimit -n 20000``). Takes about half an hour.
"""

import argparse
import os
import pathlib
import resource
import tempfile

from nova_qga.tests.fixtures import libvirtd

import bench as bench_module
import comparisons
import hosts
import plot
import report

OPEN_FILES = 20000
#: Rounds of whole agents, and the seconds of each: the agent's default.
ROUNDS = 5
INTERVAL = 60.0


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--repetitions', type=int, default=5)
    parser.add_argument(
        '--only',
        choices=('agents', 'comparisons'),
        help='measure whole agents, or compare the poller to others',
    )
    parser.add_argument(
        '--quick',
        action='store_true',
        help='with few guests, for a few seconds: to see that it works',
    )
    parser.add_argument(
        '--write',
        metavar='<file>',
        type=pathlib.Path,
        help='a page that gets the tables, and growth.svg beside it',
    )
    return parser.parse_args()


def measure_hosts(bench: bench_module.Bench, quick: bool) -> hosts.Results:
    """Measure whole agents."""
    phases, rounds, interval = hosts.PHASES, ROUNDS, INTERVAL
    if quick:
        phases, rounds, interval = hosts.QUICK, 2, 1.0
    found: hosts.Results = {}
    with hosts.broker() as url:
        for phase in phases:
            found |= hosts.measure(bench, phase, url, rounds, interval)
    return found


def measure(
    bench: bench_module.Bench, args: argparse.Namespace
) -> report.Results:
    """Measure all that was asked for."""
    found = report.Results(args.repetitions)
    before = os.getloadavg()[0]
    if args.only != 'comparisons':
        found.agents = measure_hosts(bench, args.quick)
    if args.only != 'agents':
        scenes_of = comparisons.QUICK if args.quick else comparisons.SCENES
        for scenes in scenes_of:
            found.compared |= comparisons.measure(
                bench, scenes, args.repetitions
            )
        found.limit = comparisons.limit_of_fleet(bench, 1000)
    found.load = before, os.getloadavg()[0]
    return found


def main() -> None:
    """Measure, print the tables, and write them where asked."""
    args = arguments()
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    with (
        tempfile.TemporaryDirectory(prefix='qga-bench-') as folder,
        libvirtd.Libvirtd() as host,
    ):
        found = measure(bench_module.Bench(pathlib.Path(folder), host), args)
    text = report.text(found)
    print(text)
    if args.write:
        report.write(args.write, text)
        if found.agents:
            drawing = args.write.with_name('growth.svg')
            drawing.write_text(plot.growth(found.agents))


if __name__ == '__main__':
    main()
