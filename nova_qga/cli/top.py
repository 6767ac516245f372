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

"""``top``: which guests use most, in a table that changes."""

import argparse
from collections.abc import Iterable, Sequence
import time
from typing import Any

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import options
from nova_qga.cli import outcome
from nova_qga.cli import usage

#: Seconds between two looks.
INTERVAL = 5.0
#: Guests of each host that are looked at where somebody reads.
MOST_READ = 200


class Top(command.Lister):
    """Show which guests use most CPU, memory, disk and network.

    Of all hosts that run nova-compute, unless --host or --local says
    otherwise. At a terminal it goes on until q or Ctrl-C; elsewhere, and in
    other formats than a table, it is shown once, or --count times.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--sort',
            choices=usage.SORTS,
            default='cpu',
            help='What the heaviest use most of, or their names',
        )
        parser.add_argument(
            '--project',
            metavar='<project>',
            help='Only guests of this project',
        )
        parser.add_argument(
            '--interval',
            metavar='<seconds>',
            type=options.pause,
            default=INTERVAL,
            help=(
                f'Seconds between two looks (default: {INTERVAL:g}); samples '
                'are taken as [qga_monitor]interval says'
            ),
        )
        often = parser.add_mutually_exclusive_group()
        often.add_argument(
            '-n',
            '--count',
            metavar='<count>',
            type=options.count,
            help='End after so many looks',
        )
        often.add_argument(
            '--once',
            action='store_const',
            dest='count',
            const=1,
            help='The same as --count 1',
        )
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        if command.is_watched(self.app, parsed_args):
            return self._watch(parsed_args)
        code = 0
        for number in range(parsed_args.count or 1):
            if number:
                time.sleep(parsed_args.interval)
            code = super().run(parsed_args)
            self.app.stdout.flush()
        return code

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        answers = self.app.every_host(
            lambda api, host: outcome.result(
                api.get_usage(
                    host,
                    sort=parsed_args.sort,
                    project_id=parsed_args.project,
                )
            )
        )
        self.exit_code = answers.exit_code
        found = usage.rows(answers.results, parsed_args.sort)
        rows = usage.cells(found, parsed_args.formatter == 'table')
        return (
            tuple(usage.COLUMNS),
            [cells.row(row, parsed_args.formatter) for row in rows],
        )

    def _watch(self, parsed_args: argparse.Namespace) -> int:
        """Show it at a terminal."""
        # They take their time to load, and no script needs them.
        from nova_qga.cli import feed
        from nova_qga.cli import live
        from nova_qga.cli import top_view

        hosts = self.app.hosts()
        once = parsed_args.count == 1
        screen = live.Live(self.app.stdin, self.app.stdout)

        def ask(host: str) -> feed.Result:
            return outcome.result(
                hosts.api.get_usage(
                    host,
                    sort=view.sort,
                    limit=None if once else MOST_READ,
                    project_id=parsed_args.project,
                )
            )

        asked = feed.Feed(
            hosts.names,
            ask,
            parsed_args.interval,
            screen.wake,
            parsed_args.count,
        )
        view = top_view.TopView(
            asked, hosts.left_out, parsed_args.sort, asked.ask_again
        )
        asked.start()
        if once:
            asked.wait()
            screen.write(view)
        else:
            screen.run(view)
        if not view.over or not view.missing:
            return outcome.ExitCode.OK
        if len(view.missing) == len(hosts.names) + len(hosts.left_out):
            return outcome.ExitCode.NO_SERVICE
        return outcome.ExitCode.PARTIAL
