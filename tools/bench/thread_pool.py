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

"""What a plain client costs: 32 threads, blocking sockets, json.

Sockets and file handles are kept, as in nova-qga's poller, and the same
commands are sent, but one at a time, each waiting for its reply. Replies are
decoded and dropped: nothing is validated and no sample is built.
"""

import concurrent.futures
from typing import Any

import measure
import wire

THREADS = 32


class Guest:
    """One agent, its kept connection and its kept handles."""

    def __init__(self, path: str, sample: wire.Sample) -> None:
        self._agent = wire.Agent(path)
        self._agent.sync()
        self._commands = sample.commands(
            [
                self._agent.ask(wire.file_command('open', path=each))
                for each in sample.files
            ]
        )

    def sample(self) -> list[Any]:
        """Take one sample."""
        self._agent.sync()
        return [self._agent.ask(command) for command in self._commands]


def main() -> None:
    """Measure, and print the report."""
    args = measure.parser(__doc__).parse_args()
    sample = wire.Sample(args.template.read_bytes(), args.files)
    guests = [
        Guest(f'{args.place}/{number}.sock', sample)
        for number in range(args.count)
    ]
    pace = measure.Pace(args.interval, args.group)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        measure.sample_all(pool, guests, pace, 1)
        period = measure.Period()
        failed = measure.sample_all(pool, guests, pace, args.rounds)
        period.report(args.rounds * args.count - failed, failed)


if __name__ == '__main__':
    main()
