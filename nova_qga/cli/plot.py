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

"""``metrics plot``: how a metric of a guest changes, drawn as it does."""

import argparse
from typing import TextIO

from nova_qga.cli import command
from nova_qga.cli import curves
from nova_qga.cli import options
from nova_qga.cli import outcome

#: Characters that plots are drawn with.
DOTS = '\u2800\u28ff'
#: Seconds between two points.
INTERVAL = 5.0
#: Points where nobody watches who could end it: a minute.
POINTS = 13


class PlotMetric(command.Command):
    """Draw how a metric of a guest changes.

    What is counted, as bytes, is drawn as rates; a curve for each set of
    labels. At a terminal it goes on until q or Ctrl-C. Elsewhere it is drawn
    once, at the end.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        command.add_instance(parser)
        parser.add_argument(
            'metric',
            metavar='<metric>',
            help='Name of the metric, as metrics show has it',
        )
        parser.add_argument(
            '--label',
            metavar='<name>=<value>',
            action='append',
            type=options.label,
            default=[],
            help='Only samples with this label, may be repeated',
        )
        parser.add_argument(
            '--interval',
            metavar='<seconds>',
            type=options.pause,
            default=INTERVAL,
            help=f'Seconds between two points (default: {INTERVAL:g})',
        )
        until = parser.add_mutually_exclusive_group()
        until.add_argument(
            '--points',
            metavar='<count>',
            type=options.count,
            help=(
                'End after so many points (default: at a terminal no end, '
                f'else {POINTS})'
            ),
        )
        until.add_argument(
            '--duration',
            metavar='<seconds>',
            type=options.pause,
            help='End after so long',
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        # They take their time to load, and no help text needs them.
        from nova_qga.cli import feed
        from nova_qga.cli import live
        from nova_qga.cli import plot_view

        target = self.app.target(parsed_args.instance)

        def ask(host: str) -> feed.Result:
            return outcome.result(
                target.api.get_metrics(host, target.instance)
            )

        drawn = curves.Curves(parsed_args.metric, dict(parsed_args.label))
        # What cannot be drawn at all is said at once.
        _check_encoding(self.app.stdout)
        first = ask(target.host)
        drawn.check(first)
        drawn.take(first)
        screen = live.Live(self.app.stdin, self.app.stdout)
        watched = command.is_terminal(self.app)
        points = _points(parsed_args, watched)
        told = feed.Feed(
            [target.host],
            ask,
            parsed_args.interval,
            screen.wake,
            None if points is None else points - 1,
            parsed_args.interval,
        )
        told.start()
        view = plot_view.PlotView(
            outcome.safe(parsed_args.instance), drawn, told, screen.colored
        )
        if watched:
            screen.run(view)
        else:
            screen.write_last(view, lambda: self._announce(points))
        return outcome.ExitCode.OK

    def _announce(self, points: int | None) -> None:
        """Say why nothing is drawn for a while."""
        self.app.LOG.info(
            'Measuring %s times; Ctrl-C draws what there is', points
        )


def _points(parsed_args: argparse.Namespace, watched: bool) -> int | None:
    if parsed_args.duration is not None:
        return int(parsed_args.duration / parsed_args.interval) + 1
    points: int | None = parsed_args.points
    return points if watched else points or POINTS


def _check_encoding(stdout: TextIO) -> None:
    """Refuse an output that has no characters to draw with."""
    try:
        DOTS.encode(stdout.encoding or 'ascii')
    except (UnicodeEncodeError, LookupError):
        raise outcome.Failure(
            f'a plot takes UTF-8, and the output is in {stdout.encoding}: set '
            'LC_ALL=C.UTF-8',
            outcome.ExitCode.USAGE,
        ) from None
