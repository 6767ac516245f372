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

"""Read a subunit stream, show each test as it ends, and count the outcomes.

A test that started and never ended (its worker died) is a failure, as is a
stream with no test in it. Writes ``passed failed skipped`` to the file named
by the only argument; tools/test.sh adds them up.

It runs no test itself: ``stestr run --subunit | report_tests.py COUNTS``.
"""

import collections
from collections.abc import Mapping
import os
import pathlib
import sys
from typing import Any

import subunit
import testtools

OUTCOMES = {
    'success': 'passed',
    'xfail': 'passed',
    'skip': 'skipped',
    'fail': 'failed',
    'uxsuccess': 'failed',
    'inprogress': 'failed',
    'unknown': 'failed',
}

#: What the stream holds beside tests: output of the runner or of a worker.
STRAY = 'stray output'


class Report:
    """Counts of the tests seen, and a line on standard output for each."""

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()

    def add(self, test: Mapping[str, Any]) -> None:
        """Take one test's dictionary, as testtools.StreamToDict makes it."""
        details = test['details']
        if test['id'] == STRAY:
            show_details(details)
            return
        # 'exists' is only a mention in a listing, and None is no test.
        outcome = OUTCOMES.get(test['status'] or '')
        if outcome is None:
            return
        self.counts[outcome] += 1
        print(f'{outcome:8} {duration(test):7.2f} s  {test["id"]}')
        if test['status'] == 'inprogress':
            print('  it began and never ended: its worker died or hung')
        if outcome == 'failed':
            show_details(details)
        elif outcome == 'skipped' and 'reason' in details:
            print(f'  {details["reason"].as_text()}')
        sys.stdout.flush()


def duration(test: Mapping[str, Any]) -> float:
    began, ended = test['timestamps']
    if began is None or ended is None:
        return 0.0
    return float((ended - began).total_seconds())


def show_details(details: Mapping[str, Any]) -> None:
    """Print what came with a test: its traceback, its logs, its output."""
    for name, content in sorted(details.items()):
        if content.content_type.type == 'text':
            text = content.as_text()
        else:
            data = b''.join(content.iter_bytes())
            text = data.decode('utf-8', 'backslashreplace')
        if text.strip():
            print(f'  --- {name}')
            print(text.rstrip().replace('\r\n', '\n'))
    sys.stdout.flush()


def main() -> int:
    report = Report()
    result = testtools.StreamToDict(report.add)
    stream = subunit.ByteStreamToStreamResult(
        # Not sys.stdin: it would decode.
        os.fdopen(0, 'rb'),
        non_subunit_name=STRAY,
    )
    result.startTestRun()
    try:
        stream.run(result)
    finally:
        result.stopTestRun()
    counts = report.counts
    if not sum(counts.values()):
        print('no test ran')
        counts['failed'] += 1
    numbers = (counts[name] for name in ('passed', 'failed', 'skipped'))
    pathlib.Path(sys.argv[1]).write_text(' '.join(map(str, numbers)) + '\n')
    return 1 if counts['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
