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

"""Which figures of the old script we measure in a guest, and by what source.

The script's own names are nowhere written down, only the kinds of figures it
sent. A report of its that somebody has kept can be compared value by value,
by names that he gives: what is not given a name is said to have none.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TYPE_CHECKING

from nova_qga.cli import injected
from nova_qga.cli import monitor_settings
from nova_qga.cli import outcome
from nova_qga import errors

if TYPE_CHECKING:
    from nova_qga.cli import target as cli_target

Samples = Iterable[Mapping[str, Any]]


class Kind(NamedTuple):
    """Figures of one kind.

    :ivar title: of its column
    :ivar prefix: of the names of our metrics
    :ivar collector: that measures them
    """

    name: str
    title: str
    prefix: str
    collector: str


KINDS = (
    Kind('cpu', 'CPU', 'guest.cpu.', 'cpu'),
    Kind('load', 'Load', 'guest.load.', 'load'),
    Kind('memory', 'Memory', 'guest.memory.', 'memory'),
    Kind('disk', 'Disk', 'guest.disk.', 'disks'),
    Kind('filesystem', 'Filesystem', 'guest.filesystem.', 'filesystems'),
    Kind('network', 'Network', 'guest.network.', 'network'),
)


class Parity(NamedTuple):
    """What is known of one guest.

    :ivar sources: kind -> ``guest``, ``hypervisor`` or both; those that are
        measured
    :ivar settings: of the old script
    :ivar missing: kind, ``metrics`` or ``settings`` -> why there is none
    :ivar exit_code: what went wrong stands for
    """

    sources: Mapping[str, str]
    settings: monitor_settings.Settings
    missing: Mapping[str, str]
    exit_code: outcome.ExitCode


def look(target: 'cli_target.Target', settings_path: str) -> Parity:
    """Measure a guest, and read the settings of its script."""
    missing: dict[str, str] = {}
    code = outcome.ExitCode.OK
    sources: dict[str, str] = {}
    settings = monitor_settings.Settings()
    try:
        measured = measure(target)
        sources = _sources(measured['samples'])
        missing = _missing(sources, measured.get('missing') or {})
    except (outcome.Failure, errors.QgaError, OSError) as error:
        missing['metrics'] = outcome.safe(str(error))
        code = outcome.exit_code(error)
    if code in injected.AWAY:
        return Parity(sources, settings, missing, code)
    try:
        settings = _settings(target, settings_path)
    except monitor_settings.Unreadable as error:
        missing['settings'] = str(error)
    except (outcome.Failure, errors.QgaError, OSError) as error:
        missing['settings'] = outcome.safe(str(error))
        code = code or outcome.exit_code(error)
    return Parity(sources, settings, missing, code)


def measure(target: 'cli_target.Target') -> Mapping[str, Any]:
    """Return what is measured of a guest now.

    :raises Failure, QgaError: it cannot be told
    """
    return outcome.result(target.api.get_metrics(target.host, target.instance))


def _sources(samples: Samples) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for sample in samples:
        for kind in KINDS:
            if sample['name'].startswith(kind.prefix):
                found.setdefault(kind.name, set()).add(sample['source'])
    return {kind: '+'.join(sorted(of)) for kind, of in found.items()}


def _missing(
    sources: Mapping[str, str], missing: Mapping[str, str]
) -> dict[str, str]:
    return {
        kind.name: missing.get(kind.collector, 'it is not measured')
        for kind in KINDS
        if kind.name not in sources
    }


def _settings(
    target: 'cli_target.Target', path: str
) -> monitor_settings.Settings:
    data = injected.read(target, path, monitor_settings.MAX_BYTES + 1)
    if data is None:
        return monitor_settings.Settings()
    return monitor_settings.parse(data)
