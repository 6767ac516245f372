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

"""The program ``nova-qga-status``: what would not work, before it is tried.

``nova-qga-status upgrade check`` looks at this host's installation and
configuration, changes nothing, and says of each fault what to do next. The
exit code is 0 where all is well, 1 after a warning, 2 after a failure, and 255
where the checks could not be run.
"""

from collections.abc import Callable, Sequence
import logging
import re
import sys

from oslo_config import cfg
from oslo_upgradecheck import upgradecheck

from nova_qga.checks import ceilometer
from nova_qga.checks import extension
from nova_qga.checks import finding
from nova_qga.checks import libvirtd
from nova_qga.checks import message_broker
from nova_qga.checks import options
from nova_qga import conf as qga_conf
from nova_qga.conf import files
from nova_qga import errors

PROGRAM = 'nova-qga-status'
#: The checks could not be run; the other codes are oslo.upgradecheck's.
NOT_RUN = 255

_NO_GUESTS = finding.good('not looked at: --controller')

CLI_OPTS = [
    cfg.BoolOpt(
        'controller',
        default=False,
        help='This host runs no guests: look neither for the Nova extension '
        'nor for libvirt',
    ),
    cfg.StrOpt(
        'nova-python',
        metavar='PATH',
        help='The Python that nova-compute runs with, where nova-qga-status '
        'is installed in another environment',
    ),
    cfg.StrOpt(
        'ceilometer-dir',
        metavar='DIR',
        default='/etc/ceilometer',
        help="The folder of Ceilometer's configuration",
    ),
]


class Checks(upgradecheck.UpgradeCommands):
    """The checks of ``upgrade check``, in the order that they are shown."""

    display_title = 'nova-qga: what works on this host'

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        super().__init__()
        self.conf = conf

    def _options(self) -> list[finding.Finding]:
        return options.check(self.conf, has_guests=not self.conf.controller)

    def _extension(self) -> list[finding.Finding]:
        if self.conf.controller:
            return _NO_GUESTS
        return extension.check(
            self.conf.nova_python,
            enabled=options.value(self.conf, 'qga', 'enabled'),
        )

    def _libvirt(self) -> list[finding.Finding]:
        if self.conf.controller:
            return _NO_GUESTS
        return libvirtd.check(
            options.value(self.conf, 'qga_agent', 'libvirt_uri')
        )

    def _broker(self) -> list[finding.Finding]:
        return message_broker.check(self.conf)

    def _ceilometer(self) -> list[finding.Finding]:
        publishers = options.value(self.conf, 'qga_monitor', 'publishers')
        size = options.value(self.conf, 'qga_notification', 'batch_size')
        event = None
        if 'notification' in publishers:
            event = ceilometer.BATCH_EVENT if size > 1 else ceilometer.EVENT
        return ceilometer.check(self.conf.ceilometer_dir, event)


def _result(
    check: Callable[[Checks], list[finding.Finding]],
) -> Callable[[Checks], upgradecheck.Result]:
    """Make of a check's findings the one result that is shown."""

    def run(checks: Checks) -> upgradecheck.Result:
        try:
            found = check(checks)
        except Exception as error:
            # What it says may be made of anything, a password too.
            found = finding.failure(
                f'the check ended with {type(error).__name__}: this is a bug'
            )
        worst = max(each.severity for each in found)
        texts = [each.text for each in found]
        if len(texts) > 1:
            texts = [f'({n}) {text}' for n, text in enumerate(texts, 1)]
        return upgradecheck.Result(upgradecheck.Code(worst), '\n'.join(texts))

    return run


Checks._upgrade_checks = (
    ('Options', _result(Checks._options)),
    ('Nova extension', _result(Checks._extension)),
    ('libvirt', _result(Checks._libvirt)),
    ('Message broker', _result(Checks._broker)),
    ('Ceilometer definitions', _result(Checks._ceilometer)),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the checks and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    conf = cfg.CONF
    qga_conf.register_opts(conf)
    conf.register_cli_opts(CLI_OPTS)
    # oslo.messaging would log what ends in one line of ours.
    logging.getLogger().addHandler(logging.NullHandler())
    named = any(word.startswith('--config-file') for word in words)
    try:
        return upgradecheck.main(
            conf,
            'nova-qga',
            Checks(conf),
            argv=words,
            default_config_files=[] if named else files.existing(),
        )
    except SystemExit as end:
        # argparse's 2 would look like a failed check.
        return NOT_RUN if end.code else 0
    except (cfg.Error, errors.ConfigurationError) as error:
        print(f'{PROGRAM}: {_safe(error)}', file=sys.stderr)
        return NOT_RUN


def _safe(error: Exception) -> str:
    if not isinstance(error, cfg.ConfigFileParseError):
        return str(error)
    # What is said ends with the line, which may hold a password.
    line = re.search(r':(\d+), ', str(error.msg))
    where = f'line {line[1]} of {error.config_file}' if line else ''
    return f'{where or error.config_file} is no configuration: correct it'
