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

"""``metrics show``."""

import argparse
from collections.abc import Iterable, Sequence
import datetime
from typing import Any

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import outcome
from nova_qga.cli import untold


class ShowMetrics(command.ServerLister):
    """Measure a guest now, and show what was measured.

    What cannot be measured is not in the list; a line on standard error says
    why.
    """

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
        columns = ('Name', 'Labels', 'Value', 'Unit', 'Source', 'Time')
        rows = (
            (
                sample['name'],
                sample['labels'],
                sample['value'],
                sample['unit'],
                sample.get('source'),
                _moment(sample.get('timestamp'), shorten),
            )
            for sample in result['samples']
        )
        return columns, [cells.row(row, parsed_args.formatter) for row in rows]


def _moment(moment: str | None, shorten: bool) -> str | None:
    return to_the_second(moment) if shorten else moment


def to_the_second(moment: str | None) -> str | None:
    """Shorten a time for a table, where it stands in every row."""
    try:
        parsed = datetime.datetime.fromisoformat(moment or '')
    except ValueError:
        return moment
    return f'{parsed.astimezone(datetime.UTC):%Y-%m-%d %H:%M:%S}Z'
