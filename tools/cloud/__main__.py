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

"""Start the cloud, run the scenarios, tell the tally."""

import argparse
import fcntl
import os
import pathlib
import shutil
import signal
import sys
import traceback
from typing import NoReturn

from cloud import deployment
from cloud import layout
from cloud import report
from cloud import scenarios


def main() -> int:
    """Return 0 where all checks passed and at least one was made."""
    arguments = _parse()
    cache = os.environ.get('NOVA_QGA_CACHE', '/var/tmp/nova-qga')
    place = layout.new(pathlib.Path(cache).absolute() / 'cloud')
    for number in (signal.SIGTERM, signal.SIGHUP):
        # What nohup had ignored stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    with (place.folder / 'lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f'cloud: another run uses {place.folder}', file=sys.stderr)
            return 2
        return _run(place, arguments.only or list(scenarios.ALL))


def _run(place: layout.Layout, names: list[str]) -> int:
    for folder in (place.run, place.log):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    told = report.Report(place.log / 'checks.log')
    told.say(f'the logs are in {place.log}')

    def checks(name: str) -> None:
        told.run(name, scenarios.ALL[name](cloud))

    try:
        with deployment.cloud(place, told) as cloud:
            for name in names:
                checks(name)
        told.say('the cloud is gone')
    except KeyboardInterrupt:
        told.say('interrupted')
        return 130
    except Exception as error:
        told.note(traceback.format_exc())
        told.say(f'FAILED: the cloud does not run: {error}')
        told.failed += 1
    told.say(f'the logs are in {place.log}')
    print(told.tally)
    return 0 if told.passed and not told.failed and not told.skipped else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog='tools/cloud/run.sh', description=__doc__, allow_abbrev=False
    )
    parser.add_argument(
        '--only',
        metavar='SCENARIO',
        action='append',
        choices=list(scenarios.ALL),
        help='run this one alone; may be repeated; the scenarios are '
        + ', '.join(scenarios.ALL),
    )
    return parser.parse_args()


def _end(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


if __name__ == '__main__':
    sys.exit(main())
