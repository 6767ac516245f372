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

"""Will nova-compute find the extension, and does it know that Nova?

Answered by the Python that nova-compute runs with, in a process of its own.
Whether a nova-compute that runs has loaded it, only its log can say.
"""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

from nova_qga.checks import finding
from nova_qga import text
from nova_qga import version

PROBE = pathlib.Path(__file__).with_name('extension_probe.py')
#: Seconds; loading Nova's driver takes a few.
TIMEOUT = 60.0
_LIMIT = 400


def check(
    python: str | None, *, enabled: bool, timeout: float = TIMEOUT
) -> list[finding.Finding]:
    """Look for the extension in an environment.

    :param python: its interpreter; None for the one that runs this
    :param enabled: ``[qga]enabled``
    :param timeout: seconds
    """
    if not enabled:
        return finding.good(
            '[qga]enabled is false: the extension changes nothing'
        )
    if python and not os.access(python, os.X_OK):
        return finding.failure(
            f'--nova-python {python} is no program: name the Python that '
            "nova-compute's first line names (head -1 .../bin/nova-compute)"
        )
    try:
        seen = _probe(python or sys.executable, timeout)
    except subprocess.TimeoutExpired:
        return finding.failure(
            f"loading Nova's driver took over {timeout:.0f} s: run this when "
            'the host has less to do'
        )
    except (OSError, ValueError, LookupError) as error:
        return finding.failure(
            f'{python or sys.executable} did not tell what it can load '
            f'({type(error).__name__}): see that it is a Python of 3.11 or '
            'newer'
        )
    return _judge(seen, python)


def _probe(python: str, timeout: float) -> dict[str, Any]:
    # Without the script's folder in sys.path: our modules are not its own.
    done = subprocess.run(  # noqa: S603
        [python, '-P', '-W', 'ignore', str(PROBE)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
    )
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


def _judge(seen: dict[str, Any], python: str | None) -> list[finding.Finding]:
    where = seen['prefix']
    if not seen['nova']:
        return finding.warning(
            f'Nova is not installed in {where}, so this cannot be told. On a '
            "compute host give --nova-python, the path of nova-compute's "
            'Python; on one that runs no guests give --controller'
        )
    if not seen['entry_point']:
        return finding.failure(
            f'nova-qga is not installed in {where}, where Nova is, and '
            'guests get no channel of ours: install it there '
            f'({where}/bin/pip install nova-qga=='
            f'{version.version_string_with_package()}) and restart '
            'nova-compute'
        )
    if 'error' in seen:
        reason = text.printable(seen['error'], _LIMIT)
        return finding.failure(
            f'the extension does not work with Nova {seen["nova"]} in '
            f'{where} ({reason}), and guests get no channel of ours: install '
            'a nova-qga that knows this Nova'
        )
    return _compare(seen, where)


def _compare(seen: dict[str, Any], where: str) -> list[finding.Finding]:
    ours = version.version_string_with_package()
    if seen['nova_qga'] != ours:
        return finding.warning(
            f'nova-compute loads nova-qga {seen["nova_qga"]} from {where}, '
            f'and this is {ours}: upgrade the older one, and restart what '
            'runs it'
        )
    return finding.good(
        f'nova-qga {ours} and Nova {seen["nova"]} in {where}; a nova-compute '
        'that was started before it was installed must be restarted'
    )
