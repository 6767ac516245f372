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

"""The options that all commands of nova-qga have."""

import argparse

from nova_qga.cli import outcome

TIMEOUT = 60.0
#: Seconds between two looks at least: each costs the host something.
SHORTEST_PAUSE = 0.5


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add them, beside those of cliff."""
    _add_where(parser)
    parser.add_argument(
        '--timeout',
        metavar='<seconds>',
        type=_seconds,
        default=TIMEOUT,
        help=f'Seconds to wait for each request (default: {TIMEOUT:g})',
    )
    parser.add_argument(
        '--wait-for-agent',
        action='store_true',
        help=(
            'Where the guest is off or its agent is not there yet, have the '
            'request held until it is, as long as --timeout allows'
        ),
    )
    parser.add_argument(
        '--config-file',
        metavar='<file>',
        action='append',
        default=[],
        help=(
            'Configuration file, may be repeated (default: '
            '/etc/nova/nova.conf and /etc/nova-qga/nova-qga.conf, those '
            'that exist)'
        ),
    )
    parser.add_argument(
        '--config-dir',
        metavar='<folder>',
        action='append',
        default=[],
        help='Folder of further configuration files, may be repeated',
    )


def parse(
    parser: argparse.ArgumentParser, arguments: list[str]
) -> argparse.Namespace:
    """Parse arguments; what is too much may be a password: do not show it."""
    parsed, stray = parser.parse_known_args(arguments)
    options = [w.partition('=')[0] for w in stray if w.startswith('--')]
    if options:
        parser.error(f'unknown options: {outcome.safe(" ".join(options))}')
    if stray:
        words = 'word' if len(stray) == 1 else 'words'
        parser.error(f'{len(stray)} {words} too many at the end')
    return parsed


def _add_where(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        '--host',
        metavar='<host>',
        action='append',
        type=_host,
        default=[],
        help=(
            'Compute host to ask, by the name that Nova has for it; where '
            'many can be asked, it may be repeated (default: Nova is asked '
            'which one)'
        ),
    )
    where.add_argument(
        '--local',
        action='store_true',
        help="Ask this host's guests directly: no broker, no agent",
    )
    parser.add_argument(
        '--os-cloud',
        metavar='<cloud>',
        help=(
            'Cloud of clouds.yaml whose Nova to ask for hosts (default: '
            'OS_CLOUD, or what the other OS_* variables say)'
        ),
    )


def _host(text: str) -> str:
    # It is shown in tables.
    if not text or not text.isprintable():
        raise argparse.ArgumentTypeError(f'{text!r} is no name of a host')
    return text


def pause(text: str) -> float:
    """Take the seconds between two looks."""
    return max(_seconds(text), SHORTEST_PAUSE)


def count(text: str) -> int:
    """Take how often something is done."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 0 < number <= 1000000:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no number from 1 to 1000000'
        )
    return number


def label(text: str) -> tuple[str, str]:
    """Take a label of a sample and its value."""
    name, equals, value = text.partition('=')
    if not name or not equals:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no label, as device=vda is one'
        )
    return name, value


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 86400:
        raise argparse.ArgumentTypeError(
            f'{text!r} is no number of seconds over 0 and up to 86400'
        )
    return seconds
