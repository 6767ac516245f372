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

"""Would Ceilometer, where it is on this host, take our metrics?

It drops a notification that no meter definition is for, and says nothing.
Its definitions are read as it reads them; its services are not asked.

Source: ceilometer/meter/notifications.py of Ceilometer 27: where definitions
are looked for, and how an event's type is matched.
"""

from collections.abc import Iterator
import pathlib
import re
import sys
from typing import Any

from oslo_config import cfg
import yaml

from nova_qga.checks import finding
from nova_qga.publishers import notification

FILE = 'etc/ceilometer/meters.d/nova_qga.yaml'
EVENT = notification.EVENT
BATCH_EVENT = notification.BATCH_EVENT


def check(folder: str, event: str | None) -> list[finding.Finding]:
    """Look for a definition that is for our metrics.

    :param folder: Ceilometer's, ``/etc/ceilometer``
    :param event: type of the notifications that metrics are sent as; None
        where they are not
    """
    if event is None:
        return finding.good(
            'not needed: notification is not among [qga_monitor]publishers'
        )
    if not pathlib.Path(folder).is_dir():
        return finding.good(f'not needed: there is no {folder} on this host')
    found: list[finding.Finding] = []
    for file in _files(_folders(folder)):
        try:
            if any(_is_for(event, metric) for metric in _metrics(file)):
                return finding.good(f'{file} is for our metrics')
        except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
            found += finding.warning(
                f'{file} cannot be read as meter definitions '
                f'({type(error).__name__}): correct it'
            )
    return found + finding.warning(
        f'no meter definition is for our metrics ({event}), and a '
        'ceilometer-agent-notification on this host would drop them: copy '
        f'{_shipped()} to {folder}/meters.d and restart it; where only '
        'other agents of Ceilometer run here, nothing is to be done'
    )


def _shipped() -> str:
    installed = pathlib.Path(sys.prefix) / FILE
    return str(installed) if installed.exists() else f"nova-qga's {FILE}"


def _folders(folder: str) -> list[str]:
    """Return where Ceilometer looks, but for its own package."""
    conf = cfg.ConfigOpts()
    conf.register_opt(
        cfg.MultiStrOpt(
            'meter_definitions_dirs', default=[f'{folder}/meters.d']
        ),
        group='meter',
    )
    file = pathlib.Path(folder, 'ceilometer.conf')
    try:
        files = [str(file)] if file.is_file() else []
        conf(args=[], default_config_files=files, default_config_dirs=[])
    except (cfg.Error, OSError):
        # Not ours to judge, or not for us to read.
        return [f'{folder}/meters.d']
    folders: list[str] = conf.meter.meter_definitions_dirs
    return folders


def _files(folders: list[str]) -> Iterator[pathlib.Path]:
    for folder in folders:
        yield from sorted(pathlib.Path(folder).glob('*.yaml'))


def _metrics(file: pathlib.Path) -> list[Any]:
    metrics: list[Any] = yaml.safe_load(file.read_text())['metric']
    return metrics


def _is_for(event: str, metric: dict[str, Any]) -> bool:
    types = metric['event_type']
    patterns = [types] if isinstance(types, str) else types
    return any(re.match(each, event) for each in patterns)
