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

"""``metrics show``: what a guest measures now, once or again and again."""

import argparse
from collections.abc import Iterable, Sequence
import datetime
import time
from typing import Any

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import options
from nova_qga.cli import outcome
from nova_qga.cli import rates
from nova_qga.cli import untold

#: Seconds between two looks.
INTERVAL = 5.0


class ShowMetrics(command.ServerLister):
    """Measure a guest now, and show what was measured.

    What cannot be measured is not in the list; a line on standard error says
    why.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--watch',
            metavar='<seconds>',
            nargs='?',
            type=options.pause,
            const=INTERVAL,
            help=(
                'Measure again and again until Ctrl-C, so often (default: '
                f'{INTERVAL:g}), and show how fast what is counted grows'
            ),
        )
        return parser

    def run(self, parsed_args: argparse.Namespace) -> int:
        self._rates = rates.Rates()
        pause = parsed_args.watch
        if pause is None:
            return super().run(parsed_args)
        if command.is_watched(self.app, parsed_args):
            return self._watch(parsed_args)
        while True:
            began = time.monotonic()
            super().run(parsed_args)
            self.app.stdout.flush()
            time.sleep(max(0.0, began + pause - time.monotonic()))

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        target = self.app.target(parsed_args.instance)
        result = outcome.result(
            target.api.get_metrics(target.host, target.instance)
        )
        for line in untold.lines(result):
            self.app.LOG.warning('%s', line)
        shorten = parsed_args.formatter == 'table'
        columns = ['Name', 'Labels', 'Value', 'Unit', 'Source', 'Time']
        rows: list[list[Any]] = [
            [
                sample['name'],
                sample['labels'],
                sample['value'],
                sample['unit'],
                sample.get('source'),
                _moment(sample.get('timestamp'), shorten),
            ]
            for sample in result['samples']
        ]
        if parsed_args.watch is not None:
            columns.insert(3, 'Rate')
            for row, rate in zip(
                rows, self._rates.take(result['samples']), strict=True
            ):
                row.insert(3, None if rate is None else round(rate, 6))
        return columns, [cells.row(row, parsed_args.formatter) for row in rows]

    def _watch(self, parsed_args: argparse.Namespace) -> int:
        """Show it at a terminal."""
        # They take their time to load, and no script needs them.
        from nova_qga.cli import feed
        from nova_qga.cli import live
        from nova_qga.cli import metrics_view

        target = self.app.target(parsed_args.instance)

        def ask(host: str) -> feed.Result:
            return outcome.result(
                target.api.get_metrics(host, target.instance)
            )

        # Where it cannot be measured at all, that is said and not shown.
        first = ask(target.host)
        screen = live.Live(self.app.stdin, self.app.stdout)
        told = feed.Feed(
            [target.host],
            ask,
            parsed_args.watch,
            screen.wake,
            delay=min(parsed_args.watch, 1.0),
        )
        told.start()
        name = outcome.safe(parsed_args.instance)
        screen.run(metrics_view.MetricsView(name, first, told))
        return outcome.ExitCode.OK


def _moment(moment: str | None, shorten: bool) -> str | None:
    return to_the_second(moment) if shorten else moment


def to_the_second(moment: str | None) -> str | None:
    """Shorten a time for a table, where it stands in every row."""
    try:
        parsed = datetime.datetime.fromisoformat(moment or '')
    except ValueError:
        return moment
    return f'{parsed.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S}Z'
